import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MEMBER_LEASE_MS } from '@sluice/core';
import { decodePosition, positionsQueueOf, readerGroupOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { processorWaitMs } from '../support/cpu-time.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';

interface StatusAnswer {
  readonly tasks: readonly { readonly state: string }[];
}

const count = 1_000;
const timeoutMs = 400_000;

describe('a thousand tasks that come to one runner', () => {
  let cluster: IsolatedCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.startIsolated();
  }, 300_000);
  afterAll(async () => {
    await (cluster as IsolatedCluster | undefined)?.close();
  }, 300_000);

  const runner = () => cluster.role('source-runner-1');

  /** The tasks of some connectors in the order of their starts. */
  const started = (prefix: string): readonly string[] =>
    runner()
      .log.split('\n')
      .flatMap((line) => /Starting (\S+-\d+), generation \d+/.exec(line)?.[1] ?? [])
      .filter((key) => key.startsWith(prefix));

  const running = async (connectors: readonly string[]): Promise<number> => {
    let all = 0;
    for (const name of connectors) {
      const { tasks } = (await cluster.request('GET', `/connectors/${name}/status`)).body as StatusAnswer;
      all += tasks.filter(({ state }) => state === 'RUNNING').length;
    }
    return all;
  };

  const untilAllRun = async (connectors: readonly string[], starts: number): Promise<void> => {
    const said = (): string => runner().log.slice(-3_000);
    const prefix = (connectors[0] ?? '').replace(/\d+$/, '');
    const areStarted = (): boolean => runner().hasEndedByItself || started(prefix).length >= starts;
    await until('all tasks are started', areStarted, timeoutMs, said);
    await until('all tasks run', async () => (await running(connectors)) === count, timeoutMs, said);
    expectLeaseKept();
    // What a runner loses with its lease, it starts again, once.
    const atMost = starts + count * lapses('source-runner-1');
    expect(started(prefix).length).toBeGreaterThanOrEqual(starts);
    expect(started(prefix).length).toBeLessThanOrEqual(atMost);
    expect(new Set(started(prefix)).size).toBe(count);
  };

  const create = async (name: string, tasks: number): Promise<void> => {
    const config = {
      'connector.class': 'DatagenSource',
      'tasks.max': String(tasks),
      topic: cluster.topic('many'),
      partitions: String(tasks),
      // Each sends one record, and none comes to its end.
      rate: '0.001',
    };
    expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
  };

  const lapses = (id: string): number => cluster.role(id).log.split('No contact to the log').length - 1;

  /**
   * A suspended machine ends the lease of every runner; starting tasks must not. On a busy machine the runner that works waits for a processor,
   * and the idle one does not. So it may lose its lease once for each time of a lease that it has waited.
   */
  const expectLeaseKept = (): void => {
    const ownLapses = Math.max(0, lapses('source-runner-1') - lapses('sink-runner-1'));
    expect(ownLapses * MEMBER_LEASE_MS).toBeLessThanOrEqual(processorWaitMs(runner().pid));
    expect(cluster.roles.filter(({ hasEndedByItself }) => hasEndedByItself)).toEqual([]);
  };

  /** Puts one question after the other to the runner; returns how many starts it had logged at its answers. */
  const startsAtAnswers = async (prefix: string, starts: number): Promise<ReadonlySet<number>> => {
    const { nodes } = (await cluster.request('GET', '/cluster')).body as {
      readonly nodes: readonly { readonly id: string; readonly http?: string }[];
    };
    const address = nodes.find(({ id }) => id === 'source-runner-1')?.http ?? '';
    const seen = new Set<number>();
    for (let done = 0; done < starts && !runner().hasEndedByItself; done = started(prefix).length) {
      await (await fetch(`http://${address}/health/live`, { signal: AbortSignal.timeout(60_000) })).text();
      seen.add(done);
    }
    return seen;
  };

  const barriersOf = async (connector: string): Promise<number> => {
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    try {
      const topics = topicsOf(cluster.clusterId);
      const queueId = positionsQueueOf(connector, topics);
      const queue = { topic: topics.positions.name, brokerName: cluster.rocketmq.brokerName, queueId };
      const end = await client.admin.maxOffset(queue);
      const reader = client.consumer.readQueue(queue, { from: 0, group: readerGroupOf(cluster.clusterId), ahead: 1 });
      let barriers = 0;
      try {
        for (let next = 0; next < end;) {
          for (const { queueOffset, body } of await reader.next()) {
            next = queueOffset + 1;
            const message = decodePosition(body);
            if (message.connector === connector && message.kind === 'barrier') barriers += 1;
          }
        }
      } finally {
        reader.close();
      }
      return barriers;
    } finally {
      await client.close();
    }
  };

  it('start once each, while the runner keeps its lease', async () => {
    const connectors = Array.from({ length: 20 }, (_, n) => `many${n}`);
    for (const name of connectors) await create(name, count / connectors.length);
    await untilAllRun(connectors, count);
  }, 900_000);

  it('start once each where one connector has them all; they share barriers, and the runner answers between the starts', async () => {
    await create('wide', count);
    await untilAllRun(['wide'], count);
    const starts = started('wide').length + count;
    expect((await cluster.request('POST', '/connectors/wide/restart?includeTasks=true')).status).toBe(202);
    const answers = await startsAtAnswers('wide', starts);
    await untilAllRun(['wide'], starts);
    // Started in one turn of its event loop, all would have come between two answers.
    expect(answers.size).toBeGreaterThan(20);
    // Without sharing, each of the starts writes a barrier of its own.
    expect(await barriersOf('wide')).toBeLessThan(0.75 * started('wide').length);
  }, 900_000);
});
