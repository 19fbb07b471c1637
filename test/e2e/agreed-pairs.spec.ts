import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topicsOf } from '@sluice/protocol';
import { RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { SupportRunner } from '../support/support-runner.js';

const AGREEING_RUNNER = new URL('../dist/support/agreeing-source-runner.js', import.meta.url);
const PATIENCE_MS = 180_000;

type Pairs = Readonly<Record<string, string>>;

describe('pairs that a connector agrees upon while it is split', () => {
  let cluster: SluiceCluster;
  let folder: string;
  const runners = new Map<string, SupportRunner>();

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    expect(await cluster.role('source-runner-1').kill('SIGTERM')).toBe(0);
    folder = cluster.path('folder');
    mkdirSync(folder);
  }, 300_000);
  afterAll(async () => {
    for (const runner of runners.values()) runner.kill('SIGKILL');
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const start = (id: string): SupportRunner => {
    const runner = new SupportRunner(cluster, AGREEING_RUNNER, id, { SLUICE_PERSIST_INTERVAL_MS: '500' });
    runners.set(id, runner);
    return runner;
  };

  const end = async (id: string, signal: NodeJS.Signals): Promise<void> => {
    const runner = runners.get(id);
    runner?.kill(signal);
    await runner?.exited;
    runners.delete(id);
  };

  const put = (file: string, text: string): void => {
    writeFileSync(join(folder, file), text);
  };

  /** The node and the keys of each call of `taskConfigs`. */
  const calls = (): readonly string[] => {
    const path = join(folder, 'calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };

  const create = (): Promise<void> => {
    const [runner] = runners.values();
    return runner!.create('pairing', { 'connector.class': 'AgreeingSource', folder, agreed: '' });
  };

  const splitAgain = async (): Promise<void> => {
    await until('the connector is restarted', async () => {
      const answer = await cluster.request('POST', '/connectors/pairing/restart').catch(() => undefined);
      return answer?.status === 204;
    });
  };

  /** Waits until the settings of the task hold just these keys. */
  const untilAgreed = async (...keys: readonly string[]): Promise<Pairs> => {
    let last: unknown;
    return until(
      `the task has ${keys.join(', ')}`,
      async () => {
        const answer = await cluster.request('GET', '/connectors/pairing/tasks').catch(() => undefined);
        last = answer?.body;
        const [task] = answer?.status === 200 ? (last as { readonly config: Pairs }[]) : [];
        const pairs = JSON.parse(task?.config['agreed'] || '{}') as Pairs;
        return Object.keys(pairs).sort().join() === keys.join() ? pairs : undefined;
      },
      PATIENCE_MS,
      () => [JSON.stringify(last), ...calls(), ...Array.from(runners.values(), ({ log }) => log.slice(-3_000))].join('\n'),
    );
  };

  let agreed: Pairs = {};

  it('are those of the runner that came first, whichever runner splits it later', async () => {
    put('keys', 'k1');
    start('runner-a');
    await create();
    agreed = await untilAgreed('k1');
    expect(agreed).toEqual({ k1: 'k1 by runner-a in call 1' });

    await end('runner-a', 'SIGKILL');
    start('runner-b');
    put('keys', 'k1 k2');
    await splitAgain();
    agreed = await untilAgreed('k1', 'k2');
    expect(agreed).toEqual({ k1: 'k1 by runner-a in call 1', k2: expect.stringMatching(/^k2 by runner-b in call \d+$/) });
  }, 300_000);

  it('are agreed upon by the request of the call that was under way when the leader was killed', async () => {
    put('keys', 'k1 k2 k3');
    put('hold', '');
    await splitAgain();
    await until('the connector is being split', () => calls().at(-1) === 'runner-b k1 k2 k3', PATIENCE_MS);
    const call = calls().length;
    await cluster.role('coordinator-1').kill('SIGKILL');
    rmSync(join(folder, 'hold'));
    cluster.role('coordinator-1').start();
    agreed = { ...agreed, k3: `k3 by runner-b in call ${call}` };
    expect(await untilAgreed('k1', 'k2', 'k3')).toEqual(agreed);
  }, 300_000);

  it('outlive the connector, and a restart of all nodes', async () => {
    expect((await cluster.request('DELETE', '/connectors/pairing')).status).toBe(204);
    await end('runner-b', 'SIGTERM');
    for (const role of cluster.roles.filter(({ isRunning }) => isRunning)) expect(await role.kill('SIGTERM')).toBe(0);
    for (const role of cluster.roles) if (role.id !== 'source-runner-1') role.start();
    await until('the gateway answers', async () => (await cluster.request('GET', '/').catch(() => undefined))?.status === 200, PATIENCE_MS);
    start('runner-c');
    await create();
    expect(await untilAgreed('k1', 'k2', 'k3')).toEqual(agreed);
  }, 300_000);

  it('are in a log that is restored from the files of a node, and in its snapshot, which new nodes begin with', async () => {
    await end('runner-c', 'SIGTERM');
    for (const role of cluster.roles.filter(({ isRunning }) => isRunning)) await role.kill('SIGTERM');
    await wipe(Object.values(topicsOf(cluster.clusterId)).map(({ name }: { readonly name: string }) => name));
    const files = join(cluster.path('store'), 'coordinator-1');
    expect(await cluster.cli('restore', '--from', files, '--yes')).toMatchObject({ code: 0 });
    rmSync(cluster.path('store'), { recursive: true });
    for (const role of cluster.roles) if (role.id !== 'source-runner-1') role.start();
    put('keys', 'k1 k2 k3 k4');
    start('runner-d');
    await until('the gateway answers', async () => (await cluster.request('GET', '/').catch(() => undefined))?.status === 200, PATIENCE_MS);
    await splitAgain();
    const restored = await untilAgreed('k1', 'k2', 'k3', 'k4');
    expect(restored).toEqual({ ...agreed, k4: expect.stringMatching(/^k4 by runner-d in call \d+$/) });
  }, 300_000);

  const wipe = async (topics: readonly string[]): Promise<void> => {
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    const isThere = async (topic: string): Promise<boolean> => {
      try {
        await client.routes.refresh(topic);
        return true;
      } catch (error) {
        if (error instanceof TopicNotFoundError) return false;
        throw error;
      }
    };
    try {
      for (const topic of topics) await client.admin.deleteTopic(topic);
      await until('the topics are gone', async () => !(await Promise.all(topics.map(isThere))).includes(true));
    } finally {
      await client.close();
    }
  };
});
