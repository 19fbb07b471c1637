import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RocketMqQueueMessages, RocketMqRecordProducer, SpareEncoders } from '@sluice/runner';
import type { SinkPosition, SinkRecord } from '@sluice/sdk';
import { until } from '../../support/sluice-cluster.js';
import { BatchTopic, bodiesBetween } from '../rocketmq/inner-batches.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

/** Lets its task stop between two puts, and keeps the positions of its flushes if it is to. */
class SteppingSink extends LineSink {
  #puts = 0;
  #letGo: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => (this.#letGo = resolve));

  constructor(
    private readonly waitsAtPut: number,
    readonly stored: Map<string, SinkPosition> | undefined,
  ) {
    super();
  }

  get isWaiting(): boolean {
    return this.#puts >= this.waitsAtPut;
  }

  release(): void {
    this.#letGo();
  }

  override open(): Promise<[]> {
    return Promise.resolve([...(this.stored?.values() ?? [])] as unknown as []);
  }

  override async put(records: readonly SinkRecord[]): Promise<void> {
    this.#puts += 1;
    await super.put(records);
    if (this.#puts === this.waitsAtPut) await this.#released;
  }

  override flush(positions: readonly SinkPosition[] = []): Promise<void> {
    for (const position of positions) this.stored?.set(`${position.queue.queueId}`, position);
    return Promise.resolve();
  }
}

describe('tasks on a topic of inner batches', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  const create = (): Promise<BatchTopic> => BatchTopic.create(plane.client, `t${randomUUID().slice(0, 8)}`);

  it.each(['with its data', 'in its group'])(
    'a sink that stores its offset %s stops inside of a batch and resumes at the next message',
    async (where) => {
      const topic = await create();
      for (const size of [1_000, 32_767, 5_000]) await topic.send(size, size === 5_000);
      await topic.untilStored();
      const stored = where === 'with its data' ? new Map<string, SinkPosition>() : undefined;
      const values: string[] = [];
      const group = `g-${plane.connector}-${topic.queue.topic}`;
      for (const puts of [3, 8, 8]) {
        const sink = new SteppingSink(puts, stored);
        const { loop } = await plane.sink(sink, topic.queue.topic);
        await until('the sink is inside of a batch', () => sink.isWaiting);
        const stopping = loop.stop();
        sink.release();
        await stopping;
        values.push(...sink.values);
        expect([0, 1_000, 33_767, 38_767]).not.toContain(values.length);
        expect(await plane.client.admin.queryOffset(group, topic.queue)).toBe(values.length);
      }
      const last = new SteppingSink(Infinity, stored);
      const { loop, counters } = await plane.sink(last, topic.queue.topic);
      await until('the rest is read', () => values.length + last.values.length === topic.end);
      await loop.stop();
      expect([...values, ...last.values]).toEqual(bodiesBetween(0, topic.end));
      expect(counters.recordsLost).toBe(0);
      topic.close();
    },
  );

  it('a sink that stopped inside of a batch fails where the topic was created again and has another batch there', async () => {
    const topic = await create();
    await topic.send(20_000);
    await topic.untilStored();
    const stored = new Map<string, SinkPosition>();
    const sink = new SteppingSink(1, stored);
    const { loop } = await plane.sink(sink, topic.queue.topic);
    await until('the sink is inside of a batch', () => sink.isWaiting);
    const stopping = loop.stop();
    sink.release();
    await stopping;
    topic.close();
    await plane.client.admin.deleteTopic(topic.queue.topic);
    const again = await BatchTopic.create(plane.client, topic.queue.topic);
    await again.send(20_000);
    await again.untilStored();
    await expect(plane.sink(new SteppingSink(Infinity, stored), topic.queue.topic)).rejects.toThrow('the message before it was stored at');
    again.close();
  });

  it('a source creates plain topics', async () => {
    const topic = `t${randomUUID().slice(0, 8)}`;
    const producer = new RocketMqRecordProducer(plane.client, new SpareEncoders(), { queues: 1 }, () => undefined);
    await until('it is created', () => producer.queues(topic).catch(() => undefined));
    const configs = [...(await plane.client.admin.topicConfig(topic)).values()];
    expect(configs.map(({ attributes }) => [...attributes.keys()])).toEqual([[]]);
  });

  it('what a queue holds between two offsets inside of batches is read as it is', async () => {
    const topic = await create();
    for (let batch = 0; batch < 3; batch += 1) await topic.send(1_000, batch === 1);
    await topic.untilStored();
    const messages = new RocketMqQueueMessages(plane.client, `r-${plane.connector}`);
    const bodies: string[] = [];
    for await (const answer of messages.range(topic.queue, 437, 2_437, new AbortController().signal)) {
      bodies.push(...answer.map(({ body }) => body.toString()));
    }
    expect(bodies).toEqual(bodiesBetween(437, 2_437));
    expect([await messages.minOffset(topic.queue), await messages.endOffset(topic.queue)]).toEqual([0, 3_000]);
    topic.close();
  });

  it('a source writes single records between the batches of others, and finds its own after a kill', async () => {
    const topic = await create();
    const lines = { file: ['a1', 'a2', 'a3'] };
    const first = await plane.source(new LineSource(topic.queue.topic, lines));
    await until('it is sent', () => first.counters.recordsSent === 3);
    await topic.send(1_000);
    lines.file.push('a4');
    await until('it is sent', () => first.counters.recordsSent === 4);
    first.loop.kill();
    await first.loop.ended;
    await topic.send(1_000, true);
    lines.file.push('a5', 'a6');
    const second = await plane.source(new LineSource(topic.queue.topic, lines));
    await until('it is sent', () => second.counters.recordsSent === 2);
    expect(await second.loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect([second.counters.incompleteScans, await plane.barriersIn(topic.queue)]).toEqual([0, 1]);
    const { messages } = await plane.client.consumer.pull({ queue: topic.queue, offset: 0, group: `r-${plane.connector}` });
    expect(messages.slice(0, 3).map(({ isInnerBatch, body }) => [isInnerBatch, body.toString()])).toEqual([
      [false, 'a1'],
      [false, 'a2'],
      [false, 'a3'],
    ]);

    const sink = new LineSink();
    const { loop } = await plane.sink(sink, topic.queue.topic);
    await until('all is read', () => sink.values.length === 2_006);
    await loop.stop();
    expect(sink.values.filter((value) => value.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6']);
    topic.close();
  });
});
