import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { BatchEncoder } from '../wire/batch-encoder.js';
import { SYS_FLAG } from '../wire/sys-flag.js';
import { MessageUnreadableError } from './logical-messages.js';
import type { PullAnswer, PullOptions } from './pull.js';
import { QueueReader } from './queue-reader.js';
import type { QueueReaderOptions, QueueReaderSource } from './queue-reader-options.js';

const QUEUE = { topic: 't', brokerName: 'b', queueId: 0 };
/** What a broker gives in one answer by count, without the first record. */
const BROKER_LIMIT = 512;

interface Stored {
  readonly base: number;
  readonly count: number;
  readonly bytes: Buffer;
}

function record(base: number, body: Buffer, sysFlag: number, properties: string): Buffer {
  const bytes = Buffer.alloc(92 + body.length + properties.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(0xda_a3_20_a7, 4);
  bytes.writeBigInt64BE(BigInt(base), 20);
  bytes.writeInt32BE(sysFlag, 36);
  bytes.writeInt32BE(body.length, 84);
  body.copy(bytes, 88);
  bytes.writeUInt8(1, 88 + body.length);
  bytes.write('t', 89 + body.length);
  bytes.writeUInt16BE(properties.length, 90 + body.length);
  bytes.write(properties, 92 + body.length);
  return bytes;
}

/** A queue of BatchCQ: a pull gives the whole record that holds its offset, then further whole ones within both limits. */
class BatchQueue implements QueueReaderSource {
  readonly closing = new AbortController().signal;
  readonly pulls: number[] = [];
  readonly #stored: Stored[] = [];
  max = 0;
  /** A batch's first offset: retention removes whole batches. */
  min = 0;

  single(): void {
    this.#add(1, record(this.max, Buffer.from(`m${this.max}`), 0, ''));
  }

  /** @param body given instead of the messages' bytes */
  batch(count: number, isCompressed = false, body?: Buffer): void {
    const encoder = new BatchEncoder({ maxBytes: 16 * 1024 * 1024 });
    for (let index = 0; index < count; index += 1) encoder.add(Buffer.from(`m${this.max + index}`), '');
    const { bytes } = encoder.finish();
    const flag = SYS_FLAG.NEED_UNWRAP | SYS_FLAG.INNER_BATCH | (isCompressed ? SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB : 0);
    const kept = body ?? (isCompressed ? deflateSync(bytes) : bytes);
    this.#add(count, record(this.max, kept, flag, `INNER_NUM\u0001${count}`));
  }

  #add(count: number, bytes: Buffer): void {
    this.#stored.push({ base: this.max, count, bytes });
    this.max += count;
  }

  invalidateRoute(): void {
    throw new Error('nothing fails');
  }

  async pull({ offset, maxMessages = 32 }: PullOptions): Promise<PullAnswer> {
    this.pulls.push(offset);
    await new Promise((resolve) => setImmediate(resolve));
    if (offset < this.min) {
      const range = { nextOffset: this.min, minOffset: this.min, maxOffset: this.max };
      return { ...range, kind: 'offset-moved', body: Buffer.alloc(0), brokerId: 0 };
    }
    const taken: Stored[] = [];
    let count = 0;
    for (const stored of this.#stored) {
      if (stored.base + stored.count <= offset) continue;
      if (taken.length > 0 && (count + stored.count > maxMessages || count >= BROKER_LIMIT)) break;
      taken.push(stored);
      count += stored.count;
    }
    const last = taken.at(-1);
    return {
      kind: last === undefined ? 'empty' : 'found',
      nextOffset: last === undefined ? offset : last.base + last.count,
      minOffset: this.min,
      maxOffset: this.max,
      body: Buffer.concat(taken.map(({ bytes }) => bytes)),
      brokerId: 0,
    };
  }
}

function readerOf(queue: BatchQueue, options: Partial<QueueReaderOptions> = {}): QueueReader {
  return new QueueReader(QUEUE, { from: 0, group: 'g', suspendMs: 1_000, ...options }, queue);
}

/** Reads up to the queue's end, and checks that each message is the one that was sent for its offset. */
async function readToEnd(reader: QueueReader, queue: BatchQueue): Promise<number[]> {
  const offsets: number[] = [];
  while (reader.position < queue.max) {
    for (const { queueOffset, body } of await reader.nextMessages()) {
      if (body.toString() !== `m${queueOffset}`) throw new Error(`offset ${queueOffset} has ${body.toString()}`);
      offsets.push(queueOffset);
    }
  }
  reader.close();
  return offsets;
}

