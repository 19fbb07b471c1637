import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;
const linesPerStep = 100;
const stepMs = 100;

describe('deaths in the middle of the flow', () => {
  let cluster: IsolatedCluster;
  let input: string;
  let output: string;
  let written = 0;
  let writing: Promise<void>;
  const stopped = new AbortController();

  beforeAll(async () => {
    cluster = await SluiceCluster.startIsolated();
    input = cluster.path('in.txt');
    output = cluster.path('out.txt');
    await appendLines(input, 0, 1);
    const topic = { topic: 'lines', 'topic.creation.default.partitions': '1' };
    for (const [name, config] of [
      ['in', { 'connector.class': 'FileStreamSource', file: input, ...topic }],
      ['out', { 'connector.class': 'FileStreamSink', file: output, topics: 'lines' }],
    ] as const) {
      expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
    }
    await cluster.untilTask('in', 'RUNNING');
    await cluster.untilTask('out', 'RUNNING');
    written = 1;
    writing = (async () => {
      while (!stopped.signal.aborted) {
        await appendLines(input, written, written + linesPerStep);
        written += linesPerStep;
        await delay(stepMs);
      }
    })();
  }, 300_000);

  afterAll(async () => {
    stopped.abort();
    await writing;
    await (cluster as IsolatedCluster | undefined)?.close();
  }, 300_000);

  /** The flow has passed what was written when this was called. */
  const untilFlowing = async (timeoutMs: number): Promise<void> => {
    const goal = await sizeOf(input);
    let size = 0;
    await until(
      'the flow resumes',
      async () => {
        size = await sizeOf(output);
        return size >= goal;
      },
      timeoutMs,
      () => `${size} of ${goal} bytes\n` + cluster.roles.map((role) => `--- ${role.id}\n${role.log.slice(-1500)}`).join('\n'),
    );
  };

  /** What has come out so far is the beginning of what went in. */
  const expectPrefix = async (): Promise<void> => {
    const { createReadStream } = await import('node:fs');
    const size = await sizeOf(output);
    const { createHash } = await import('node:crypto');
    const of = async (file: string): Promise<string> => {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file, { end: size - 1 })) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    expect(await of(output)).toBe(await of(input));
  };

  it.each(['source-runner', 'sink-runner', 'coordinator', 'gateway'] as const)(
    'kill -9 of the %s and a new start neither lose nor duplicate anything',
    async (role) => {
      const handle = cluster.role(`${role}-1`);
      await untilFlowing(180_000);
      await handle.kill('SIGKILL');
      await delay(500);
      handle.start();
      await cluster.untilReady();
      await untilFlowing(180_000);
      await expectPrefix();
    },
    300_000,
  );

  it.each(['source-runner', 'sink-runner'] as const)(
    'kill -9 of the %s beside a second one: the other takes over, and nothing is lost or duplicated',
    async (role) => {
      const second = cluster.add(role, `${role}-2`);
      second.start();
      const connector = role === 'source-runner' ? 'in' : 'out';
      await until(
        'the second runner is a member',
        () => second.log.includes('is up'),
        180_000,
        () => second.log,
      );
      await untilFlowing(180_000);
      await cluster.role(`${role}-1`).kill('SIGKILL');
      await cluster.untilTask(connector, 'RUNNING', `${role}-2`, 180_000);
      await untilFlowing(180_000);
      await expectPrefix();
    },
    300_000,
  );

  const untilWaiting = async (reason: string): Promise<void> => {
    let status = '';
    await until(
      `the sink says that ${reason}`,
      async () => {
        status = JSON.stringify((await cluster.request('GET', '/connectors/out/status')).body);
        return status.includes(reason);
      },
      180_000,
      () => status,
    );
  };

  it.each(['source-runner', 'sink-runner'] as const)(
    'a %s that is suspended for longer than its session: another takes over, and the suspended one writes nothing when it resumes',
    async (role) => {
      const connector = role === 'source-runner' ? 'in' : 'out';
      const other = cluster.role(`${role}-1`);
      other.start();
      await until(
        'the other runner is up',
        () => other.log.split('is up').length > 2,
        180_000,
        () => other.log,
      );
      await untilFlowing(180_000);
      const sleeper = cluster.role(`${role}-2`);
      await sleeper.kill('SIGSTOP');
      await cluster.untilTask(connector, 'RUNNING', `${role}-1`, 180_000);
      if (role === 'source-runner') await untilFlowing(180_000);
      // A file has one writer: the sink waits for the sleeper's lock, and says so.
      else await untilWaiting('out.txt.sluice-lock is held by connector out');
      await sleeper.kill('SIGCONT');
      await until(
        'the sleeper has ended itself',
        () => !sleeper.isRunning,
        180_000,
        () => sleeper.log,
      );
      expect(sleeper.log).toContain('Its tasks may run elsewhere now');
      await cluster.untilTask(connector, 'RUNNING', `${role}-1`, 180_000);
      await untilFlowing(180_000);
      await expectPrefix();
    },
    300_000,
  );

  it('a restart of the broker: the flow resumes by itself', async () => {
    await untilFlowing(180_000);
    await cluster.rocketmq.restartBroker();
    await untilFlowing(180_000);
    await expectPrefix();
  }, 300_000);

  it('kill -9 of the broker: the flow resumes by itself', async () => {
    await cluster.rocketmq.killBroker('SIGKILL');
    await cluster.rocketmq.startBroker();
    await untilFlowing(180_000);
    await expectPrefix();
  }, 300_000);

  it('at the end the output is the input', async () => {
    stopped.abort();
    await writing;
    await untilFlowing(180_000);
    expect(await digestOf(output)).toBe(await digestOf(input));
  }, 300_000);
});
