import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RocketMqClient } from '@sluice/rocketmq';
import { BatchTopic, bodiesBetween } from './inner-batches.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
/** The most that a broker stores as one record. */
const LARGEST = 32_767;

describe('a reader of a topic of inner batches', () => {
  const name = `it-batches-${Date.now()}-${process.pid}`;
  let client: RocketMqClient;
  let topic: BatchTopic;

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: NAMESRV, requestTimeoutMs: 10_000 });
    topic = await BatchTopic.create(client, name);
    await client.admin.createGroup({ group: name });
    for (let batch = 0; batch < 4; batch += 1) await topic.send(1_000);
    for (let batch = 0; batch < 4; batch += 1) await topic.send(100, true);
    await client.producer.send(topic.queue, { body: Buffer.from(`message ${topic.end++}`) });
    for (const size of [700, 3, 900]) await topic.send(size);
    await topic.send(LARGEST);
    await topic.send(LARGEST, true);
    await topic.untilStored();
  });

  afterAll(async () => {
    topic.close();
    await client.admin.deleteTopic(name);
    await client.admin.deleteGroup(name);
    await client.close();
  });

  it.each([0, 437, 1_000, 3_999, 4_050, 4_399, 4_400, 4_401, 5_500, 6_004 + 32_000, 6_004 + 2 * 32_000])(
    'gives every message from offset %i on, once and in order',
    async (from) => {
      const to = Math.min(from + 6_000, topic.end);
      const reader = client.consumer.readQueue(topic.queue, { from, group: name });
      const bodies: string[] = [];
      while (reader.position < to) {
        for (const { queueOffset, body } of await reader.nextMessages()) {
          if (queueOffset !== from + bodies.length) throw new Error(`offset ${queueOffset} after ${bodies.length} messages from ${from}`);
          bodies.push(body.toString());
        }
      }
      reader.close();
      expect(bodies.slice(0, to - from)).toEqual(bodiesBetween(from, to));
    },
  );

  it('reads batches within its limit of bytes, and says which batch is larger', async () => {
    const narrow = client.consumer.readQueue(topic.queue, { from: topic.end - 1, group: name, maxBodyBytes: 100_000 });
    await expect(narrow.nextMessages()).rejects.toMatchObject({ code: 'MESSAGE_UNREADABLE', queueOffset: topic.end - LARGEST });
    narrow.close();
  });
});
