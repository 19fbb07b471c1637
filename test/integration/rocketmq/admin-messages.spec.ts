import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { encodeOffsetMessageId, InvalidArgumentError, type QueueRef, RocketMqClient, type StoredMessage } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { Mqadmin } from './mqadmin.js';

/** Each mqadmin starts a JVM. */
jest.setTimeout(180_000);

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const MESSAGES = 40;

describe('search of messages', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-search-${run}`;
  const uniqueKey = (index: number): string => `7F0000010000${run.replaceAll('-', '')}${String(index).padStart(4, '0')}`;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;
  let queue: QueueRef;
  let brokerAddress: string;
  let stored: StoredMessage[];

  beforeAll(async () => {
    mqadmin = await Mqadmin.open(NAMESRV);
    client = RocketMqClient.open({ namesrv: NAMESRV, requestTimeoutMs: 10_000 });
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    const broker = (await client.admin.topicRoute(topic)).brokers[0]!;
    brokerAddress = broker.masterAddress!;
    queue = { topic, brokerName: broker.brokerName, queueId: 0 };
    for (let index = 0; index < MESSAGES; index += 1) {
      const properties: [string, string][] = [
        ['KEYS', `all key-${index}`],
        ['UNIQ_KEY', uniqueKey(index)],
      ];
      await client.producer.send(queue, { body: Buffer.from(`body ${index}`), properties });
    }
    stored = await until('all messages can be found', async () => {
      const { messages } = await client.admin.messages.inTimeRange({ queue, fromMs: 0, toMs: Date.now() + 60_000 });
      return messages.length === MESSAGES && [...messages];
    });
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.close();
    await mqadmin.close();
  });

  const bodies = (messages: readonly StoredMessage[]): string[] => messages.map((message) => message.body.toString());
  const idOf = (message: StoredMessage): string => {
    const [host = '', port] = brokerAddress.split(':');
    return encodeOffsetMessageId({ host, port: Number(port), commitLogOffset: message.commitLogOffset });
  };

  it('finds a message by the id of its broker, as mqadmin does', async () => {
    const id = idOf(stored[7]!);
    const seen = await mqadmin.run('queryMsgById', '-t', topic, '-i', id);
    expect(seen).toMatch(/Queue Offset:\s+7\b/);
    const message = await client.admin.messages.byOffsetId(id, { topic });
    expect(message).toMatchObject({ topic, queueId: 0, queueOffset: 7 });
    expect(message?.body.toString()).toBe('body 7');
    expect((await client.admin.messages.byOffsetId(id.toLowerCase()))?.queueOffset).toBe(7);
    expect(await client.admin.messages.byOffsetId(id, { topic: 'another' })).toBeUndefined();
  });

  it('finds no message where none begins, and asks no foreign host', async () => {
    const { messages } = client.admin;
    const far = encodeOffsetMessageId({
      host: '127.0.0.1',
      port: Number(brokerAddress.split(':')[1]),
      commitLogOffset: 2 ** 45,
    });
    expect(await messages.byOffsetId(far)).toBeUndefined();
    const stranger = encodeOffsetMessageId({ host: '127.0.0.1', port: 1, commitLogOffset: stored[3]!.commitLogOffset });
    await expect(messages.byOffsetId(stranger)).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
    const moved = await messages.byOffsetId(stranger, { brokerName: queue.brokerName });
    expect(moved?.queueOffset).toBe(3);
    await expect(messages.byOffsetId('no id')).rejects.toBeInstanceOf(InvalidArgumentError);
  });

  it('finds messages by key and time, as mqadmin does', async () => {
    const found = await until('the index has the last message', async () => {
      const answer = await client.admin.messages.byKey({ topic, key: `key-${MESSAGES - 1}` });
      return answer.messages.length === 1 && answer;
    });
    expect(bodies(found.messages)).toEqual([`body ${MESSAGES - 1}`]);
    const all = await client.admin.messages.byKey({ topic, key: 'all' });
    expect(all.isTruncated).toBe(false);
    expect(new Set(bodies(all.messages)).size).toBe(MESSAGES);
    const seen = await mqadmin.run('queryMsgByKey', '-t', topic, '-k', 'key-9');
    expect(seen.split('\n').filter((line) => line.includes(uniqueKey(9)))).toHaveLength(1);
    expect(seen).not.toContain(uniqueKey(8));
    const some = await client.admin.messages.byKey({ topic, key: 'all', maxMessages: 10 });
    expect(some.isTruncated).toBe(true);
    expect(some.messages).toHaveLength(10);
    const fromMs = stored[5]!.storeTimestamp;
    const toMs = stored[30]!.storeTimestamp;
    const between = await client.admin.messages.byKey({ topic, key: 'all', fromMs, toMs });
    const expected = stored.filter(({ storeTimestamp: at }) => at >= fromMs && at <= toMs);
    expect(bodies(between.messages).sort()).toEqual(bodies(expected).sort());
    expect(await client.admin.messages.byKey({ topic, key: 'nothing' })).toEqual({ messages: [], isTruncated: false });
  });

  it('finds a message by the id of its producer', async () => {
    const found = await client.admin.messages.byUniqueKey({ topic, key: uniqueKey(11) });
    expect(bodies(found.messages)).toEqual(['body 11']);
    expect(await mqadmin.run('queryMsgByUniqueKey', '-t', topic, '-i', uniqueKey(11))).toMatch(/Queue Offset:\s+11\b/);
    expect((await client.admin.messages.byUniqueKey({ topic, key: 'all' })).messages).toEqual([]);
  });

  it('finds the messages of a queue by their store time', async () => {
    const fromMs = stored[8]!.storeTimestamp;
    const toMs = stored[20]!.storeTimestamp;
    const { messages } = client.admin;
    const expected = stored.filter(({ storeTimestamp: at }) => at >= fromMs && at <= toMs);
    const range = await messages.inTimeRange({ queue, fromMs, toMs });
    expect(bodies(range.messages)).toEqual(bodies(expected));
    expect(range.nextOffset).toBeUndefined();
    const first = await messages.inTimeRange({ queue, fromMs, toMs, maxMessages: 3 });
    expect(bodies(first.messages)).toEqual(bodies(expected.slice(0, 3)));
    expect(first.nextOffset).toBe(expected[3]!.queueOffset);
    const whole = await messages.inTimeRange({
      queue,
      fromMs: 0,
      toMs: Number.MAX_SAFE_INTEGER,
      maxMessages: MESSAGES,
    });
    expect(whole).toMatchObject({ nextOffset: undefined, messages: { length: MESSAGES } });
    const later = Date.now() + 60_000;
    expect(await messages.inTimeRange({ queue, fromMs: later, toMs: later })).toEqual({
      messages: [],
      nextOffset: undefined,
    });
  });

  it('names the argument, what was given and what is allowed', async () => {
    const { messages } = client.admin;
    await expect(messages.byKey({ topic, key: 'a b' })).rejects.toThrow("key 'a b': allowed is one key");
    await expect(messages.byKey({ topic, key: '' })).rejects.toThrow("key '': allowed is any text");
    await expect(messages.byKey({ topic, key: 'a', fromMs: 5, toMs: 4 })).rejects.toThrow('toMs 4: allowed are integers from 5');
    await expect(messages.byKey({ topic, key: 'a', maxMessages: 65 })).rejects.toThrow('maxMessages 65: allowed are integers 1 to 64');
    const outside = { ...queue, queueId: -1 };
    await expect(messages.inTimeRange({ queue: outside, fromMs: 0, toMs: 1 })).rejects.toThrow('queue.queueId -1');
    await expect(messages.byKey({ topic, key: 'a', timeoutMs: 0 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
  });
});
