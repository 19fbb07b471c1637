import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { cleanVerdict, VerifiedFlow } from '../support/verified-flow.js';

interface StatusAnswer {
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string }[];
}

describe('a source whose partitions move between its tasks', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    cluster.add('source-runner', 'source-runner-2').start();
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const setTasks = async (connector: string, count: number): Promise<void> => {
    const answer = await cluster.request('PATCH', `/connectors/${connector}/config`, { 'tasks.max': String(count) });
    expect(answer).toMatchObject({ status: 200 });
  };

  const untilRunning = async (connector: string, count: number): Promise<StatusAnswer['tasks']> => {
    let last = '';
    return until(
      `${count} tasks of ${connector} run`,
      async () => {
        const { body } = await cluster.request('GET', `/connectors/${connector}/status`);
        last = JSON.stringify(body);
        const { tasks } = body as StatusAnswer;
        return tasks.length === count && tasks.every(({ state }) => state === 'RUNNING') ? tasks : undefined;
      },
      180_000,
      () => last,
    );
  };

  it('has every record arrive once: 6 partitions in 1, then 3, then 2 tasks, a runner killed at each change', async () => {
    const ofPartitions = [6000, 6000, 6000, 6000, 6000, 6000];
    const flow = await VerifiedFlow.start(
      cluster,
      { name: 'moved', seed: 3, ofPartitions },
      { rate: '800', 'tasks.max': '1', 'offset.flush.interval.ms': '2000' },
    );
    for (const [before, after] of [
      [1, 3],
      [3, 2],
    ] as const) {
      const tasks = await untilRunning('moved-in', before);
      const { records } = await flow.until(flow.records * (before === 1 ? 0.1 : 0.5));
      expect(records).toBeLessThan(flow.records);
      await setTasks('moved-in', after);
      // It hardly has heard of it, and its positions lag behind what it sent: whoever gets its partitions examines the queues.
      const runner = cluster.role(tasks[0]?.worker_id.split(':')[0] ?? '');
      await runner.kill('SIGKILL');
      runner.start();
    }
    await untilRunning('moved-in', 2);
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
  }, 400_000);

  it('has every record arrive once when the tasks stop in good order', async () => {
    const ofPartitions = [3000, 3000, 3000, 3000, 3000, 3000];
    const flow = await VerifiedFlow.start(cluster, { name: 'changed', seed: 4, ofPartitions }, { rate: '1000', 'tasks.max': '1' });
    for (const [before, after] of [
      [1, 3],
      [3, 2],
      [2, 5],
    ] as const) {
      await untilRunning('changed-in', before);
      await flow.until(flow.records * 0.1 * before);
      await setTasks('changed-in', after);
    }
    await untilRunning('changed-in', 5);
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
  }, 300_000);
});
