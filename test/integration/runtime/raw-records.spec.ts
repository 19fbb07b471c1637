import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as zlib from 'node:zlib';
import { scanBarrier, scanStamp } from '@sluice/protocol';
import { SYS_FLAG } from '@sluice/rocketmq';
import type { RawMessage } from '@sluice/runtime';
import type { QueueRef, RawRecord, SinkRecord, SourcePartition, SourceRecord, SourceTask, SourceTaskContext } from '@sluice/sdk';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink } from './data-plane.js';

const ZLIB = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
const BORN_MS = 1_600_000_000_000;

/** Gives message n of its list at position n; the list may grow. */
class RawSource implements SourceTask {
  readonly #partition: SourcePartition;
  #next = 0;

  constructor(
    private readonly queue: QueueRef,
    readonly messages: readonly RawRecord[],
  ) {
    this.#partition = { of: queue.topic };
  }

  start(context: SourceTaskContext): Promise<void> {
    this.#next = Number(context.position(this.#partition)?.['position'] ?? 0);
    return Promise.resolve();
  }

  async poll(): Promise<readonly SourceRecord[]> {
    const from = this.#next;
    const given = this.messages.slice(from, from + 100);
    this.#next += given.length;
    if (given.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const { topic, brokerName, queueId } = this.queue;
    return given.map((raw, at) => ({
      topic,
      value: null,
      raw,
      rocketmq: { queue: { brokerName, queueId } },
      partition: this.#partition,
      position: { position: from + at + 1 },
    }));
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

class RawSink extends LineSink {
  readonly records: SinkRecord[] = [];

  override put(records: readonly SinkRecord[]): Promise<void> {
    this.records.push(...records);
    return Promise.resolve();
  }
}

/** Every third is compressed, every tenth has another time, each another flag, and all have bytes that are no UTF-8. */
function messageOf(n: number): RawRecord {
  const text = Buffer.from(`message ${n} `.repeat(5));
  const isCompressed = n % 3 === 0;
  return {
    body: isCompressed ? zlib.deflateSync(text) : text,
    properties: Buffer.from(`KEYS\u0001k${n}\u0002own\u0001\u00ff\u0003\n\u0002UNIQ_KEY\u0001id${n}\u0002`, 'latin1'),
    flag: n - 50,
    sysFlag: isCompressed ? ZLIB : 0,
    bornAt: BORN_MS + Math.floor(n / 10),
  };
}

describe('raw records on a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  const rawOf = ({ body, compressed, flag = 0, bornTimestamp, rawProperties }: RawMessage): RawRecord => ({
    body: compressed?.body ?? body,
    properties: rawProperties,
    flag,
    sysFlag: compressed?.sysFlag ?? 0,
    bornAt: bornTimestamp,
  });

  function requireSame(found: RawRecord | undefined, given: RawRecord): void {
    const { body, properties, ...rest } = given;
    expect(found).toMatchObject(rest);
    expect(Buffer.compare(found!.body, body)).toBe(0);
    expect(Buffer.from(found!.properties).subarray(0, properties.length).equals(properties)).toBe(true);
  }

  it('arrive as they were, once each in their order, over a task that was killed, and a sink gets them so', async () => {
    const topic = await plane.topic(2);
    const [, queue] = await plane.queuesOf(topic, 2);
    const messages = Array.from({ length: 300 }, (_, n) => messageOf(n));
    const killed = await plane.source(new RawSource(queue!, messages), { isRaw: true });
    await until('some are sent', () => killed.counters.recordsSent > 50);
    killed.loop.kill();
    await killed.loop.ended;
    const source = await plane.source(new RawSource(queue!, messages), { isRaw: true });
    const sink = new RawSink();
    const reading = await plane.sink(sink, topic, {}, true);
    await until('all are read', () => sink.records.length >= messages.length);
    await source.loop.stop();
    await reading.loop.stop();
    expect(sink.records).toHaveLength(messages.length);
    for (const [n, { raw, value }] of sink.records.entries()) {
      requireSame(raw, messages[n]!);
      expect(value).toBeNull();
    }
    const stored = (await plane.messagesOf(queue!)).filter(({ rawProperties }) => scanBarrier(rawProperties) === undefined);
    for (const message of stored) {
      expect(scanStamp(message.rawProperties)).toBeDefined();
      requireSame(rawOf(message), messages[(message.flag ?? 0) + 50]!);
    }
  });
});
