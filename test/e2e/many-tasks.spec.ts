import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

interface StatusAnswer {
  readonly tasks: readonly { readonly state: string }[];
}

const connectors = Array.from({ length: 20 }, (_, n) => `many${String(n)}`);
const tasksEach = 50;
const count = connectors.length * tasksEach;
const timeoutMs = 400_000;

describe('a thousand tasks that come to one runner', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const started = (): readonly string[] =>
    cluster
      .role('source-runner-1')
      .log.split('\n')
      .flatMap((line) => /Starting (many\d+-\d+), generation \d+/.exec(line)?.[1] ?? []);

  const running = async (): Promise<number> => {
    let all = 0;
    for (const name of connectors) {
      const { tasks } = (await cluster.request('GET', `/connectors/${name}/status`)).body as StatusAnswer;
      all += tasks.filter(({ state }) => state === 'RUNNING').length;
    }
    return all;
  };

  const untilAllRun = async (): Promise<void> => {
    const said = (): string => cluster.role('source-runner-1').log.slice(-3_000);
    const runner = cluster.role('source-runner-1');
    const areStarted = (): boolean => runner.hasEndedByItself || started().length >= count;
    await until('all tasks are started', areStarted, timeoutMs, said);
    await until('all tasks run', async () => (await running()) === count, timeoutMs, said);
  };

  it('start once each, while the runner keeps its lease', async () => {
    const config = {
      'connector.class': 'DatagenSource',
      'tasks.max': String(tasksEach),
      topic: 'many',
      partitions: String(tasksEach),
      records: String(tasksEach),
    };
    for (const name of connectors) {
      expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
    }
    await untilAllRun();
    expect(new Set(started()).size).toBe(count);
    expect(started()).toHaveLength(count);
    // A machine that stands still takes the lease of every runner; starting tasks must not.
    const lapses = (id: string): number => cluster.role(id).log.split('No contact to the log').length - 1;
    expect(lapses('source-runner-1')).toBeLessThanOrEqual(lapses('sink-runner-1'));
    expect(cluster.roles.filter(({ hasEndedByItself }) => hasEndedByItself)).toEqual([]);
  }, 900_000);
});
