import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrokerHandle, RunningCluster } from '@sluice/embedded-rocketmq';
import { BatchEncoder, encodeProperties, type QueueRef, RocketMqClient, SYS_FLAG } from '@sluice/rocketmq';
import { queueKey, type TaskConfig } from '@sluice/sdk';
import { sinkContract } from '@sluice/testing';
import { until } from '../../support/sluice-cluster.js';
import { PairsInMemory } from './driven-flow.js';
import { DrivenSink, queuesOf, readAll, rocketMqSink, splitSink } from './driven-sink.js';
import { OtherSite } from './other-site.js';

const SOURCE = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const READER = 'sink-look';
const LIMIT_MS = 300_000;

describe('the sink task on two clusters', () => {
  const run = `${Date.now()}-${process.pid}`;
  let site: OtherSite;
  let cluster: RunningCluster;
  let second: BrokerHandle;
  let source: RocketMqClient;
  let target: RocketMqClient;
  let topics = 0;
  const running: DrivenSink[] = [];

  beforeAll(async () => {
    site = await OtherSite.start(['broker-a', 'broker-b']);
    ({ cluster } = site);
    second = cluster.brokers[1] as BrokerHandle;
    source = RocketMqClient.open({ namesrv: SOURCE, requestTimeoutMs: 15_000 });
    target = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 15_000 });
    await Promise.all([source.admin.createGroup({ group: READER }), target.admin.createGroup({ group: READER })]);
  }, LIMIT_MS);

  afterEach(async () => {
    for (const task of running.splice(0)) await task.stop();
  });

  afterAll(async () => {
    await Promise.all([source.close(), target.close()]);
    await site.close();
  }, LIMIT_MS);

  const configOf = (topic: string, more: TaskConfig = {}): TaskConfig => ({
    'data.cluster.url': `rocketmq://${SOURCE.replace(';', ',')}`,
    'target.cluster.url': `rocketmq://${cluster.namesrv}`,
    topics: topic,
    ...more,
  });

  async function newTopic(queues: number): Promise<{ readonly topic: string; readonly queues: readonly QueueRef[] }> {
    topics += 1;
    const topic = `sink-${topics}-${run}`;
    await source.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
    return { topic, queues: await queuesOf(source, topic) };
  }

  async function send(queue: QueueRef, from: number, to: number): Promise<void> {
    const encoder = new BatchEncoder();
    for (let n = from; n < to; n += 1) encoder.add(Buffer.from(`${queue.queueId} ${n}`), encodeProperties([['TAGS', `t${n}`]]));
    await source.producer.sendBatch(queue, encoder.finish());
    await until(`${to} messages can be read`, async () => (await source.admin.maxOffset(queue)) >= to);
  }

  const texts = (queueId: number, to: number): string[] => Array.from({ length: to }, (_, n) => `${queueId} ${n}`);

  async function begin(config: TaskConfig, queues: readonly QueueRef[], generation = 1): Promise<DrivenSink> {
    const task = new DrivenSink(source, READER);
    running.push(task);
    await task.start(config, queues, generation);
    return task;
  }

  /** Bodies by queue of the target: what Sluice's readers see, or everybody. */
  async function copies(topic: string, isFiltered = true): Promise<readonly (readonly string[])[]> {
    const found: string[][] = [];
    for (const queue of await queuesOf(target, topic)) {
      const messages = await readAll(target, READER, queue, isFiltered);
      if (messages.length > 0) found.push(messages.map(({ body }) => body.toString()));
    }
    return found.sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  }

  it('copies each queue into one of its own, in order, with properties and compressed bodies as they are', async () => {
    const { topic, queues } = await newTopic(2);
    for (const queue of queues) await send(queue, 0, 50);
    const compressing = source.topicProducer(topic, { compression: { type: 'zlib', overBytes: 1000 } });
    const text = 'text '.repeat(1000);
    await compressing.send({ body: Buffer.from(text), tag: 'T1', keys: ['k1', 'k2'] });
    await compressing.close();
    await until('it can be read', async () => {
      const ends = await Promise.all(queues.map((queue) => source.admin.maxOffset(queue)));
      return ends.reduce((sum, end) => sum + end, 0) === 101;
    });
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const task = await begin(config as TaskConfig, queues);
    await task.put();
    await task.safe();
    const found = await copies(topic);
    expect(found.map((bodies) => bodies.slice(0, 50))).toEqual([texts(0, 50), texts(1, 50)]);
    expect(found.flat()).toHaveLength(101);
    const all = (await Promise.all((await queuesOf(target, topic)).map((queue) => readAll(target, READER, queue)))).flat();
    const compressed = all.find((message) => message.compressed !== undefined);
    expect(compressed?.compressed?.sysFlag).toBe(SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB);
    expect(compressed?.body.toString()).toBe(text);
    expect(compressed?.property('KEYS')).toBe('k1 k2');
    for (const message of all) expect(message.property('sluice-hops')).toMatch(/^sluice-identity-/);
    const originals = (await Promise.all(queues.map((queue) => readAll(source, READER, queue)))).flat();
    expect(new Set(all.map(({ bornTimestamp }) => bornTimestamp))).toEqual(new Set(originals.map(({ bornTimestamp }) => bornTimestamp)));
    expect(task.warnings).toEqual([]);
  });

  it('resumes behind what the target has, where nothing was committed', async () => {
    const { topic, queues } = await newTopic(1);
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 40);
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const first = await begin(config as TaskConfig, queues, 1);
    await first.put(30);
    await first.safe();
    await first.stop();
    const next = new DrivenSink(source, READER);
    running.push(next);
    expect(await next.start(config as TaskConfig, queues, 2)).toEqual([{ queue, nextOffset: 30 }]);
    await next.put();
    await next.safe();
    expect(await copies(topic)).toEqual([texts(0, 40)]);
    const bodies = (await copies(topic, false)).flat();
    expect(bodies.filter((body) => body !== '\0')).toEqual(texts(0, 40));
    expect(next.warnings).toEqual([]);
  });

  it('finds its last copy among messages that others have sent', async () => {
    const { topic, queues } = await newTopic(1);
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 10);
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const first = await begin(config as TaskConfig, queues, 1);
    await first.put();
    await first.safe();
    const copied = (
      await Promise.all((await queuesOf(target, topic)).map(async (each) => ({ each, end: await target.admin.maxOffset(each) })))
    )
      .filter(({ end }) => end > 0)
      .map(({ each }) => each);
    for (let n = 0; n < 5; n += 1) {
      const encoder = new BatchEncoder();
      for (let at = 0; at < 1000; at += 1) encoder.add(Buffer.from('other'), '');
      await target.producer.sendBatch(copied[0] as QueueRef, encoder.finish());
    }
    const next = new DrivenSink(source, READER);
    running.push(next);
    expect(await next.start(config as TaskConfig, queues, 2)).toEqual([{ queue, nextOffset: 10 }]);
  });

  it('drops what an earlier task sends behind its barrier, and reports it', async () => {
    const { topic, queues } = await newTopic(1);
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 20);
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const zombie = await begin(config as TaskConfig, queues, 1);
    await zombie.put(10);
    await zombie.safe();
    const owner = await begin(config as TaskConfig, queues, 2);
    await zombie.put(15);
    await zombie.safe();
    await owner.put();
    await owner.safe();
    expect(await copies(topic)).toEqual([texts(0, 20)]);
    expect((await copies(topic, false)).flat().filter((body) => body !== '\0')).toHaveLength(25);
    const next = await begin(config as TaskConfig, queues, 3);
    expect(next.warnings.join('\n')).toMatch(/has 5 copies twice: 5 of an earlier task/);
    const late = new DrivenSink(source, READER);
    running.push(late);
    await expect(late.start(config as TaskConfig, queues, 1)).rejects.toThrow(/written by generation 3 .* has generation 1/);
  });

  it('knows a topic of the source that was created again', async () => {
    const { topic, queues } = await newTopic(1);
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 20);
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const first = await begin(config as TaskConfig, queues, 1);
    await first.put();
    await first.safe();
    await source.admin.deleteTopic(topic);
    await source.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await send(queue, 0, 25);
    const next = new DrivenSink(source, READER);
    running.push(next);
    await expect(next.start(config as TaskConfig, queues, 2)).rejects.toThrow(/recreated.*from offset 20 to 25/);
  });

  it('goes where an operator has reset it to, also after a restart', async () => {
    const { topic, queues } = await newTopic(1);
    const [queue] = queues as [QueueRef];
    await send(queue, 0, 20);
    const [config] = await splitSink(configOf(topic), new PairsInMemory());
    const first = await begin(config as TaskConfig, queues, 1);
    await first.put(10);
    await first.safe();
    for (const [generation, to] of [
      [2, 4],
      [3, 15],
    ] as const) {
      await running.at(-1)?.flushAt([{ queue, nextOffset: to }], true);
      const next = new DrivenSink(source, READER);
      running.push(next);
      expect(await next.start(config as TaskConfig, queues, generation)).toEqual([{ queue, nextOffset: to }]);
    }
  });

  it(
    'copies other queues on while a broker of the target hangs, and loses and repeats nothing of a send whose outcome is unknown',
    async () => {
      const { topic, queues } = await newTopic(2);
      for (const queue of queues) await send(queue, 0, 10);
      await target.admin.createTopic({ topic, brokerName: 'broker-a', readQueues: 1, writeQueues: 1 });
      await target.admin.createTopic({ topic, brokerName: 'broker-b', readQueues: 1, writeQueues: 1 });
      await until('both brokers have it', async () => (await queuesOf(target, topic)).length === 2);
      const pairs = new PairsInMemory();
      const [config] = await splitSink(configOf(topic), pairs);
      const onSecond = queues.find((queue) => pairs.pairs.get(queueKey(queue))?.includes('@broker-b:')) as QueueRef;
      const onFirst = queues.find((queue) => queue !== onSecond) as QueueRef;
      const task = await begin(config as TaskConfig, queues, 1);
      await task.put();
      await task.safe();
      await second.pause();
      try {
        for (const queue of queues) await send(queue, 10, 20);
        await task.put();
        await task.safe([onFirst]);
        expect((await task.flush()).get(queueKey(onSecond))).toBe(10);
        await until('the send has no answer', async () => {
          await task.flush();
          return task.warnings.some((text) => text.includes('@broker-b:'));
        });
      } finally {
        await second.resume();
      }
      await until('all is safe', async () => {
        await task.tick();
        return (await task.flush()).get(queueKey(onSecond)) === 20;
      });
      expect(await copies(topic)).toEqual([texts(0, 20), texts(1, 20)]);
    },
    LIMIT_MS,
  );

  it('refuses one cluster as both sides, and reads no queue that it has no target for', async () => {
    const { topic, queues } = await newTopic(2);
    const same = { ...configOf(topic), 'target.cluster.url': `rocketmq://${SOURCE.replace(';', ',')}` };
    await expect(splitSink(same, new PairsInMemory())).rejects.toThrow(
      /target\.cluster\.url: It names the same cluster as data\.cluster\.url/,
    );
    const pairs = new PairsInMemory();
    const [config] = await splitSink(configOf(topic), pairs);
    await source.admin.updateTopic({ topic, readQueues: 3, writeQueues: 3 });
    const grown = { ...(queues[0] as QueueRef), queueId: 2 };
    const task = await begin(config as TaskConfig, [...queues, grown]);
    expect([...task.paused]).toEqual([queueKey(grown)]);
    await until('the name server knows the queue', async () => (await queuesOf(source, topic)).length === 3);
    const [next] = await splitSink(configOf(topic), pairs);
    const other = await begin(next as TaskConfig, [grown], 2);
    expect(other.paused.size).toBe(0);
    await send(grown, 0, 3);
    await other.put();
    await other.safe();
    expect((await copies(topic)).flat()).toEqual(texts(2, 3));
  });

  describe('as every sink', () => {
    let fixtures = 0;
    const contractTopic = 'contract';

    beforeAll(async () => {
      // The contract names this topic and broker: here they are those of the cluster that the spec has started.
      await target.admin.createTopic({ topic: contractTopic, brokerName: 'broker-a', readQueues: 2, writeQueues: 2 });
      for (const queue of await queuesOf(target, contractTopic)) {
        const encoder = new BatchEncoder();
        for (let n = 0; n < 20; n += 1) encoder.add(Buffer.from('x'), '');
        await target.producer.sendBatch(queue, encoder.finish());
      }
    }, LIMIT_MS);

    const cases = sinkContract({
      connector: rocketMqSink,
      storesOffsets: false,
      setUp: async () => {
        await Promise.resolve();
        fixtures += 1;
        const prefix = `c${fixtures}-${run}-`;
        return {
          config: {
            'data.cluster.url': `rocketmq://${cluster.namesrv}`,
            'target.cluster.url': `rocketmq://${SOURCE.replace(';', ',')}`,
            topics: contractTopic,
            'topic.rename': `${prefix}\${topic}`,
          },
          read: async () => {
            const found: string[] = [];
            for (const queue of await queuesOf(source, `${prefix}${contractTopic}`)) {
              for (const { body } of await readAll(source, READER, queue)) found.push(body.toString());
            }
            return found;
          },
          tearDown: () => Promise.resolve(),
        };
      },
    });
    it.each(cases)('$title', ({ run: check }) => check(), LIMIT_MS);
  });
});
