import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forEachProperty } from '@sluice/protocol';
import type { SinkRecord, SourceRecord } from '@sluice/sdk';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

/** Gives one record a line, with the attributes of that line. */
class AttributedSource extends LineSource {
  constructor(
    topic: string,
    private readonly attributes: Readonly<Record<string, NonNullable<SourceRecord['rocketmq']>>>,
  ) {
    super(topic, { [topic]: Object.keys(attributes) });
  }

  override async poll(): Promise<readonly SourceRecord[]> {
    const records = await super.poll();
    return records.map((record) => {
      const rocketmq = this.attributes[record.value as string];
      return rocketmq === undefined ? record : { ...record, rocketmq };
    });
  }
}

class RecordSink extends LineSink {
  readonly records: SinkRecord[] = [];

  override put(records: readonly SinkRecord[]): Promise<void> {
    this.records.push(...records);
    return super.put(records);
  }
}

describe('the attributes of RocketMQ on a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  it('pass from a source through the broker, which filters and finds by them, to a sink', async () => {
    const topic = await plane.topic(1);
    const [queue] = await plane.queuesOf(topic, 1);
    const attributes = { paid: { tag: 'paid', keys: ['order-7', 'user-1'], shardingKey: 'user 1' }, open: { tag: 'open' }, none: {} };
    const startedAt = Date.now();
    const source = await plane.source(new AttributedSource(topic, attributes));
    await until('all is sent', () => source.counters.recordsSent === 3);
    await source.loop.stop();

    const [first] = await plane.messagesOf(queue!);
    const properties = new Map<string, string>();
    forEachProperty(first!.rawProperties, (name, value) => properties.set(name, value));
    expect(Object.fromEntries(properties)).toMatchObject({ TAGS: 'paid', KEYS: 'order-7 user-1', __SHARDINGKEY: 'user 1' });

    const group = `g-${topic}`;
    await plane.client.admin.createGroup({ group });
    const reader = plane.client.consumer.readQueue(queue!, { from: 0, group, filter: { tags: 'open' } });
    const filtered = await reader.next();
    reader.close();
    expect(filtered.map(({ body }) => body.toString())).toEqual(['open']);
    await until('the broker has indexed the key', async () => {
      const { messages } = await plane.client.admin.messages.byKey({ topic, key: 'user-1' });
      return messages.length === 1 && messages[0]?.body.toString() === 'paid';
    });

    const sink = new RecordSink();
    const reading = await plane.sink(sink, topic);
    await until('all is read', () => sink.records.length === 3);
    await reading.loop.stop();
    const [paid, open, none] = sink.records.map(({ rocketmq, key }) => ({ ...rocketmq, tag: rocketmq?.tag, keys: rocketmq?.keys, key }));
    expect(paid).toMatchObject({ tag: 'paid', keys: ['order-7', 'user-1'], key: undefined });
    expect(open).toMatchObject({ tag: 'open', keys: [] });
    expect(none).toMatchObject({ tag: undefined, keys: [] });
    expect(sink.records[0]?.rocketmq?.shardingKey).toBe('user 1');
    for (const { rocketmq } of sink.records) {
      expect(rocketmq?.bornAt).toBeGreaterThanOrEqual(startedAt);
      expect(rocketmq?.bornAt).toBeLessThanOrEqual(Date.now());
    }
  });

  it('reach a sink from messages that applications delayed', async () => {
    const topic = await plane.topic(1);
    const deliverAt = Date.now() + 3000;
    const producer = plane.client.topicProducer(topic);
    await producer.send({ body: Buffer.from('at'), deliverAt });
    await producer.send({ body: Buffer.from('level'), delayLevel: 1 });
    await producer.send({ body: Buffer.from('now') });
    await producer.close();
    const sink = new RecordSink();
    const reading = await plane.sink(sink, topic);
    await until('all is delivered', () => sink.records.length === 3, 30_000);
    await reading.loop.stop();
    expect(sink.values).toEqual(['now', 'level', 'at']);
    expect(sink.records.map(({ rocketmq }) => rocketmq?.delayLevel)).toEqual([undefined, 1, undefined]);
    expect(sink.records.map(({ rocketmq }) => rocketmq?.deliverAt)).toEqual([undefined, undefined, deliverAt]);
  });

  it('let a source delay nothing, and say why', async () => {
    const topic = await plane.topic(1);
    const { loop } = await plane.source(new AttributedSource(topic, { a: { deliverAt: Date.now() + 1000 } }));
    const { error } = (await loop.ended) as { readonly error: Error };
    expect(error.message).toContain('a source cannot delay records: RocketMQ would put it into its queue behind later ones');
  });
});
