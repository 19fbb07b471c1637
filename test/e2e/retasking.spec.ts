import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RocketMqClient } from '@sluice/rocketmq';
import { SluiceCluster, until } from '../support/sluice-cluster.js';
import { cleanVerdict, VerifiedFlow } from '../support/verified-flow.js';

interface StatusAnswer {
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string }[];
}

describe('a connector whose partitions or queues move between its tasks', () => {
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
        // A busy machine may be done with the records of a task before it starts another one.
        return tasks.length === count && tasks.every(({ state }) => state === 'RUNNING' || state === 'COMPLETED') ? tasks : undefined;
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

  it('has every record arrive once when topics come and queues of a sink move to tasks with fewer', async () => {
    const ofPartitions = [4000, 4000, 4000, 4000];
    const { brokerName } = cluster.rocketmq;
    const added = topicsOfFirstTask(cluster.topic('spread-'), brokerName, 4);
    const flow = await VerifiedFlow.start(
      cluster,
      { name: 'spread', seed: 5, ofPartitions },
      { rate: '500', 'topic.creation.default.partitions': '4' },
      { 'tasks.max': '4', topics: [cluster.topic('spread'), ...added].join(',') },
    );
    await untilRunning('spread-out', 4);
    await flow.until(flow.records * 0.05);
    const moved = async (): Promise<readonly (Moved | undefined)[]> => {
      const { body } = await cluster.request('GET', '/connectors/spread-out/tasks');
      return (body as { config: Record<string, string> }[]).map(({ config }) => {
        const text = config['sluice.task.moved'];
        return text === undefined ? undefined : (JSON.parse(text) as Moved);
      });
    };
    expect(await moved()).toEqual([undefined, undefined, undefined, undefined]);
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    try {
      for (const topic of added) await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    } finally {
      await client.close();
    }
    // The first task has 5 of 8 queues. It keeps two, and its queue of the flow is among those that move.
    const after = await until('the queues are divided again', async () => {
      const all = await moved();
      return all.some((each) => each !== undefined) ? all : undefined;
    });
    expect(after.map((each) => [each?.taken.length, each?.given.length])).toEqual([
      [0, 3],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(after.flatMap((each) => each?.taken ?? []).some((queue) => queue.startsWith(`${cluster.topic('spread')}@`))).toBe(true);
    expect((await flow.verdict()).records).toBeLessThan(flow.records);
    await untilRunning('spread-out', 4);
    expect(await flow.until(flow.records)).toMatchObject(cleanVerdict(flow));
  }, 300_000);
});

interface Moved {
  readonly taken: readonly string[];
  readonly given: readonly string[];
}

/** Names of topics whose one queue is the first of four tasks'. */
function topicsOfFirstTask(prefix: string, brokerName: string, count: number): readonly string[] {
  const names = Array.from({ length: 100 }, (_, n) => `${prefix}${n}`);
  const hash = (topic: string): number => createHash('sha256').update(`${topic}@${brokerName}`).digest().readUInt32BE(0);
  return names.filter((topic) => hash(topic) % 4 === 0).slice(0, count);
}
