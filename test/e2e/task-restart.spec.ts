import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { RocketMqClient } from '@sluice/rocketmq';
import { readTextIfPresent } from '@sluice/sdk/files';
import { mergeReports, type Verdict } from '@sluice/connector-verify';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly generation?: number;
  readonly since?: number;
  readonly trace?: string;
  readonly last_error?: { readonly at: number; readonly message: string };
  readonly restart?: { readonly attempt: number; readonly max_attempts?: number; readonly at: number };
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

describe('tasks that fail, are split again, and whose topics grow', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const logs = (): string => cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-1500)}`).join('');

  const create = async (name: string, config: Readonly<Record<string, string>>): Promise<void> => {
    expect(await cluster.request('POST', '/connectors', { name, config })).toMatchObject({ status: 201 });
  };

  const tasksOf = async (connector: string): Promise<readonly TaskStatus[]> => {
    const { body } = await cluster.request('GET', `/connectors/${connector}/status`);
    return (body as { tasks?: readonly TaskStatus[] }).tasks ?? [];
  };

  const untilTasks = async (
    connector: string,
    what: string,
    condition: (tasks: readonly TaskStatus[]) => boolean,
  ): Promise<readonly TaskStatus[]> => {
    let tasks: readonly TaskStatus[] = [];
    return until(
      `tasks of ${connector} ${what}`,
      async () => {
        tasks = await tasksOf(connector);
        return condition(tasks) ? tasks : undefined;
      },
      180_000,
      () => JSON.stringify(tasks) + logs(),
    );
  };

  const untilAllRun = (connector: string, count: number): Promise<readonly TaskStatus[]> =>
    untilTasks(connector, `are ${count} and run`, (tasks) => {
      return tasks.length === count && tasks.every(({ state }) => state === 'RUNNING');
    });

  const untilSame = async (output: string, input: string): Promise<void> => {
    await until('the output is as long as the input', async () => (await sizeOf(output)) >= (await sizeOf(input)), 180_000, logs);
    expect(await digestOf(output)).toBe(await digestOf(input));
  };

  describe('a sink whose folder disappears', () => {
    const restarts = { 'restart.backoff.initial.ms': '100', 'restart.backoff.max.ms': '500' };
    let written = 0;

    /** A file that goes through a topic into a file in a folder of its own. */
    const startFlow = async (
      name: string,
      settings: Readonly<Record<string, string>>,
    ): Promise<{ input: string; folder: string; output: string }> => {
      const input = cluster.path(`${name}.txt`);
      const folder = cluster.path(`${name}-out`);
      const output = `${folder}/lines.txt`;
      mkdirSync(folder);
      written = 0;
      await write(input);
      const topic = { topic: cluster.topic(name), 'topic.creation.default.partitions': '1' };
      await create(`${name}-in`, { 'connector.class': 'FileStreamSource', file: input, ...topic });
      await create(`${name}-out`, {
        'connector.class': 'FileStreamSink',
        file: output,
        topics: cluster.topic(name),
        'offset.flush.interval.ms': '100',
        ...restarts,
        ...settings,
      });
      await untilAllRun(`${name}-out`, 1);
      await untilSame(output, input);
      return { input, folder, output };
    };

    const write = async (input: string): Promise<void> => {
      await appendLines(input, written, written + 2000);
      written += 2000;
    };

    it('is RESTARTING, says why and when it tries again, comes back with the folder and loses nothing', async () => {
      const { input, folder, output } = await startFlow('away', { 'restart.max.attempts': '-1' });
      const [before] = await tasksOf('away-out');
      await rename(folder, `${folder}-moved`);
      await write(input);
      const [failing] = await untilTasks('away-out', 'fail a third time', ([task]) => (task?.restart?.attempt ?? 0) >= 3);
      expect(failing).toMatchObject({
        state: 'RESTARTING',
        generation: before?.generation,
        trace: expect.stringMatching(/lines\.txt cannot be written[^]*Caused by: .*ENOENT/),
        last_error: { at: expect.any(Number), message: expect.stringContaining('lines.txt') },
      });
      expect(failing?.restart?.at).toBeGreaterThan(failing?.last_error?.at ?? Infinity);
      await write(input);
      await rename(`${folder}-moved`, folder);
      const [after] = await untilAllRun('away-out', 1);
      await untilSame(output, input);
      expect(after).toMatchObject({ generation: before?.generation, last_error: { at: expect.any(Number) } });
      expect(after).not.toHaveProperty('trace');
      expect(after).not.toHaveProperty('restart');
    }, 300_000);

    it('is FAILED with the trace after the last attempt, and a restart by hand repairs it', async () => {
      const { input, folder, output } = await startFlow('gone', { 'restart.max.attempts': '2' });
      const [before] = await tasksOf('gone-out');
      await rename(folder, `${folder}-moved`);
      await write(input);
      const [failed] = await untilTasks('gone-out', 'have FAILED', ([task]) => task?.state === 'FAILED');
      expect(failed?.trace).toMatch(/lines\.txt cannot be written[^]*\n +at [^]*Caused by: .*ENOENT/);
      expect(failed).not.toHaveProperty('restart');
      expect(cluster.role('sink-runner-1').log).toContain('Task gone-out-0 failed for good after 2 restart(s)');
      await rename(`${folder}-moved`, folder);
      await write(input);
      expect((await cluster.request('POST', '/connectors/gone-out/tasks/0/restart')).status).toBe(204);
      const [after] = await untilAllRun('gone-out', 1);
      expect(after?.generation).toBeGreaterThan(before?.generation ?? Infinity);
      await untilSame(output, input);
    }, 300_000);
  });

  it('reads a topic that grows from 2 to 4 queues under load, from the first message of the new ones on', async () => {
    const input = cluster.path('grown.txt');
    const output = cluster.path('grown-out.txt');
    await appendLines(input, 0, 1000);
    const grown = cluster.topic('grown');
    const topic = { topic: grown, 'topic.creation.default.partitions': '2' };
    await create('grown-in', { 'connector.class': 'FileStreamSource', file: input, ...topic });
    const sink = { 'connector.class': 'FileStreamSink', file: output, topics: grown };
    await create('grown-out', { ...sink, 'consumer.offset.reset': 'latest' });
    const [before] = await untilAllRun('grown-out', 1);
    const stopped = new AbortController();
    const loading = (async () => {
      for (let from = 1000; !stopped.signal.aborted; from += 100) {
        await appendLines(input, from, from + 100);
        await delay(50);
      }
    })();
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    const sent = Array.from({ length: 200 }, (_, number) => `new queue ${number}`);
    const newQueueLines = async () => ((await readTextIfPresent(output)) ?? '').split('\n').filter((line) => line.startsWith('new queue'));
    try {
      await client.admin.createTopic({ topic: grown, readQueues: 4, writeQueues: 4 });
      for (const [number, line] of sent.entries()) {
        const queue = { topic: grown, brokerName: cluster.rocketmq.brokerName, queueId: 2 + (number % 2) };
        await client.producer.send(queue, { body: Buffer.from(line) });
      }
      await until('the new queues are read', async () => (await newQueueLines()).length >= sent.length, 180_000, logs);
    } finally {
      stopped.abort();
      await loading;
      await client.close();
    }
    expect((await newQueueLines()).sort()).toEqual(sent.sort());
    expect(await untilAllRun('grown-out', 1)).toMatchObject([{ generation: before?.generation }]);
  }, 300_000);

  it('splits a sink into 1, 3 and 2 tasks under load: nothing is lost, and the tasks of others keep running', async () => {
    const partitions = 4;
    const records = 16_000;
    const ofPartitions = Array.from({ length: partitions }, () => records / partitions);
    const folder = cluster.path('split-reports');
    mkdirSync(folder);
    const sink = {
      'connector.class': 'VerifySink',
      topics: cluster.topic('split'),
      'report.dir': folder,
      'offset.flush.interval.ms': '200',
    };
    await create('split-out', { ...sink, 'tasks.max': '1' });
    await create('split-in', {
      'connector.class': 'DatagenSource',
      topic: cluster.topic('split'),
      records: String(records),
      partitions: String(partitions),
      rate: '800',
      seed: '7',
      'tasks.max': '1',
    });
    const [source] = await untilAllRun('split-in', 1);
    const verdict = (): Promise<Verdict> => mergeReports(folder, { seed: 7, ofPartitions });
    const untilVerified = async (count: number): Promise<Verdict> => {
      let last: Verdict | undefined;
      return until(
        `${count} records are verified`,
        async () => {
          last = await verdict();
          return last.records >= count ? last : undefined;
        },
        180_000,
        () => JSON.stringify({ ...last, examples: [] }) + logs(),
      );
    };
    let from = 0;
    for (const [count, share] of [
      [3, 0.1],
      [2, 0.4],
    ] as const) {
      const { records: seen } = await untilVerified(records * share);
      expect(seen).toBeLessThan(records);
      const { status } = await cluster.request('PUT', '/connectors/split-out/config', {
        ...sink,
        'tasks.max': String(count),
      });
      expect(status).toBe(200);
      const tasks = await untilTasks('split-out', `are ${count} new ones and run`, (all) => {
        return all.length === count && all.every(({ state, generation = 0 }) => state === 'RUNNING' && generation > from);
      });
      from = Math.max(...tasks.map(({ generation = 0 }) => generation));
    }
    const end = await untilVerified(records);
    expect(end.examples).toEqual([]);
    expect(end).toMatchObject({ clean: true, complete: true, records, missing: 0, duplicates: 0, outOfOrder: 0 });
    const [ended] = await untilTasks('split-in', 'have completed', (all) => all.every(({ state }) => state === 'COMPLETED'));
    expect(ended?.generation).toBe(source?.generation);
  }, 300_000);
});
