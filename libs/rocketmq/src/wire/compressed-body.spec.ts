import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { DecompressedTooLargeError, InvalidArgumentError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';
import { compressBody, decompressBody } from './compressed-body.js';
import { SYS_FLAG } from './sys-flag.js';

interface GoldenBody {
  readonly title: string;
  readonly type: 'LZ4' | 'ZSTD' | 'ZLIB';
  readonly plainBytes: number;
  readonly plainSha256: string;
  readonly compressed: string;
}

const golden = JSON.parse(readFileSync(new URL('./wire-bytes.golden.json', import.meta.url), 'utf8')) as {
  readonly bodies: readonly GoldenBody[];
};
const hasNativeZstd = 'zstdCompressSync' in zlib;
const TYPED = {
  LZ4: SYS_FLAG.COMPRESSION_LZ4,
  ZSTD: SYS_FLAG.COMPRESSION_ZSTD,
  ZLIB: SYS_FLAG.COMPRESSION_ZLIB,
} as const;

function bytesOf(body: GoldenBody): Buffer {
  return Buffer.from(body.compressed, 'base64');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('compressed bodies', () => {
  it.each(golden.bodies)('are read by the type in the flag: $title', (body) => {
    const plain = decompressBody(bytesOf(body), SYS_FLAG.COMPRESSED | TYPED[body.type]);
    expect(plain).toHaveLength(body.plainBytes);
    expect(sha256(plain)).toBe(body.plainSha256);
  });

  it.each(golden.bodies)('are read by their magic number where the flag has no type: $title', (body) => {
    expect(sha256(decompressBody(bytesOf(body), SYS_FLAG.COMPRESSED))).toBe(body.plainSha256);
  });

  it.each(golden.bodies)('may be as long as the limit and not a byte longer: $title', (body) => {
    const flag = SYS_FLAG.COMPRESSED | TYPED[body.type];
    expect(decompressBody(bytesOf(body), flag, body.plainBytes)).toHaveLength(body.plainBytes);
    expect(() => decompressBody(bytesOf(body), flag, body.plainBytes - 1)).toThrow(DecompressedTooLargeError);
  });

  it.each(golden.bodies)('are refused when they are cut: $title', (body) => {
    const bytes = bytesOf(body);
    for (const cut of [1, 3, bytes.length >> 1, bytes.length - 5]) {
      expect(() => decompressBody(bytes.subarray(0, bytes.length - cut), SYS_FLAG.COMPRESSED | TYPED[body.type])).toThrow(
        MalformedDataError,
      );
    }
  });

  it('in ZSTD are read on every version of Node', () => {
    expect(golden.bodies.filter(({ type }) => type === 'ZSTD').length).toBeGreaterThan(1);
  });

  it('in ZSTD are refused when the frame says that it holds or needs too much', () => {
    // Magic, descriptor of a single segment with an 8-byte content size, the size; then one with a window of 2^41.
    const huge = Buffer.from('28b52ffde00000000000010000010000', 'hex');
    expect(() => decompressBody(huge, SYS_FLAG.COMPRESSED)).toThrow(DecompressedTooLargeError);
    const wide = Buffer.from('28b52ffd00f8010000', 'hex');
    expect(() => decompressBody(wide, SYS_FLAG.COMPRESSED)).toThrow('ZSTD frames with windows of 2199023255552 bytes');
  });

  describe('in ZSTD of several frames', () => {
    /** One raw block of one byte. */
    const block = Buffer.from([(1 << 3) | 1, 0, 0, 0x61]);
    const MAGIC = Buffer.from('28b52ffd', 'hex');
    const small = Buffer.concat([MAGIC, Buffer.from([0x20, 1]), block]);
    const withWindow = (descriptor: number): Buffer => Buffer.concat([MAGIC, Buffer.from([0, descriptor]), block]);
    const skippable = Buffer.from('5a2a4d180300000000ffff', 'hex');
    const read = (frames: readonly Buffer[], maxBytes?: number): Buffer =>
      decompressBody(Buffer.concat(frames), SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZSTD, maxBytes);

    it.each([
      ['a first one that is small', [small]],
      ['one that decoders pass over', [small, skippable]],
      ['one with a checksum', [Buffer.concat([MAGIC, Buffer.from([0x24, 1]), block, Buffer.alloc(4)])]],
    ])('a window of 1 GiB behind %s is refused before it is reserved', (_what, before) => {
      expect(() => read([...before, withWindow(20 << 3)])).toThrow('ZSTD frames with windows of 10737');
    });

    it('the windows are bounded together', () => {
      const one = withWindow(13 << 3);
      expect(read([one], 1).toString()).toBe('a');
      expect(() => read([one, one], 1)).toThrow('ZSTD frames with windows of 16777216 bytes, allowed are 8388608');
    });

    it('what the frames say that they hold is bounded together', () => {
      expect(read([small, small, small], 3).toString()).toBe('aaa');
      expect(() => read([small, small, small], 2)).toThrow(DecompressedTooLargeError);
      // A frame of 2 GiB minus 1 behind one of a byte, which the decoder would reserve at once.
      const huge = Buffer.concat([MAGIC, Buffer.from('a0ffffff7f', 'hex'), block]);
      expect(() => read([small, huge])).toThrow(DecompressedTooLargeError);
    });

    it('all are read, around those that decoders pass over', () => {
      expect(read([skippable, small, skippable, small, skippable]).toString()).toBe('aa');
      expect(read([skippable])).toHaveLength(0);
    });

    it('more than 4,096 are refused', () => {
      expect(read(new Array<Buffer>(4_096).fill(small))).toHaveLength(4_096);
      expect(() => read(new Array<Buffer>(4_097).fill(small))).toThrow('more than 4096 ZSTD frames');
    });

    it.each([
      ['bytes that are no frame', [small, Buffer.from('xxxxxxxxx')]],
      ['too few bytes for a frame', [small, Buffer.from('xxx')]],
      ['a frame without its last block', [small, small.subarray(0, -4)]],
      ['a frame within its last block', [small, small.subarray(0, -1)]],
      ['a frame without its checksum', [Buffer.concat([MAGIC, Buffer.from([0x24, 1]), block])]],
      ['the head of a frame', [small, small.subarray(0, 5)]],
      ['a part of what decoders pass over', [small, skippable.subarray(0, -1)]],
    ])('%s at the end are refused', (_what, frames) => {
      expect(() => read(frames)).toThrow(MalformedDataError);
    });
  });

  it('in ZSTD of many blocks end at the limit while they are read', () => {
    // A frame without a content size and with a window of 1 KiB: three RLE blocks of 1,000 bytes.
    const block = (isLast: boolean): Buffer => {
      const head = (1000 << 3) | 2 | (isLast ? 1 : 0);
      return Buffer.from([head & 255, (head >> 8) & 255, head >> 16, 0x61]);
    };
    const frame = Buffer.concat([Buffer.from('28b52ffd0000', 'hex'), block(false), block(false), block(true)]);
    expect(decompressBody(frame, SYS_FLAG.COMPRESSED, 3000).equals(Buffer.alloc(3000, 'a'))).toBe(true);
    expect(() => decompressBody(frame, SYS_FLAG.COMPRESSED, 2999)).toThrow(DecompressedTooLargeError);
  });

  it('of an unknown type are refused', () => {
    const typed = (type: number) => (): Buffer => decompressBody(Buffer.from('xxxx'), SYS_FLAG.COMPRESSED | (type << 8));
    for (const type of [4, 5, 6, 7]) expect(typed(type)).toThrow(UnsupportedCompressionError);
    expect(typed(0)).toThrow(MalformedDataError);
    expect(typed(0)).toThrow('begins with 0x78787878');
  });

  it('that are not compressed or empty are given as they are', () => {
    const body = Buffer.from('plain');
    expect(decompressBody(body, SYS_FLAG.COMPRESSION_ZLIB)).toBe(body);
    const empty = Buffer.alloc(0);
    expect(decompressBody(empty, SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_LZ4)).toBe(empty);
  });

  it('have a limit that is a size', () => {
    for (const limit of [0, -1, 1.5, Number.NaN, Infinity]) {
      expect(() => decompressBody(Buffer.from('x'), 0, limit)).toThrow(InvalidArgumentError);
    }
  });

  it('are made only where they are shorter', () => {
    const text = Buffer.alloc(10_000, 'text ');
    const { body, sysFlag } = compressBody(text);
    expect(sysFlag).toBe(0x301);
    expect(body.length).toBeLessThan(200);
    expect(decompressBody(Buffer.from(body), sysFlag).equals(text)).toBe(true);
    const short = Buffer.from('short');
    expect(compressBody(short)).toEqual({ body: short, sysFlag: 0 });
  });

  it('are made with ZSTD where Node has it, and refused by name elsewhere', () => {
    const text = Buffer.alloc(10_000, 'text ');
    if (hasNativeZstd) {
      const { body, sysFlag } = compressBody(text, 'zstd');
      expect(sysFlag).toBe(0x201);
      expect(decompressBody(Buffer.from(body), sysFlag).equals(text)).toBe(true);
    } else {
      expect(() => compressBody(text, 'zstd')).toThrow(UnsupportedCompressionError);
      expect(() => compressBody(text, 'zstd')).toThrow('writing it needs Node 22.15');
    }
  });
});
