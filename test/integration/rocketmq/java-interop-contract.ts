import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFAULT_ROCKETMQ_VERSION } from '@sluice/embedded-rocketmq';
import {
  BatchEncoder,
  encodeProperties,
  RocketMqClient,
  type StoredMessage,
  SYS_FLAG,
  writableQueues,
  type HeaderFormat,
  type QueueRef,
} from '@sluice/rocketmq';
import { type BrokerUnderTest, featuresOf } from './broker-features.js';
import { JavaPeer } from './java-peer.js';

const FORMATS: readonly HeaderFormat[] = ['json', 'rocketmq'];
const TYPES = {
  ZLIB: SYS_FLAG.COMPRESSION_ZLIB,
  LZ4: SYS_FLAG.COMPRESSION_LZ4,
  ZSTD: SYS_FLAG.COMPRESSION_ZSTD,
} as const;
const REQUEST_TIMEOUT_MS = 20_000;
/** In a line of what Java has read of stored messages. */
const SYS_FLAG_PLACE = 5;
/** Java's client takes the first bit away as it decompresses, since 5.0. */
const withoutBit = (sysFlag: number): string => String(sysFlag & ~SYS_FLAG.COMPRESSED);
const LIMIT_MS = 180_000;
/** As JavaPeer makes it. */
const body = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at % 251) ^ (at >> 10)));

