import { describe, expect, it } from '@jest/globals';
import { HashRing, hashOfKey, pointsOf } from './hash-ring.js';
import { murmur3 } from './murmur3.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('murmur3', () => {
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0, 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aa', 0x9747b28c, 0x5d211726],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of %j with seed %d is the published %d', (text, seed, expected) => {
    expect(murmur3(utf8(text), seed)).toBe(expected);
  });

  it('changes about half of its bits with each bit of the input', () => {
    const bytes = utf8('connector-0');
    const flips = Array.from({ length: bytes.length * 8 }, (_, bit) => {
      const other = Uint8Array.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      let changed = (murmur3(bytes, 7) ^ murmur3(other, 7)) >>> 0;
      let count = 0;
      for (; changed > 0; changed >>>= 1) count += changed & 1;
      return count;
    });
    const mean = flips.reduce((sum, count) => sum + count, 0) / flips.length;
    expect(mean).toBeGreaterThan(14);
    expect(mean).toBeLessThan(18);
    expect(Math.min(...flips)).toBeGreaterThanOrEqual(6);
  });
});

describe('HashRing', () => {
  it('gives a key to the first point at or after it, and past the last one to the first', () => {
    const ring = new HashRing([
      [1, [100, 0xffff_0000]],
      [2, [200]],
    ]);
    expect([0, 100, 101, 200, 201, 0xffff_0000, 0xffff_0001].map((hash) => ring.ownerOf(hash))).toEqual([
      1, 1, 2, 2, 1, 1, 1,
    ]);
  });

  it('gives a point that two owners share to the lower one', () => {
    expect(
      new HashRing([
        [7, [50]],
        [3, [50]],
      ]).ownerOf(50),
    ).toBe(3);
  });

  it('has no owner when it is empty', () => {
    expect(new HashRing([]).ownerOf(1)).toBeUndefined();
  });

  it('gives points in proportion to weight, at least one and at most 8,192', () => {
    const count = (weight: number): number => pointsOf('w', weight).length;
    expect([0.0001, 0.5, 1, 3, 1e9].map(count)).toEqual([1, 64, 128, 384, 8_192]);
  });

  it('keeps the points of a worker that only gains weight', () => {
    expect(pointsOf('w', 2).slice(0, 128)).toEqual(pointsOf('w', 1));
    expect(hashOfKey('c-0')).toBe(hashOfKey('c-0'));
  });
});
