import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import {
  BatchEncoder,
  encodeProperties,
  logicalMessages,
  RocketMqClient,
  SYS_FLAG,
  writableQueues,
  type LogicalMessage,
  type QueueRef,
} from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const hasZstd = 'zstdCompressSync' in zlib;

describe('compressed bodies and inner batches on a real broker', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-compression-${run}`;
  const batchTopic = `it-compression-bcq-${run}`;
  const group = `it-compression-group-${run}`;
  const text = 'text '.repeat(2_000);
  let client: RocketMqClient;
  let queue: QueueRef;

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: NAMESRV });
    await client.admin.createGroup({ group });
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    [queue] = writableQueues(await client.routes.get(topic)) as [QueueRef];
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.admin.deleteTopic(batchTopic);
    await client.admin.deleteGroup(group);
    await client.close();
  });

  async function read(from: QueueRef, offset: number, count: number): Promise<LogicalMessage[]> {
    const reader = client.consumer.readQueue(from, { from: offset, group });
    const messages: LogicalMessage[] = [];
    try {
      await until(`${count} messages`, async () => {
        messages.push(...(await reader.nextMessages({ timeoutMs: 300 })));
        return messages.length >= count;
      });
    } finally {
      reader.close();
    }
    return messages;
  }

  it.each(hasZstd ? (['zlib', 'zstd'] as const) : (['zlib'] as const))(
    'are stored in %s, each in its place among plain ones, and read as they were sent',
    async (type) => {
      const producer = client.topicProducer(topic, { compression: { type, overBytes: 1_000 } });
      const noise = Buffer.from(Array.from({ length: 2_000 }, (_, at) => (at * 7_919) % 251));
      const bodies = [Buffer.from('short'), Buffer.from(text), noise, Buffer.from('short again')];
      const stored = await Promise.all(bodies.map((body) => producer.send({ body, queue, tag: 't' })));
      await producer.close();
      const first = stored[0]!.offset!;
      expect(stored.map((at) => at.offset)).toEqual([first, first + 1, first + 2, first + 3]);
      const messages = await read(queue, first, 4);
      expect(messages.map((message) => message.body.equals(bodies[message.queueOffset - first]!))).toEqual(bodies.map(() => true));
      const [long] = (await client.consumer.pull({ queue, offset: first + 1, group, maxMessages: 1 })).messages;
      const typeBits = type === 'zlib' ? SYS_FLAG.COMPRESSION_ZLIB : SYS_FLAG.COMPRESSION_ZSTD;
      expect(long!.sysFlag & (SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_TYPE_MASK)).toBe(SYS_FLAG.COMPRESSED | typeBits);
      expect(long!.bodyBytes).toBeLessThan(500);
    },
  );

  it('in every type of RocketMQ are read on this version of Node', async () => {
    interface Golden {
      readonly type: 'LZ4' | 'ZSTD' | 'ZLIB';
      readonly plainSha256: string;
      readonly compressed: string;
    }
    const file = new URL('../../../libs/rocketmq/src/wire/wire-bytes.golden.json', import.meta.url);
    const { bodies } = JSON.parse(readFileSync(file, 'utf8')) as { readonly bodies: readonly Golden[] };
    const types = { LZ4: 'COMPRESSION_LZ4', ZSTD: 'COMPRESSION_ZSTD', ZLIB: 'COMPRESSION_ZLIB' } as const;
    const offsets: number[] = [];
    for (const { type, compressed } of bodies) {
      const sysFlag = SYS_FLAG.COMPRESSED | SYS_FLAG[types[type]];
      const message = { body: Buffer.from(compressed, 'base64'), properties: '', sysFlag };
      offsets.push((await client.producer.sendEncoded(queue, message)).firstOffset);
    }
    const messages = await read(queue, offsets[0]!, bodies.length);
    expect(messages.map(({ body }) => createHash('sha256').update(body).digest('hex'))).toEqual(
      bodies.map(({ plainSha256 }) => plainSha256),
    );
  });

  it('that cannot be read are errors that say where, and do not stop the reader', async () => {
    const sysFlag = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
    const broken = { body: Buffer.from('not zlib'), properties: 'TAGS\u0001x', sysFlag };
    const { firstOffset } = await client.producer.sendEncoded(queue, broken);
    await client.producer.send(queue, { body: Buffer.from('next') });
    const [bad, next] = await read(queue, firstOffset, 2);
    expect(bad!.property('TAGS')).toBe('x');
    expect(() => bad!.body).toThrow(`offset ${firstOffset} of ${topic}/0`);
    expect(next!.body.toString()).toBe('next');
  });

  it('of batch queues are unwrapped, also from the middle of a batch', async () => {
    await client.admin.createTopic({
      topic: batchTopic,
      readQueues: 1,
      writeQueues: 1,
      attributes: { 'queue.type': 'BatchCQ' },
    });
    const [batchQueue] = writableQueues(await client.routes.refresh(batchTopic)) as [QueueRef];
    for (let batch = 0; batch < 6; batch += 1) {
      const encoder = new BatchEncoder();
      for (let index = 0; index < 10; index += 1) {
        encoder.add(Buffer.from(`b${batch * 10 + index}`), encodeProperties([['n', String(index)]]));
      }
      // As brokers store a batch of Java's producer: one message that takes ten offsets.
      await client.producer.sendEncoded(batchQueue, {
        body: Buffer.from(encoder.finish().bytes),
        properties: encodeProperties([['INNER_NUM', '10']]),
        sysFlag: SYS_FLAG.NEED_UNWRAP | SYS_FLAG.INNER_BATCH,
      });
    }
    for (const from of [0, 7, 10, 59]) {
      const messages = await read(batchQueue, from, 60 - from);
      expect(messages.map((message) => message.queueOffset)).toEqual(Array.from({ length: 60 - from }, (_, index) => from + index));
      expect(messages.every((message) => message.body.toString() === `b${message.queueOffset}`)).toBe(true);
    }
    const stored = (await client.consumer.pull({ queue: batchQueue, offset: 25, group })).messages;
    expect(stored[0]!.queueOffset).toBe(20);
    expect(logicalMessages(stored, 25)[0]).toMatchObject({ queueOffset: 25, topic: batchTopic });
  });
});