/** RocketMQ's Java client of the broker's version and ours read what the other sends. */
export function describeJavaInterop({ version, namesrv }: BrokerUnderTest): void {
  describe(`the Java client of RocketMQ ${version} at the other end`, () => {
    const { hasTopicAttributes } = featuresOf(version);
    const run = `${Date.now()}-${process.pid}`;
    const topic = `it-java-${run}`;
    const batchTopic = `it-java-batch-${run}`;
    const group = `it-java-${run}`;
    const clients = new Map<HeaderFormat, RocketMqClient>();
    let java: JavaPeer;

    function client(format: HeaderFormat): RocketMqClient {
      return clients.get(format)!;
    }

    function propertiesOf(key: string): [string, string][] {
      return [
        ['KEYS', key],
        ['TAGS', `tag-${key}`],
        ['from', `ours-${key}`],
      ];
    }

    async function queueOf(name: string): Promise<QueueRef> {
      return writableQueues(await client('json').routes.get(name))[0]!;
    }

    async function pullAt(format: HeaderFormat, queue: QueueRef, offset: number): Promise<StoredMessage> {
      const { messages } = await client(format).consumer.pull({ queue, offset, group, suspendMs: 15_000 });
      return messages[0]!;
    }

    function addressOf(queue: QueueRef): [string, string, string, number] {
      return [namesrv(), queue.topic, queue.brokerName, queue.queueId];
    }

    beforeAll(async () => {
      java = await JavaPeer.open(version);
      for (const headerFormat of FORMATS) {
        clients.set(
          headerFormat,
          RocketMqClient.open({
            namesrv: namesrv(),
            requestTimeoutMs: REQUEST_TIMEOUT_MS,
            headerFormat,
            compressOverBytes: 1_000,
          }),
        );
      }
      const { admin } = client('rocketmq');
      await admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      if (hasTopicAttributes) {
        const attributes = { 'queue.type': 'BatchCQ' };
        await admin.createTopic({ topic: batchTopic, readQueues: 1, writeQueues: 1, attributes });
      }
      await admin.createGroup({ group });
    }, LIMIT_MS);

    afterAll(async () => {
      const { admin } = client('rocketmq');
      await admin.deleteTopic(topic);
      await admin.deleteTopic(batchTopic);
      await admin.deleteGroup(group);
      for (const each of clients.values()) await each.close();
      await java.close();
    });

    it('compresses with ZLIB, LZ4 and ZSTD what we read', async () => {
      const queue = await queueOf(topic);
      const sent = await java.run('send', ...addressOf(queue), 'ZLIB,LZ4,ZSTD');
      expect(sent.map(([type]) => type)).toEqual(['ZLIB', 'LZ4', 'ZSTD']);
      for (const [type, offset] of sent) {
        for (const format of FORMATS) {
          const message = await pullAt(format, queue, Number(offset));
          expect(message).toMatchObject({ isCompressed: true, keys: type, queueOffset: Number(offset) });
          expect(message.sysFlag & SYS_FLAG.COMPRESSION_TYPE_MASK).toBe(TYPES[type as keyof typeof TYPES]);
          expect(message.bodyBytes).toBeLessThan(body.length);
          expect(message.decompressedBody().equals(body)).toBe(true);
          expect(message.property('TAGS')).toBe(`tag-${type}`);
          expect(message.property('from')).toBe(`java ${type}`);
        }
      }
    });

    it('reads what we send, compressed or not, in both header formats', async () => {
      const queue = await queueOf(topic);
      const first = await client('json').admin.maxOffset(queue);
      for (const format of FORMATS) {
        const { producer } = client(format);
        await producer.send(queue, { body, properties: propertiesOf(`${format}-long`) });
        await producer.send(queue, { body: Buffer.from('short'), properties: propertiesOf(`${format}-short`) });
        const encoder = new BatchEncoder();
        encoder.add(Buffer.from('in a batch'), encodeProperties(propertiesOf(`${format}-batch`)));
        await producer.sendBatch(queue, encoder.finish());
      }
      expect(await pullAt('rocketmq', queue, first)).toMatchObject({
        sysFlag: SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB,
      });
      const read = await java.run('read', ...addressOf(queue), first, 6, group);
      const line = (index: number, bytes: Buffer, key: string): string[] => [
        String(first + index),
        String(bytes.length),
        String(crc32(bytes)),
        bytes.toString('hex', 0, 8),
        key,
        `tag-${key}`,
        `ours-${key}`,
      ];
      expect(read).toEqual(
        FORMATS.flatMap((format, turn) => [
          line(turn * 3, body, `${format}-long`),
          line(turn * 3 + 1, Buffer.from('short'), `${format}-short`),
          line(turn * 3 + 2, Buffer.from('in a batch'), `${format}-batch`),
        ]),
      );
    });

    it(
      'reads batches that we send with bodies as they are stored, and the flag and time of each message',
      async () => {
        const queue = await queueOf(topic);
        const sent = await java.run('send', ...addressOf(queue), 'ZLIB,LZ4,ZSTD');
        const first = await client('json').admin.maxOffset(queue);
        // Neither bytes that are no UTF-8 nor control characters may change.
        const block = Buffer.from('KEYS\u0001plain\u0002k\u0001\u00ff\u00fe\u0003\n\u0000\u0002', 'latin1');
        const batches: { body: Buffer; block: Buffer; keys: string; sysFlag: number }[] = [];
        batches.push({ body: Buffer.from('not compressed'), block, keys: 'plain', sysFlag: 0 });
        for (const [type = '', offset] of sent) {
          const { body: stored, rawProperties, sysFlag } = await pullAt('json', queue, Number(offset));
          batches.push({ body: stored, block: rawProperties, keys: type, sysFlag });
        }
        const lines: string[][] = [];
        for (const [n, { body: stored, block: properties, keys, sysFlag }] of batches.entries()) {
          const encoder = new BatchEncoder();
          const bornAt = 1_600_000_000_000 + n;
          for (const flag of [0, -n - 1, 0x7fff_ffff]) {
            encoder.add(stored, properties, flag);
            const given = sysFlag === 0 ? stored : body;
            const offset = String(first + n * 3 + encoder.count - 1);
            lines.push([offset, String(given.length), String(crc32(given)), keys, String(flag), withoutBit(sysFlag), String(bornAt)]);
          }
          await client('rocketmq').producer.sendBatch(queue, encoder.finish({ sysFlag, bornAt }));
        }
        const read = await java.run('readStored', ...addressOf(queue), first, lines.length, group);
        expect(read.map((line) => line.with(SYS_FLAG_PLACE, withoutBit(Number(line[SYS_FLAG_PLACE]))))).toEqual(lines);
        for (const [n, { body: stored, block: properties, sysFlag }] of batches.entries()) {
          const message = await pullAt('rocketmq', queue, first + n * 3);
          expect(message.body.equals(stored)).toBe(true);
          expect(message.rawProperties.subarray(0, properties.length).equals(properties)).toBe(true);
          expect(message.sysFlag).toBe(sysFlag);
        }
      },
      LIMIT_MS,
    );

    it(
      'delays messages that we read, and reads those that we delay',
      async () => {
        const queue = await queueOf(topic);
        const first = await client('json').admin.maxOffset(queue);
        await java.run('sendDelayed', ...addressOf(queue), 1);
        const fromJava = await pullAt('json', queue, first);
        expect(fromJava.body.toString()).toBe('delayed by Java');
        expect(fromJava.keys).toBe('delayed');
        expect(fromJava.storeTimestamp - fromJava.bornTimestamp).toBeGreaterThanOrEqual(900);

        const producer = client('json').topicProducer(topic);
        await producer.send({
          body: Buffer.from('delayed by us'),
          keys: 'ours',
          tag: 'tag-ours',
          queue,
          delayLevel: 1,
        });
        const ours = await pullAt('json', queue, first + 1);
        expect(ours.storeTimestamp - ours.bornTimestamp).toBeGreaterThanOrEqual(900);
        const [read] = await java.run('read', ...addressOf(queue), first + 1, 1, group);
        const start = Buffer.from('delayed ').toString('hex');
        expect(read).toMatchObject([String(first + 1), '13', String(crc32(ours.body)), start, 'ours', 'tag-ours', 'null']);
        await producer.close();
      },
      LIMIT_MS,
    );

    it(
      'finds the offsets that we commit, and we those that it commits',
      async () => {
        const queue = await queueOf(topic);
        const { admin } = client('json');
        await admin.updateOffset(group, queue, 2);
        expect(await java.run('moveOffset', ...addressOf(queue), 3, group)).toEqual([['OFFSET', '2']]);
        expect(await admin.queryOffset(group, queue)).toBe(3);
      },
      LIMIT_MS,
    );

    // The load generators come with the jars of the newest version only.
    if (version === DEFAULT_ROCKETMQ_VERSION) {
      it(
        "compresses with RocketMQ's own load generator what we read",
        async () => {
          const queue = await queueOf(topic);
          const first = await client('json').admin.maxOffset(queue);
          const options = ['-n', namesrv(), '-t', topic, '-w', 1, '-s', 2_000, '-q', 3, '-k', 'true', '-c', 'true', '-ch', 100];
          let offset = first;
          for (const type of Object.keys(TYPES)) {
            await java.runExample('benchmark.Producer', ...options, '-ct', type);
            for (const end = offset + 3; offset < end; offset += 1) {
              const message = await pullAt('rocketmq', queue, offset);
              expect(message.sysFlag & SYS_FLAG.COMPRESSION_TYPE_MASK).toBe(TYPES[type as keyof typeof TYPES]);
              expect(message.decompressedBody()).toHaveLength(2_000);
              expect(message.keys).not.toBe('');
            }
          }
        },
        LIMIT_MS,
      );
    }

    // Where topics have no attributes there are no such queues either: describeClient has the refusal.
    if (hasTopicAttributes) {
      it('sends batches to a BatchCQ topic that we unwrap', async () => {
        const queue = await queueOf(batchTopic);
        await java.run('sendBatch', ...addressOf(queue), 3);
        await java.run('sendBatch', ...addressOf(queue), 2);
        expect(await client('json').admin.maxOffset(queue)).toBe(5);
        for (const format of FORMATS) {
          const { messages } = await client(format).consumer.pull({ queue, offset: 0, group });
          expect(messages.map(({ isInnerBatch }) => isInnerBatch)).toEqual([true, true]);
          const inner = messages.flatMap((message) => message.unwrapInnerBatch());
          expect(inner.map(({ queueOffset }) => queueOffset)).toEqual([0, 1, 2, 3, 4]);
          const numbers = [0, 1, 2, 0, 1];
          expect(inner.map((message) => message.body.toString())).toEqual(numbers.map((i) => `body ${i}`));
          expect(inner.map((message) => message.property('KEYS'))).toEqual(numbers.map((i) => `key${i}`));
          expect(inner.map((message) => message.property('TAGS'))).toEqual(numbers.map((i) => `tag${i}`));
        }
      });
    }
  });
}

/** The CRC-32 of java.util.zip, which zlib writes at the end of a gzip stream. */
function crc32(bytes: Buffer): number {
  const gzip = zlib.gzipSync(bytes);
  return gzip.readUInt32LE(gzip.length - 8);
}
