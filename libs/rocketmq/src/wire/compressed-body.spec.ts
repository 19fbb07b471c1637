import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  DecompressedTooLargeError,
  InvalidArgumentError,
  MalformedDataError,
  UnsupportedCompressionError,
} from '../errors.js';
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
const hasZstd = 'zstdDecompressSync' in zlib;
const readable = golden.bodies.filter(({ type }) => type !== 'ZSTD' || hasZstd);
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
  it.each(readable)('are read by the type in the flag: $title', (body) => {
    const plain = decompressBody(bytesOf(body), SYS_FLAG.COMPRESSED | TYPED[body.type]);
    expect(plain).toHaveLength(body.plainBytes);
    expect(sha256(plain)).toBe(body.plainSha256);
  });

  it.each(readable)('are read by their magic number where the flag has no type: $title', (body) => {
    expect(sha256(decompressBody(bytesOf(body), SYS_FLAG.COMPRESSED))).toBe(body.plainSha256);
  });

  it.each(readable)('may be as long as the limit and not a byte longer: $title', (body) => {
    const flag = SYS_FLAG.COMPRESSED | TYPED[body.type];
    expect(decompressBody(bytesOf(body), flag, body.plainBytes)).toHaveLength(body.plainBytes);
    expect(() => decompressBody(bytesOf(body), flag, body.plainBytes - 1)).toThrow(DecompressedTooLargeError);
  });

  it.each(readable)('are refused when they are cut: $title', (body) => {
    const bytes = bytesOf(body);
    for (const cut of [1, 3, bytes.length >> 1, bytes.length - 5]) {
      expect(() =>
        decompressBody(bytes.subarray(0, bytes.length - cut), SYS_FLAG.COMPRESSED | TYPED[body.type]),
      ).toThrow(MalformedDataError);
    }
  });

  it('in ZSTD are refused by name where Node cannot read them', () => {
    const zstd = golden.bodies.filter(({ type }) => type === 'ZSTD');
    expect(zstd).not.toHaveLength(0);
    for (const body of zstd) {
      if (hasZstd) {
        expect(decompressBody(bytesOf(body), SYS_FLAG.COMPRESSED)).toHaveLength(body.plainBytes);
        continue;
      }
      for (const flag of [SYS_FLAG.COMPRESSED, SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZSTD]) {
        expect(() => decompressBody(bytesOf(body), flag)).toThrow(UnsupportedCompressionError);
        expect(() => decompressBody(bytesOf(body), flag)).toThrow('ZSTD: needs Node 22.15');
      }
    }
  });

  it('of an unknown type are refused', () => {
    const typed = (type: number) => (): Buffer =>
      decompressBody(Buffer.from('xxxx'), SYS_FLAG.COMPRESSED | (type << 8));
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
    expect(decompressBody(body, sysFlag).equals(text)).toBe(true);
    const short = Buffer.from('short');
    expect(compressBody(short)).toEqual({ body: short, sysFlag: 0 });
  });
});
