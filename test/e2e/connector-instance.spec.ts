import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { SupportRunner } from '../support/support-runner.js';

const WATCHING_RUNNER = new URL('../dist/support/watching-source-runner.js', import.meta.url);

interface Status {
  readonly connector: { readonly state: string; readonly trace?: string; readonly worker_id: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly generation?: number }[];
}

interface Call {
  readonly call: string;
  readonly generation: number;
  readonly tables: string;
}

describe("a connector's instance", () => {
  let cluster: SluiceCluster;
  const runners: SupportRunner[] = [];

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    expect(await cluster.role('source-runner-1').kill('SIGTERM')).toBe(0);
  }, 300_000);
  afterAll(async () => {
    for (const runner of runners) runner.kill('SIGKILL');
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  /** Creates a connector with a folder of its own, which a new runner watches. */
  const watched = async (name: string, threads: string): Promise<Watched> => {
    const folder = cluster.path(name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'tasks'), '1');
    const runner = new SupportRunner(cluster, WATCHING_RUNNER, `${name}-runner`, {
      SLUICE_TASK_THREADS: threads,
      SLUICE_LABELS: `for=${name}`,
    });
    runners.push(runner);
    await runner.create(name, { 'connector.class': 'WatchingSource', folder, tables: 'a', 'tasks.max': '2', 'placement.for': name });
    return new Watched(cluster, name, folder, runner);
  };

  it.each(['1', '2'])(
    'runs beside its first task, with %s thread(s), and ends with it',
    async (threads) => {
      const connector = await watched(`watch${threads}`, threads);
      const first = await connector.untilLast('start', 'a');
      await connector.untilStatus('runs', ({ connector: { state } }) => state === 'RUNNING');

      connector.put('tasks', '2');
      connector.put('reconfigure', '');
      await connector.untilStatus('has two tasks', ({ tasks }) => tasks.length === 2 && tasks.every(({ state }) => state === 'RUNNING'));
      expect(connector.calls.at(-1)).toEqual(first);

      connector.put('raise', '');
      const failed = await connector.untilStatus('has failed', ({ connector: { state } }) => state === 'FAILED');
      expect(failed.connector.trace).toContain('the folder is gone');
      expect(failed.tasks).toMatchObject([{ state: 'RUNNING' }, { state: 'RUNNING' }]);
      await connector.untilLast('stop', 'a');

      expect(await cluster.request('POST', `/connectors/${connector.name}/restart`)).toMatchObject({ status: 204 });
      const second = await connector.untilLast('start', 'a');
      expect(second.generation).toBeGreaterThan(first.generation);
      const restarted = await connector.untilStatus('runs again', ({ connector: { state } }) => state === 'RUNNING');
      expect(restarted.connector).not.toHaveProperty('trace');

      const [before] = (await connector.untilStatus('runs', ({ tasks }) => tasks.every(({ state }) => state === 'RUNNING'))).tasks.slice(1);
      expect(await cluster.request('PATCH', `/connectors/${connector.name}/config`, { tables: 'b' })).toMatchObject({ status: 200 });
      const third = await connector.untilLast('start', 'b');
      expect(third.generation).toBeGreaterThan(second.generation);
      const [after] = (await connector.untilStatus('runs', ({ tasks }) => tasks.every(({ state }) => state === 'RUNNING'))).tasks.slice(1);
      expect(after?.generation).toBe(before?.generation);

      expect((await cluster.request('PUT', `/connectors/${connector.name}/pause`)).status).toBe(202);
      await connector.untilStatus('is paused', ({ tasks }) => tasks.every(({ state }) => state === 'PAUSED'));
      expect(connector.calls.at(-1)).toMatchObject({ call: 'stop', tables: 'b' });
      expect((await cluster.request('PUT', `/connectors/${connector.name}/resume`)).status).toBe(202);
      await connector.untilLast('start', 'b');

      expect((await cluster.request('DELETE', `/connectors/${connector.name}`)).status).toBe(204);
      await connector.untilLast('stop', 'b');
      // A lease that lapses on a busy machine may add a stop and a start; there is one instance at a time all the same.
      const { calls } = connector;
      expect(calls.map(({ call }) => call)).toEqual(calls.map((_, index) => (index % 2 === 0 ? 'start' : 'stop')));
      for (const [index, { generation }] of calls.entries()) {
        expect(generation).toBeGreaterThanOrEqual(calls[index - 1]?.generation ?? 0);
      }
    },
    300_000,
  );
});

/** What specs see of a connector, and tell it. */
class Watched {
  constructor(
    private readonly cluster: SluiceCluster,
    readonly name: string,
    private readonly folder: string,
    private readonly runner: SupportRunner,
  ) {}

  get calls(): readonly Call[] {
    const path = join(this.folder, 'calls');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return lines
      .map((line) => line.split(' '))
      .map(([call = '', generation, tables = '']) => ({ call, generation: Number(generation), tables }));
  }

  put(file: string, text: string): void {
    writeFileSync(join(this.folder, file), text);
  }

  /** Waits until this is the last call. */
  async untilLast(call: Call['call'], tables: string): Promise<Call> {
    return until(
      `the last call is ${call} ${tables}`,
      () => {
        const last = this.calls.at(-1);
        return Promise.resolve(last?.call === call && last.tables === tables ? last : undefined);
      },
      120_000,
      () => `${JSON.stringify(this.calls)}\n${this.runner.log.slice(-4000)}`,
    );
  }

  async untilStatus(what: string, condition: (status: Status) => boolean): Promise<Status> {
    let last: unknown;
    return until(
      `${this.name} ${what}`,
      async () => {
        const { body, status } = await this.cluster.request('GET', `/connectors/${this.name}/status`);
        last = body;
        return status === 200 && condition(body as Status) ? (body as Status) : undefined;
      },
      120_000,
      () => `${JSON.stringify(last)}\n${this.runner.log.slice(-4000)}`,
    );
  }
}
