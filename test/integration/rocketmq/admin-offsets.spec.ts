import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError, type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { GroupMember } from './group-member.js';
import { Mqadmin } from './mqadmin.js';

/** Each mqadmin starts a JVM. */
jest.setTimeout(180_000);

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const MESSAGES = 5;

describe('administration of offsets', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-offsets-${run}`;
  const group = `it-offsets-${run}`;
  const other = `it-offsets-other-${run}`;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;
  let queues: [QueueRef, QueueRef];
  const storeTimes: number[] = [];

  beforeAll(async () => {
    mqadmin = await Mqadmin.open(NAMESRV);
    client = RocketMqClient.open({ namesrv: NAMESRV, requestTimeoutMs: 10_000 });
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group });
    await client.admin.createGroup({ group: other });
    const { brokerName } = (await client.admin.topicRoute(topic)).brokers[0]!;
    queues = [
      { topic, brokerName, queueId: 0 },
      { topic, brokerName, queueId: 1 },
    ];
    for (let index = 0; index < MESSAGES; index += 1) {
      const { firstOffset } = await client.producer.send(queues[0], { body: Buffer.from(String(index)) });
      // The next message is stored at least one ms later.
      const stored = await until('the message can be pulled', async () => {
        const [message] = (await client.consumer.pull({ queue: queues[0], offset: firstOffset, group })).messages;
        return message !== undefined && Date.now() > message.storeTimestamp && message.storeTimestamp;
      });
      storeTimes.push(stored);
    }
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.admin.deleteGroup(group);
    await client.admin.deleteGroup(other);
    await client.close();
    await mqadmin.close();
  });

  const committed = (of = group): Promise<(number | undefined)[]> =>
    Promise.all(queues.map((queue) => client.admin.queryOffset(of, queue)));

  it('finds the first message from a time on and the last one up to it', async () => {
    const at = storeTimes[2]!;
    expect(await client.admin.offsetByTime(queues[0], at)).toBe(2);
    expect(await client.admin.offsetByTime(queues[0], at, { boundary: 'upper' })).toBe(2);
    expect(await client.admin.offsetByTime(queues[0], at + 1)).toBe(3);
    await expect(client.admin.offsetByTime(queues[0], -5)).rejects.toThrow('timestampMs -5: allowed are integers from 0');
  });

  it('reports how far a group is behind, as mqadmin does', async () => {
    await client.admin.updateOffset(group, queues[0], 3);
    const { queues: rows, totalLag } = await client.admin.groupProgress(group, { topic });
    expect(totalLag).toBe(2);
    expect(rows.map(({ queue, brokerOffset, consumerOffset, lag }) => ({ queue, brokerOffset, consumerOffset, lag }))).toEqual([
      { queue: queues[0], brokerOffset: MESSAGES, consumerOffset: 3, lag: 2 },
      { queue: queues[1], brokerOffset: 0, consumerOffset: 0, lag: 0 },
    ]);
    expect(rows[0]?.lastTimestamp).toBe(storeTimes[2]);
    const seen = await mqadmin.run('consumerProgress', '-g', group, '-t', topic);
    expect(seen).toMatch(/Consume Diff Total: 2\b/);
    await expect(client.admin.groupProgress('no group')).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await client.admin.groupProgress(`it-missing-${run}`)).toEqual({ queues: [], totalLag: 0 });
  });

  it('copies the offsets of a group for one topic', async () => {
    await client.admin.cloneOffsets({ from: group, to: other, topic });
    expect(await committed(other)).toEqual([3, undefined]);
    await expect(client.admin.cloneOffsets({ from: group, to: '', topic })).rejects.toThrow("to '': allowed are");
  });

  it('resets a group that nobody runs: by time, to the first message, after the last, to an offset', async () => {
    const reset = client.admin.resetOffsets.bind(client.admin);
    const rows = (first: number, second: number): object[] => [
      { queue: queues[0], offset: first },
      { queue: queues[1], offset: second },
    ];
    expect(await reset({ group, topic, to: { timestampMs: storeTimes[1]! } })).toEqual(rows(1, 0));
    expect(await committed()).toEqual([1, 0]);
    expect(await reset({ group, topic, to: 'latest' })).toEqual(rows(MESSAGES, 0));
    expect(await committed()).toEqual([MESSAGES, 0]);
    expect(await reset({ group, topic, to: 'earliest' })).toEqual(rows(0, 0));
    expect(await committed()).toEqual([0, 0]);
    await client.admin.resetQueueOffset({ group, queue: queues[0], offset: 4 });
    expect(await committed()).toEqual([4, 0]);
    expect(await mqadmin.run('consumerProgress', '-g', group, '-t', topic)).toMatch(/Consume Diff Total: 1\b/);
  });

  it('says that commits are refused until somebody has pulled after a reset', async () => {
    await expect(client.admin.updateOffset(group, queues[0], 5)).rejects.toThrow('previously reset');
    // The pull is answered with the offset that the reset left.
    const pull = await client.consumer.pull({ queue: queues[0], offset: 0, group });
    expect(pull).toMatchObject({ kind: 'offset-moved', nextOffset: 4 });
    await client.admin.updateOffset(group, queues[0], 5);
    expect(await committed()).toEqual([5, 0]);
  });

  it('resets no offset outside of the queue, no topic and no group that is nowhere', async () => {
    await expect(client.admin.resetQueueOffset({ group, queue: queues[0], offset: 6 })).rejects.toThrow(
      'offset 6: allowed for this queue are 0 to 5',
    );
    const missing = `it-missing-${run}`;
    await expect(client.admin.resetOffsets({ group, topic: missing, to: 'latest' })).rejects.toMatchObject({
      code: 'TOPIC_NOT_FOUND',
    });
    await expect(client.admin.resetOffsets({ group: missing, topic, to: 'latest' })).rejects.toMatchObject({
      responseCode: 26,
    });
    await expect(client.admin.resetOffsets({ group, topic, to: { timestampMs: Number.NaN } })).rejects.toThrow(
      'to.timestampMs NaN: allowed are integers from 0',
    );
  });

  it('resets a running group, and knows its members', async () => {
    const name = `member-${run}`;
    const producerGroup = `it-producers-${run}`;
    await client.admin.resetOffsets({ group: other, topic, to: 'earliest' });
    const member = await GroupMember.start({ namesrv: NAMESRV, topic, group: other, producerGroup, name });
    try {
      await until('the member has all messages', () => member.offsets(0).length >= MESSAGES, 60_000);
      const [consumer] = await until('the group has its member', async () => {
        const found = await client.admin.consumerConnections(other);
        return found.length > 0 && found;
      });
      expect(consumer).toMatchObject({ consumeType: 'CONSUME_PASSIVELY', messageModel: 'CLUSTERING' });
      expect(consumer).toMatchObject({ language: 'JAVA', clientId: expect.stringMatching(new RegExp(`@${name}$`)) });
      expect(consumer?.clientAddress).toMatch(/^127\.0\.0\.1:\d+$/);
      const [producer] = await until('the producer is known', async () => {
        const found = await client.admin.producerConnections(producerGroup);
        return found.length > 0 && found;
      });
      const { clientId } = consumer!;
      expect(producer).toMatchObject({ clientId, language: 'JAVA' });
      const info = await until('the member has its queues', async () => {
        const found = await client.admin.consumerRunningInfo({ group: other, clientId, isStackIncluded: true });
        return (found?.queues.filter((row) => row.queue.topic === topic).length ?? 0) >= queues.length && found;
      });
      expect(info.properties.get('PROP_CONSUME_TYPE')).toBe('CONSUME_PASSIVELY');
      expect(info.subscriptions).toContainEqual({ topic, expression: '*' });
      expect(info.queues.map((row) => row.queue)).toEqual(expect.arrayContaining(queues));
      expect(info.stack).toContain('ConsumeMessageThread');
      await until('the member has committed', async () => (await committed(other))[0] === MESSAGES);
      await client.admin.resetQueueOffset({ group: other, queue: queues[0], offset: 3 });
      await until('the member gets the last two again', () => member.offsets(0).length >= MESSAGES + 2, 60_000);
      expect(member.offsets(0).sort()).toEqual([0, 1, 2, 3, 3, 4, 4]);
    } finally {
      await member.stop();
    }
    expect(await client.admin.consumerRunningInfo({ group: other, clientId: 'nobody' })).toBeUndefined();
    expect(await client.admin.producerConnections(`it-missing-${run}`)).toEqual([]);
  });
});
