import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queueKey, type RecordMetadata, type SinkRecord, type SourceRecord } from '@sluice/sdk';
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
});
