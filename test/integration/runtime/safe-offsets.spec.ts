import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forEachProperty } from '@sluice/protocol';
import type { FlushOptions, QueueRef, SinkPosition, SinkRecord, SinkTask } from '@sluice/sdk';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSource } from './data-plane.js';

const HELD = 40;

/** Writes records late: it always holds the newest ones back, and reports the offsets before them as safe. */
class LateSink implements SinkTask {
  readonly #held: SinkRecord[] = [];
  readonly safe = new Map<number, number>();

  /** @param written outlives the sink */
  constructor(private readonly written: SinkRecord[]) {}

  start(): Promise<void> {
    return Promise.resolve();
  }

  open(): Promise<[]> {
    return Promise.resolve([]);
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    this.#held.push(...records);
    return Promise.resolve();
  }

  flush(positions: readonly SinkPosition[], _signal: AbortSignal, { everything }: FlushOptions): Promise<readonly SinkPosition[]> {
    this.written.push(...this.#held.splice(0, everything ? Infinity : Math.max(0, this.#held.length - HELD)));
    for (const { queue, nextOffset } of positions) {
      const first = this.#held.find(({ queue: { queueId } }) => queueId === queue.queueId);
      this.safe.set(queue.queueId, first?.offset ?? nextOffset);
    }
    return Promise.resolve(positions.map(({ queue }) => ({ queue, nextOffset: this.safe.get(queue.queueId) ?? 0 })));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a sink that holds records back, on a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  /** Does what a producer does whose answer was lost: stores messages again, with their stamps. */
  async function repeat(queue: QueueRef, from: number, count: number): Promise<void> {
    for (const { body, rawProperties } of (await plane.messagesOf(queue)).slice(from, from + count)) {
      const properties = new Map<string, string>();
      forEachProperty(rawProperties, (name, value) => properties.set(name, value));
      await plane.client.producer.send(queue, { body, properties });
    }
  }

  it('loses nothing and gets nothing twice after five crashes and a stop, among messages that were stored twice', async () => {
    const topic = await plane.topic(2);
    const queues = await plane.queuesOf(topic, 2);
    const lines: Record<string, string[]> = { a: [], b: [], c: [] };
    const source = await plane.source(new LineSource(topic, lines));
    const written: SinkRecord[] = [];
    const group = `g-${plane.connector}-${topic}`;
    const committed = async (queue: QueueRef): Promise<number> => (await plane.client.admin.queryOffset(group, queue)) ?? 0;
    const end = async (): Promise<number> => {
      const ends = await Promise.all(queues.map((queue) => plane.client.admin.maxOffset(queue)));
      return ends.reduce((sum, one) => sum + one, 0);
    };
    let sent = 0;
    let dropped = 0;
    for (let run = 0; run < 6; run++) {
      for (const [file, all] of Object.entries(lines)) for (let n = 0; n < 100; n++) all.push(`${file}${all.length}`);
      sent += 300;
      await until('all is sent', () => source.counters.recordsSent === sent);
      for (const queue of queues) await repeat(queue, (await plane.client.admin.maxOffset(queue)) - 30, 30);
      const before = await Promise.all(queues.map(committed));
      const toRead = (await end()) - before.reduce((sum, one) => sum + one, 0);
      const sink = new LateSink(written);
      const { loop, counters } = await plane.sink(sink, topic);
      await until('all is read', () => counters.recordsRead === toRead, 30_000);
      dropped += counters.droppedRepeatedSeq;
      if (run === 5) expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
      else {
        const flushes = counters.flushes;
        await until('it was flushed since', () => counters.flushes > flushes + 1, 30_000);
        const isCommitted = async (queue: QueueRef): Promise<boolean> => (await committed(queue)) === sink.safe.get(queue.queueId);
        await until('what is safe is committed', async () => (await Promise.all(queues.map(isCommitted))).every(Boolean), 30_000);
        loop.kill();
        await loop.ended;
      }
    }
    await source.loop.stop();
    expect(dropped).toBeGreaterThanOrEqual(6 * 60);
    const places = written.map(({ queue, offset, value }) => `${queue.queueId}:${offset} ${value as string}`);
    expect(new Set(places).size).toBe(places.length);
    const expected = Object.values(lines).flat();
    const values = written.map(({ value }) => value as string);
    expect(values).toHaveLength(expected.length);
    expect(new Set(values)).toEqual(new Set(expected));
    for (const queue of queues) expect(await committed(queue)).toBe(await plane.client.admin.maxOffset(queue));
  }, 180_000);
});
