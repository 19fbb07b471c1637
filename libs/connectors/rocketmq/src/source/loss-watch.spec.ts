import { describe, expect, it } from '@jest/globals';
import { type RocketMqClient, TopicNotFoundError, type TopicRoute } from '@sluice/rocketmq';
import type { QueueRef } from '@sluice/sdk';
import { LossWatch } from './loss-watch.js';

const queue = (brokerName: string, queueId: number): QueueRef => ({ topic: 't', brokerName, queueId });

/** What name servers say: brokers at each question, and how many queues of the topic each broker has. */
function clientOf(
  brokers: readonly (readonly string[])[],
  queues: Readonly<Record<string, number>> | undefined,
  routesOf: string[] = [],
): RocketMqClient {
  let asked = 0;
  const admin = {
    clusterInfo: () => {
      const names = brokers[Math.min(asked++, brokers.length - 1)] ?? [];
      return Promise.resolve({ brokers: names.map((brokerName) => ({ brokerName, masterAddress: 'a:1' })) });
    },
    topicRoute: (topic: string): Promise<TopicRoute> => {
      routesOf.push(topic);
      if (queues === undefined) return Promise.reject(new TopicNotFoundError(topic));
      // Not readable for now: that is no loss.
      const found = Object.entries(queues).map(([brokerName, readQueues]) => ({ brokerName, readQueues, isReadable: false }));
      return Promise.resolve({ topic, brokers: found } as unknown as TopicRoute);
    },
  };
  return { admin } as unknown as RocketMqClient;
}

const watching = (client: RocketMqClient, known: readonly QueueRef[]): LossWatch =>
  new LossWatch(client, known, new AbortController().signal);

describe('LossWatch', () => {
  const known = [queue('a', 0), queue('a', 1), queue('b', 0)];

  it('finds a queue that its broker has no more, and not those that are there', async () => {
    const watch = watching(clientOf([['a', 'b']], { a: 1, b: 1 }), known);
    expect(await watch.lossOf(queue('a', 1))).toMatchObject({ kind: 'fewer-queues', brokerName: 'a', queueIds: [1] });
    expect(await watch.lossOf(queue('a', 0))).toBeUndefined();
    expect(await watch.lossOf(queue('b', 0))).toBeUndefined();
  });

  it('finds a topic that is gone, or that other brokers have', async () => {
    expect(await watching(clientOf([['a', 'b']], undefined), known).lossOf(queue('b', 0))).toMatchObject({ kind: 'topic-gone' });
    expect(await watching(clientOf([['a', 'b', 'c']], { c: 1 }), known).lossOf(queue('b', 0))).toMatchObject({ kind: 'other-brokers' });
  });

  it('finds none where a broker is unavailable, or comes or goes meanwhile, or nobody answers', async () => {
    expect(await watching(clientOf([['a']], { a: 2 }), known).lossOf(queue('b', 0))).toBeUndefined();
    expect(await watching(clientOf([['a', 'b'], ['a']], { a: 2 }), known).lossOf(queue('b', 0))).toBeUndefined();
    expect(await watching(clientOf([['a'], ['a', 'b']], { a: 2 }), known).lossOf(queue('b', 0))).toBeUndefined();
    const silent = { admin: { clusterInfo: () => Promise.reject(new Error('no answer')) } } as unknown as RocketMqClient;
    expect(await watching(silent, known).lossOf(queue('b', 0))).toBeUndefined();
  });

  it('asks once for all queues of a topic', async () => {
    const asked: string[] = [];
    const watch = watching(clientOf([['a', 'b']], { a: 1, b: 1 }, asked), known);
    await Promise.all(known.map((each) => watch.lossOf(each)));
    expect(asked).toEqual(['t']);
  });
});
