import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrokerHandle, RunningCluster } from '@sluice/embedded-rocketmq';
import { parsePosition } from '@sluice/replication';
import {
  BatchEncoder,
  encodeProperties,
  MESSAGE_PROPERTY,
  type QueueRef,
  readableQueues,
  RocketMqClient,
  SYS_FLAG,
} from '@sluice/rocketmq';
import { queueKey, type SourceRecord, type TaskConfig } from '@sluice/sdk';
import { RememberedPositions } from '@sluice/testing';
import { until } from '../../support/sluice-cluster.js';
import { bodiesBetween, BatchTopic } from '../rocketmq/inner-batches.js';
import { byQueue, DrivenTask, PairsInMemory, split } from './driven-flow.js';
import { OtherSite } from './other-site.js';

const TARGET = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const READER = 'flow-look';
const LIMIT_MS = 300_000;

const bodyOf = (record: SourceRecord): string => Buffer.from(record.raw?.body ?? []).toString();
const offsetsOf = (records: readonly SourceRecord[]): number[] => records.map(({ position }) => parsePosition(position)?.offset ?? -1);

describe('the source task on two clusters', () => {
  const run = `${Date.now()}-${process.pid}`;
  let site: OtherSite;
  let cluster: RunningCluster;
  let second: BrokerHandle;
  let source: RocketMqClient;
  let target: RocketMqClient;
  let topics = 0;
  const running: DrivenTask[] = [];

  beforeAll(async () => {
    site = await OtherSite.start(['broker-test', 'broker-more']);
    ({ cluster } = site);
    second = cluster.brokers[1] as BrokerHandle;
    source = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 15_000 });
    await source.admin.createGroup({ group: READER });
    target = RocketMqClient.open({ namesrv: TARGET, requestTimeoutMs: 15_000 });
  }, LIMIT_MS);

  afterEach(async () => {
    for (const task of running.splice(0)) await task.stop();
  });

  afterAll(async () => {
    await Promise.all([source.close(), target.close()]);
    await site.close();
  }, LIMIT_MS);

  const configOf = (topic: string, more: TaskConfig = {}): TaskConfig => ({
    'source.cluster.url': `rocketmq://${cluster.namesrv}`,
    'data.cluster.url': `rocketmq://${TARGET.replace(';', ',')}`,
    topics: topic,
    ...more,
  });

  async function newTopic(queues: number, brokerName?: string): Promise<{ readonly topic: string; readonly queues: readonly QueueRef[] }> {
    topics += 1;
    const topic = `flow-${topics}-${run}`;
    await source.admin.createTopic({ topic, readQueues: queues, writeQueues: queues, ...(brokerName === undefined ? {} : { brokerName }) });
    return { topic, queues: readableQueues(await source.routes.refresh(topic)) };
  }

  async function send(queue: QueueRef, from: number, to: number): Promise<void> {
    const encoder = new BatchEncoder();
    for (let n = from; n < to; n += 1) encoder.add(Buffer.from(`${queueKey(queue)} ${n}`), encodeProperties([['TAGS', `t${n}`]]));
    await source.producer.sendBatch(queue, encoder.finish());
    await until(`${to} messages can be read`, async () => (await source.admin.maxOffset(queue)) >= to);
  }

  async function begin(config: TaskConfig, positions?: RememberedPositions): Promise<DrivenTask> {
    const task = await DrivenTask.start(config, positions);
    running.push(task);
    return task;
  }

  async function beginFlow(topic: string, more: TaskConfig = {}, pairs = new PairsInMemory()): Promise<DrivenTask> {
    const [config] = await split(configOf(topic, more), pairs);
    return begin(config as TaskConfig);
  }

  it('reads each queue in order, and names a queue of the target of its own for each', async () => {
    const { topic, queues } = await newTopic(2);
    expect(queues).toHaveLength(4);
    for (const queue of queues) await send(queue, 0, 50);
    const task = await beginFlow(topic);
    const records = await task.take(200);
    const found = byQueue(records);
    expect([...found.keys()].sort()).toEqual(queues.map(queueKey).sort());
    const targets = new Set<string>();
    for (const [key, ofQueue] of found) {
      expect(ofQueue.map(bodyOf)).toEqual(Array.from({ length: 50 }, (_, n) => `${key} ${n}`));
      expect(offsetsOf(ofQueue)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
      const named = new Set(ofQueue.map(({ topic: name, rocketmq }) => `${name} ${JSON.stringify(rocketmq?.queue)}`));
      expect(named.size).toBe(1);
      targets.add([...named].join(''));
    }
    expect(targets.size).toBe(4);
    expect(task.warnings).toEqual([]);
    expect(await task.poll()).toEqual([]);
  });

  it('hands out bodies and properties as they are stored, compressed ones too, with the hop and the born time', async () => {
    const { topic, queues } = await newTopic(1, 'broker-test');
    const [queue] = queues as [QueueRef];
    const text = 'text '.repeat(1000);
    const properties: [string, string][] = [
      ['KEYS', 'k1 k2'],
      ['TAGS', 'T1'],
      ['UNIQ_KEY', 'ID1'],
      ['line\nbreak', 'emoji \u{1F680}\nand more'],
    ];
    await source.producer.send(queue, { body: Buffer.from([0, 1, 2, 0xff]), properties, flag: 7 });
    const compressing = source.topicProducer(topic, { compression: { type: 'zlib', overBytes: 1000 } });
    await compressing.send({ body: Buffer.from(text) });
    await compressing.close();
    await until('both can be read', async () => (await source.admin.maxOffset(queue)) === 2);
    const { messages } = await source.consumer.pull({ queue, offset: 0, group: READER, maxMessages: 2 });
    const task = await beginFlow(topic);
    const [plain, compressed] = await task.take(2);
    const block = Buffer.from(plain?.raw?.properties ?? []);
    // A broker writes the properties that a producer sent in an order of its own.
    for (const property of properties) expect(block.includes(Buffer.from(encodeProperties([property])))).toBe(true);
    expect(block.toString()).toMatch(/sluice-hops.sluice-identity-[0-9a-z]+.?$/);
    expect(plain?.raw).toMatchObject({ flag: 7, sysFlag: 0, bornAt: messages[0]?.bornTimestamp });
    expect([...(plain?.raw?.body ?? [])]).toEqual([0, 1, 2, 0xff]);
    expect(compressed?.raw?.sysFlag).toBe(SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB);
    expect(Buffer.from(compressed?.raw?.body ?? []).equals(messages[1]?.body ?? Buffer.alloc(0))).toBe(true);
    expect(compressed?.raw?.body.length).toBeLessThan(deflateSync(text).length * 2);
    expect(messages[0]?.property(MESSAGE_PROPERTY.messageId)).toBe('ID1');
  });

  it('leaves out what has been in the target, and does not read it again', async () => {
    const { topic, queues } = await newTopic(1, 'broker-test');
    const [queue] = queues as [QueueRef];
    const [config] = await split(configOf(topic), new PairsInMemory());
    const hops = ['sluice-identity-0000000000000', config?.['sluice.task.target.identity']].join(',');
    await source.producer.send(queue, { body: Buffer.from('its own') });
    for (let n = 0; n < 5; n += 1) {
      await source.producer.send(queue, { body: Buffer.from('came back'), properties: [['sluice-hops', hops]] });
    }
    await until('all can be read', async () => (await source.admin.maxOffset(queue)) === 6);
    const task = await begin(config as TaskConfig);
    const [record] = await task.take(1);
    expect(bodyOf(record!)).toBe('its own');
    await until('the position is behind all', async () => {
      await task.poll();
      const position = task.positions.get(record!.partition);
      return position !== undefined && parsePosition(position)?.offset === 6;
    });
    expect(task.records).toHaveLength(1);
    const next = await begin(config as TaskConfig, task.positions);
    expect(await next.poll()).toEqual([]);
    expect(next.warnings).toEqual([]);
  });

  it('unpacks inner batches, and resumes in the middle of one', async () => {
    topics += 1;
    const batches = await BatchTopic.create(source, `flow-${topics}-${run}`);
    try {
      await batches.send(20);
      await batches.send(20, true);
      await batches.untilStored();
      const pairs = new PairsInMemory();
      const [config] = await split(configOf(batches.queue.topic), pairs);
      const task = await begin(config as TaskConfig);
      const records = await task.take(40);
      expect(records.map(bodyOf)).toEqual(bodiesBetween(0, 40));
      const positions = new RememberedPositions();
      const [, , third] = records;
      positions.set(third!.partition, third!.position);
      const again = await begin(config as TaskConfig, positions);
      expect((await again.take(37)).map(bodyOf)).toEqual(bodiesBetween(3, 40));
      expect(again.warnings).toEqual([]);
    } finally {
      batches.close();
    }
  });

  it('resumes behind the stored positions', async () => {
    const { topic, queues } = await newTopic(1);
    for (const queue of queues) await send(queue, 0, 30);
    const [config] = await split(configOf(topic), new PairsInMemory());
    const first = await begin(config as TaskConfig);
    await first.take(60);
    for (const queue of queues) await send(queue, 30, 40);
    const next = await begin(config as TaskConfig, first.positions);
    const records = await next.take(20);
    for (const [key, ofQueue] of byQueue(records))
      expect(ofQueue.map(bodyOf)).toEqual(Array.from({ length: 10 }, (_, n) => `${key} ${n + 30}`));
    expect(await next.poll()).toEqual([]);
    expect(next.warnings).toEqual([]);
  });

  it.each(['fail', 'resume-from-earliest', 'skip-and-report'] as const)(
    'knows a topic that was deleted and has grown to the old offset again, with source.change.policy=%s',
    async (policy) => {
      const { topic, queues } = await newTopic(1, 'broker-test');
      const [queue] = queues as [QueueRef];
      await send(queue, 0, 20);
      const [config] = await split(configOf(topic, { 'source.change.policy': policy }), new PairsInMemory());
      const first = await begin(config as TaskConfig);
      await first.take(20);
      await first.stop();
      running.splice(running.indexOf(first), 1);
      await source.admin.deleteTopic(topic);
      await source.admin.createTopic({ topic, readQueues: 1, writeQueues: 1, brokerName: 'broker-test' });
      await send(queue, 0, 25);
      const next = await begin(config as TaskConfig, first.positions);
      const told = new RegExp(`${queueKey(queue)}.*recreated.*from offset 20 to 25`);
      if (policy === 'fail') {
        await expect(next.take(1)).rejects.toThrow(told);
        return;
      }
      const isAll = policy === 'resume-from-earliest';
      const records = await next.take(isAll ? 25 : 5);
      expect(offsetsOf(records)[0]).toBe(isAll ? 1 : 21);
      expect(next.warnings).toHaveLength(1);
      expect(next.warnings[0]).toMatch(told);
      expect(next.warnings[0]).toMatch(isAll ? /0 skipped, 20 perhaps copied twice/ : /20 skipped, 0 perhaps copied twice/);
    },
  );

  it('finds out while it runs that a topic was deleted and created again', async () => {
    const { topic, queues } = await newTopic(1, 'broker-test');
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 5);
    const task = await beginFlow(topic, { 'source.change.policy': 'resume-from-earliest' });
    await task.take(5);
    await source.admin.deleteTopic(topic);
    await source.admin.createTopic({ topic, readQueues: 1, writeQueues: 1, brokerName: 'broker-test' });
    await send(queue, 0, 7);
    const records = await task.take(12);
    expect(offsetsOf(records.slice(5))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(task.warnings).toHaveLength(1);
    expect(task.warnings[0]).toMatch(/recreated/);
  });

  it(
    'reads other queues on while the broker of some is unavailable, and says which wait',
    async () => {
      const { topic, queues } = await newTopic(1);
      const [more, test] = queues as [QueueRef, QueueRef];
      expect([more.brokerName, test.brokerName]).toEqual(['broker-more', 'broker-test']);
      await send(more, 0, 3);
      await send(test, 0, 3);
      const task = await beginFlow(topic);
      await task.take(6);
      await second.stop();
      try {
        await until('the task waits for the broker', async () => {
          await task.poll();
          return task.waits.at(-1)?.includes(queueKey(more));
        });
        await send(test, 3, 8);
        await task.take(11);
        expect(task.waits.at(-1)).not.toContain(queueKey(test));
      } finally {
        await second.start();
      }
      await send(more, 3, 5);
      const records = byQueue(await task.take(13));
      expect(records.get(queueKey(more))?.map(bodyOf)).toEqual(Array.from({ length: 5 }, (_, n) => `${queueKey(more)} ${n}`));
      await until('it waits no longer', async () => {
        await task.poll();
        return task.waits.at(-1) === undefined;
      });
      expect(task.warnings).toEqual([]);
    },
    LIMIT_MS,
  );

  it.each(['fail', 'skip-and-report'] as const)(
    'reports a queue that the source has no more, with source.change.policy=%s',
    async (policy) => {
      const { topic, queues } = await newTopic(2, 'broker-test');
      const [kept, lost] = queues as [QueueRef, QueueRef];
      await send(kept, 0, 3);
      await send(lost, 0, 3);
      const task = await beginFlow(topic, { 'source.change.policy': policy });
      await task.take(6);
      await source.admin.updateTopic({ topic, brokerName: 'broker-test', readQueues: 1, writeQueues: 1 });
      const told = new RegExp(`${queueKey(lost)} of the source is missing \\(fewer-queues\\).*[Ff]rom offset 3 to 3, 0 message`);
      const failures: string[] = [];
      await until('the loss is reported', async () => {
        await task.poll().catch((error: unknown) => failures.push(String(error)));
        return failures.length + task.warnings.length > 0;
      });
      expect([...failures, ...task.warnings]).toEqual([expect.stringMatching(told)]);
      expect(task.warnings).toHaveLength(policy === 'fail' ? 0 : 1);
      if (policy === 'fail') return;
      await send(kept, 3, 5);
      expect(byQueue(await task.take(8)).get(queueKey(kept))).toHaveLength(5);
    },
    LIMIT_MS,
  );

  it('shows how far it is as offsets of a group of the source', async () => {
    const { topic, queues } = await newTopic(1, 'broker-test');
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 10);
    const group = `flow-group-${run}`;
    const task = await beginFlow(topic, { 'source.group': group });
    await task.take(10);
    await until('the offset is there', async () => (await source.admin.queryOffset(group, queue)) === 10);
    const { totalLag } = await source.admin.groupProgress(group, { topic });
    expect(totalLag).toBe(0);
  });
});
