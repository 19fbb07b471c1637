import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queueKey, type NamedQueue, type RecordMetadata, type SinkRecord, type SourceRecord } from '@sluice/sdk';
import { RocketMqClient } from '@sluice/rocketmq';
import { RocketMqQueueMessages } from '@sluice/runner';
import { firstBroker } from '../../support/create-cluster.js';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

const QUEUES = 4;
const KEYS = 10;

/** Keeps where the broker stored each record. */
class TrackingSource extends LineSource {
  readonly metadata = new Map<string, RecordMetadata | undefined>();

  commitRecord(record: SourceRecord, metadata: RecordMetadata | undefined): void {
    this.metadata.set(record.value as string, metadata);
  }
}

/** Has each record name its queue. Its partition has the name of its topic. */
class NamingSource extends TrackingSource {
  constructor(
    topic: string,
    lines: string[],
    private readonly queueOf: (line: string) => NamedQueue,
  ) {
    super(topic, { [topic]: lines });
  }

  override async poll(): Promise<readonly SourceRecord[]> {
    return (await super.poll()).map((record) => ({ ...record, rocketmq: { queue: this.queueOf(record.value as string) } }));
  }
}

class QueueSink extends LineSink {
  readonly found: { readonly value: string; readonly queue: string }[] = [];

  override put(records: readonly SinkRecord[]): Promise<void> {
    for (const { value, queue } of records) this.found.push({ value: value as string, queue: queueKey(queue) });
    return super.put(records);
  }
}

const keyOf = (value: string): string => value.slice(-1);
const queueKeys = { by: { kind: 'key' }, bytesOf: ({ value }: { value: unknown }) => Buffer.from(keyOf(value as string)) } as const;
const linesOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `line ${n}`);

describe('records of one source partition in the queues of a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  it('are chosen by key, and are there once and in order for a sink, however often the source is killed', async () => {
    const topic = await plane.topic(QUEUES);
    const lines: string[] = [];
    for (let life = 1; life <= 5; life++) {
      lines.splice(0, Infinity, ...linesOf(life * 4000));
      const { loop, counters } = await plane.source(new LineSource(topic, { a: lines }), { queueKeys });
      // Killed while batches are under way to several queues.
      await until('some is sent', () => counters.recordsSent > 0);
      if (life < 5) loop.kill();
      else await until('everything is sent', () => counters.recordsPolled > 0 && counters.bufferedRecords === 0);
      if (life === 5) await loop.stop();
      await loop.ended;
    }
    const sink = new QueueSink();
    const reading = await plane.sink(sink, topic);
    await until('everything is read', () => sink.found.length >= lines.length, 60_000);
    await reading.loop.stop();
    expect(sink.values).toHaveLength(lines.length);
    expect(new Set(sink.values).size).toBe(lines.length);
    const used = new Set<string>();
    for (let key = 0; key < KEYS; key++) {
      const own = sink.found.filter(({ value }) => keyOf(value) === String(key));
      const [queue, ...others] = [...new Set(own.map((each) => each.queue))];
      expect(others).toEqual([]);
      used.add(queue ?? '');
      expect(own.map(({ value }) => value)).toEqual(lines.filter((value) => keyOf(value) === String(key)));
    }
    expect(used.size).toBeGreaterThan(1);
  });

  it('are reported to the source with the offsets and message ids under which the broker has them', async () => {
    const topic = await plane.topic(QUEUES);
    const source = new TrackingSource(topic, { b: linesOf(100) });
    const { loop } = await plane.source(source, { queueKeys });
    await until('all is reported', () => source.metadata.size === 100);
    await loop.stop();
    for (const value of ['line 0', 'line 42', 'line 99']) {
      const { queue, offset, messageId } = source.metadata.get(value)!;
      const stored = await plane.messagesOf(queue);
      expect(stored.find(({ queueOffset }) => queueOffset === offset)?.body.toString()).toBe(value);
      const found = await plane.client.admin.messages.byOffsetId(messageId!, { topic });
      expect(found).toMatchObject({ queueId: queue.queueId, queueOffset: offset });
      expect(found?.body.toString()).toBe(value);
    }
  });

  it('are those that records name, once and in order, however often the source is killed', async () => {
    const topic = await plane.topic(QUEUES);
    const brokerName = await firstBroker(plane.client);
    const byRecord = { by: { kind: 'record' }, bytesOf: () => undefined } as const;
    const placeOf = (line: string): number => Number(keyOf(line)) % QUEUES;
    // By place for some lines, by broker and number for others.
    const queueOf = (line: string): NamedQueue => (line.length % 2 === 0 ? placeOf(line) : { brokerName, queueId: placeOf(line) });
    const lines: string[] = [];
    for (let life = 1; life <= 3; life++) {
      lines.splice(0, Infinity, ...linesOf(life * 4000));
      const source = new NamingSource(topic, lines, queueOf);
      const { loop, counters } = await plane.source(source, { queueKeys: byRecord });
      await until('some is sent', () => counters.recordsSent > 0);
      if (life < 3) loop.kill();
      else {
        await until('the last record is reported', () => source.metadata.get(lines.at(-1) ?? '') !== undefined);
        expect(source.metadata.get(lines.at(-1) ?? '')?.queue).toEqual({ topic, brokerName, queueId: placeOf(lines.at(-1) ?? '') });
        await loop.stop();
      }
      await loop.ended;
    }
    const sink = new QueueSink();
    const reading = await plane.sink(sink, topic);
    await until('everything is read', () => sink.found.length >= lines.length, 60_000);
    await reading.loop.stop();
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      const own = sink.found.filter(({ queue }) => queue === queueKey({ topic, brokerName, queueId }));
      expect(own.map(({ value }) => value)).toEqual(lines.filter((line) => placeOf(line) === queueId));
    }
  });

  it('are refused by name where the broker does not have them, and found once they are added', async () => {
    const topic = await plane.topic(1);
    const brokerName = await firstBroker(plane.client);
    const byRecord = { by: { kind: 'record' }, bytesOf: () => undefined } as const;
    const missing = new NamingSource(topic, ['line 0'], () => ({ brokerName, queueId: 7 }));
    const first = await plane.source(missing, { queueKeys: byRecord });
    expect(await first.loop.ended).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining(`it names queue {"brokerName":"${brokerName}","queueId":7}; the topic had 1 queue(s)`) },
    });
    const lines = ['line 0'];
    const source = new NamingSource(topic, lines, (line) => ({ brokerName, queueId: line === 'line 0' ? 0 : 7 }));
    const second = await plane.source(source, { queueKeys: byRecord });
    await until('the first is reported', () => source.metadata.size === 1);
    await plane.client.admin.createTopic({ topic, readQueues: 8, writeQueues: 8 });
    const otherClient = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
    const other = new RocketMqQueueMessages(otherClient, 'other');
    // By another client: that of the source has to look for itself.
    await until('the name server knows them', async () => (await other.queues(topic)).length === 8);
    await otherClient.close();
    lines.push('line 1');
    await until('the other one is reported', () => source.metadata.size === 2);
    expect(source.metadata.get('line 1')?.queue.queueId).toBe(7);
    await second.loop.stop();
  });
});
