import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrokerHandle, RunningCluster } from '@sluice/embedded-rocketmq';
import { RocketMqOffsetStore, RocketMqQueueMessages } from '@sluice/runner';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const topic = 'lines';
const group = 'growing-out';

/** What a sink does of whose topic is created on a second broker, which does not run before. */
export function describeGrowingTopic(rocketmq: () => RunningCluster): void {
  describe('a topic that grows onto another broker while a sink reads it', () => {
    let client: RocketMqClient;
    let second: BrokerHandle;
    let offsets: RocketMqOffsetStore;
    let messages: RocketMqQueueMessages;
    const { signal } = new AbortController();

    beforeAll(async () => {
      second = rocketmq().brokers[1]!;
      if (await second.isRunning()) await second.stop();
      client = RocketMqClient.open({ namesrv: rocketmq().namesrv, requestTimeoutMs: 10_000 });
      await until('only the first broker is known', async () => (await client.admin.clusterInfo()).brokers.length === 1);
      offsets = new RocketMqOffsetStore(client);
      messages = new RocketMqQueueMessages(client, 'growing-reader');
    }, 300_000);
    afterAll(() => client.close());

    /** Sends, reads and commits one message of a queue, as a sink does. */
    async function pass(queue: QueueRef): Promise<void> {
      await client.producer.send(queue, { body: Buffer.from(queue.brokerName) });
      const reader = messages.read(queue, 0, signal);
      try {
        const [message] = await reader.next();
        expect(message?.body.toString()).toBe(queue.brokerName);
      } finally {
        reader.close();
      }
      expect(await offsets.commit(group, [{ queue, nextOffset: 1 }])).toEqual([]);
      expect(await offsets.read(group, queue)).toBe(1);
    }

    it('finds its queues there within seconds, and reads and commits there though that broker knows none of its groups', async () => {
      await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      const [queue] = await messages.queues(topic);
      await pass(queue!);
      await second.start();
      await until('the second broker is known', async () => (await client.admin.clusterInfo()).brokers.length === 2);
      await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      const grownAt = performance.now();
      const grown = await until('the new queue is found', async () => {
        const queues = await messages.queues(topic);
        return queues.length === 2 && queues;
      });
      // A route stays in the client's cache for 30 s.
      expect(performance.now() - grownAt).toBeLessThan(20_000);
      await pass(grown[1]!);
    }, 300_000);

    it('continues when somebody deletes its groups', async () => {
      const [queue] = await messages.queues(topic);
      await client.admin.deleteGroup(group);
      await client.admin.deleteGroup('growing-reader');
      await client.producer.send(queue!, { body: Buffer.from('later') });
      const reader = messages.read(queue!, 1, signal);
      const [message] = await reader.next();
      reader.close();
      expect(message?.body.toString()).toBe('later');
      expect(await offsets.commit(group, [{ queue: queue!, nextOffset: 2 }])).toEqual([]);
      expect(await offsets.read(group, queue!)).toBe(2);
    }, 120_000);
  });
}