const upTo = (end: number, from = 0): number[] => Array.from({ length: end - from }, (_, index) => from + index);

describe('a reader of a queue of inner batches', () => {
  it.each([1_000, 300, 70])('fetches batches of %i once each, but for those before it learned their size', async (size) => {
    const queue = new BatchQueue();
    for (let batch = 0; batch < 40; batch += 1) queue.batch(size);
    expect(await readToEnd(readerOf(queue), queue)).toEqual(upTo(40 * size));
    const needed = Math.ceil(40 / Math.max(1, Math.floor(BROKER_LIMIT / size)));
    expect(queue.pulls.length).toBeLessThanOrEqual(needed + 4);
  });

  it('fetches batches of different sizes once each, the next ones ahead of its caller', async () => {
    const queue = new BatchQueue();
    for (let batch = 0; batch < 40; batch += 1) queue.batch(600 + ((batch * 37) % 101));
    const reader = readerOf(queue);
    await reader.nextMessages();
    await reader.nextMessages();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(new Set(queue.pulls.filter((offset) => offset >= reader.position)).size).toBe(4);
    await readToEnd(reader, queue);
    expect(queue.pulls.length).toBeLessThanOrEqual(40 + 4);
  });

  it('starts at any offset, among batches and single messages of any size', async () => {
    const queue = new BatchQueue();
    for (const size of [3, 1, 1, 700, 2, 1, 40, 40, 40, 1_000, 5]) {
      if (size === 1) queue.single();
      else queue.batch(size, size === 40);
    }
    for (const from of [0, 1, 2, 3, 4, 5, 437, 704, 705, 706, 707, 708, 746, 747, 800, 1_500, 1_828, 1_832]) {
      expect(await readToEnd(readerOf(queue, { from }), queue)).toEqual(upTo(queue.max, from));
    }
  });

  it('reads from inside of the oldest batch that retention left, and says where it begins to one behind', async () => {
    const queue = new BatchQueue();
    for (let batch = 0; batch < 3; batch += 1) queue.batch(1_000);
    queue.min = 1_000;
    expect(await readToEnd(readerOf(queue, { from: 1_437 }), queue)).toEqual(upTo(3_000, 1_437));
    const late = readerOf(queue, { from: 437 });
    await expect(late.nextMessages()).rejects.toMatchObject({ reason: 'below-min', range: { offset: 437, minOffset: 1_000 } });
    late.close();
  });

  it('reads a batch of 32,767 messages', async () => {
    const queue = new BatchQueue();
    queue.batch(32_767);
    queue.single();
    const offsets = await readToEnd(readerOf(queue, { from: 32_000 }), queue);
    expect([offsets.length, offsets[0], offsets.at(-1)]).toEqual([768, 32_000, 32_767]);
  });

  it('decompresses one batch at a time, within its limit of bytes', async () => {
    const queue = new BatchQueue();
    for (let batch = 0; batch < 5; batch += 1) queue.batch(50, true);
    const reader = readerOf(queue, { maxBodyBytes: 50 * 30 });
    const lengths: [number, number][] = [];
    while (reader.position < queue.max) lengths.push([(await reader.nextMessages()).length, reader.position]);
    expect(lengths).toEqual([1, 2, 3, 4, 5].map((batch) => [50, 50 * batch]));
    expect(queue.pulls).toEqual([0, queue.max]);
    const narrow = readerOf(queue, { maxBodyBytes: 50 * 20 });
    await expect(narrow.nextMessages()).rejects.toMatchObject({ code: 'MESSAGE_UNREADABLE', queueOffset: 0 });
    reader.close();
    narrow.close();
  });

  it('gives what stands before a batch that cannot be read, stays before it, and resumes behind it', async () => {
    const queue = new BatchQueue();
    queue.batch(50, true);
    queue.batch(50, true, Buffer.from('broken'));
    queue.batch(50, true);
    const reader = readerOf(queue, { from: 20 });
    expect((await reader.nextMessages()).map(({ queueOffset }) => queueOffset)).toEqual(upTo(50, 20));
    for (let turn = 0; turn < 2; turn += 1) {
      await expect(reader.nextMessages()).rejects.toBeInstanceOf(MessageUnreadableError);
      expect(reader.position).toBe(50);
    }
    reader.seek(100);
    expect(await readToEnd(reader, queue)).toEqual(upTo(150, 100));
  });
});
