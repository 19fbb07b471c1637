import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FrameTooLargeError, MalformedDataError } from '../errors.js';
import { FrameReader } from './frame-reader.js';

const MAX = 16 * 1024 * 1024;

function framed(payload: Buffer): Buffer {
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeInt32BE(payload.length, 0);
  payload.copy(frame, 4);
  return frame;
}

describe('FrameReader', () => {
  it('gives the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 4, maxLength: 60 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 }),
        (payloads, cuts) => {
          const stream = Buffer.concat(payloads.map((payload) => framed(Buffer.from(payload))));
          const reader = new FrameReader(MAX);
          const seen: string[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const end = Math.min(stream.length, at + cuts[turn % cuts.length]!);
            reader.push(stream.subarray(at, end), (frame) => seen.push(frame.toString('hex')));
            at = end;
          }
          expect(seen).toEqual(payloads.map((payload) => Buffer.from(payload).toString('hex')));
        },
      ),
    );
  });

  it('gives whole frames from the memory that it lends, however it is filled', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 4, max: 300_000 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 64 * 1024 }), { minLength: 1, maxLength: 20 }),
        (sizes, cuts) => {
          const payloads = sizes.map((size, index) => Buffer.alloc(size, index + 1));
          const stream = Buffer.concat(payloads.map(framed));
          const reader = new FrameReader(MAX);
          const frames: Buffer[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const count = stream.copy(reader.space, 0, at, at + cuts[turn % cuts.length]!);
            reader.filled(count, (frame, isLent) => frames.push(isLent ? Buffer.from(frame) : frame));
            at += count;
          }
          expect(frames.map((frame) => frame.length)).toEqual(sizes);
          expect(frames.every((frame, index) => frame.equals(payloads[index]!))).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reports, already when it gives a frame, whether the stream filled all the memory that it lent', () => {
    const reader = new FrameReader(MAX);
    const seen: boolean[] = [];
    const fill = (bytes: Buffer): void => {
      bytes.copy(reader.space);
      reader.filled(bytes.length, () => seen.push(reader.hasFilledSpace));
    };
    const lentBytes = reader.space.length;
    const long = framed(Buffer.alloc(100_000));
    fill(Buffer.concat([framed(Buffer.alloc(8)), long]).subarray(0, lentBytes));
    const missing = long.length + 12 - lentBytes;
    expect(reader.space).toHaveLength(missing);
    fill(Buffer.alloc(missing));
    fill(framed(Buffer.alloc(8)));
    expect(seen).toEqual([true, true, false]);
  });

  it('passes over a frame over the limit once it has given its header', () => {
    const long = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('{ }'), Buffer.alloc(200)]);
    const stream = Buffer.concat([framed(Buffer.from('before')), framed(long), framed(Buffer.from('after'))]);
    for (const step of [1, 7, 100, stream.length]) {
      const reader = new FrameReader(50);
      const seen: string[] = [];
      for (let at = 0; at < stream.length; at += step) {
        reader.push(
          stream.subarray(at, at + step),
          (frame) => seen.push(frame.toString()),
          (head, bytes) => seen.push(`${head.toString('utf8', 4)} of ${bytes}`),
        );
      }
      expect(seen).toEqual(['before', '{ } of 207', 'after']);
    }
  });

  it.each([
    ['another type of header', [2, 0, 0, 3]],
    ['a header longer than the frame', [0, 0, 1, 0]],
    ['a header that none has', [0, 1, 0, 0]],
  ])('does not pass over a frame with %s', (_what, mark) => {
    const long = framed(Buffer.concat([Buffer.from(mark), Buffer.alloc(100)]));
    expect(() => {
      new FrameReader(50).push(
        long,
        () => undefined,
        () => undefined,
      );
    }).toThrow(FrameTooLargeError);
  });

  it('reads a frame of 4 MiB that comes byte by byte', () => {
    const payload = Buffer.alloc(4 * 1024 * 1024);
    for (let at = 0; at < payload.length; at += 1) payload[at] = at % 251;
    const stream = framed(payload);
    const reader = new FrameReader(MAX);
    const frames: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 1) reader.push(stream.subarray(at, at + 1), (frame) => frames.push(frame));
    expect(frames).toHaveLength(1);
    expect(frames[0]!.equals(payload)).toBe(true);
  });

  it('does not copy a frame that lies within one chunk', () => {
    const chunk = framed(Buffer.from('abcdef'));
    const frames: Buffer[] = [];
    new FrameReader(MAX).push(chunk, (frame) => frames.push(frame));
    chunk.write('X', 4);
    expect(frames[0]?.toString()).toBe('Xbcdef');
  });

  it('refuses a frame over the limit before it is read', () => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(1_001, 0);
    const read = (): void => {
      new FrameReader(1_000).push(head, () => undefined);
    };
    expect(read).toThrow(FrameTooLargeError);
    expect(read).toThrow('frame of 1001 bytes, allowed are 1000');
  });

  it('refuses lengths that no frame has', () => {
    for (const length of [-1, 0, 3]) {
      const head = Buffer.alloc(4);
      head.writeInt32BE(length, 0);
      expect(() => {
        new FrameReader(MAX).push(head, () => undefined);
      }).toThrow(MalformedDataError);
    }
  });

  it('cuts any bytes into frames within the limit or refuses them with a typed error', () => {
    const length = fc.oneof(fc.integer({ min: -5, max: 60 }), fc.integer()).map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(value, 0);
      return bytes;
    });
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.oneof(length, random), { maxLength: 12 }), (chunks) => {
        const reader = new FrameReader(50);
        let read = 0;
        try {
          for (const chunk of chunks) {
            reader.push(chunk, (frame) => {
              expect(frame.length).toBeLessThanOrEqual(50);
              read += 4 + frame.length;
            });
          }
        } catch (error) {
          if (!(error instanceof FrameTooLargeError)) expect(error).toBeInstanceOf(MalformedDataError);
        }
        expect(read).toBeLessThanOrEqual(Buffer.concat(chunks).length);
      }),
      { numRuns: 2_000 },
    );
  });
});
