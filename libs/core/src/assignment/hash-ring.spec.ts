import { describe, expect, it } from '@jest/globals';
import { HashRing, pointsOf } from './hash-ring.js';
import { murmur3 } from './murmur3.js';

/** The text whose code units are these bytes, two by two. */
function packed(text: string): string {
  const bytes = new TextEncoder().encode(text);
  const units = Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i]! | (bytes[2 * i + 1]! << 8));
  return String.fromCharCode(...units);
}

describe('murmur3', () => {
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['aa', 0x9747b28c, 0x5d211726],
    ['ab', 0x9747b28c, 0x74875592],
    ['abcd', 0x9747b28c, 0xf0478627],
    ['ππππππππ', 0x9747b28c, 0xd58063c1],
  ])('of the bytes of %j with seed %d is the published %d', (bytes, seed, expected) => {
    expect(murmur3(packed(bytes), seed)).toBe(expected);
  });

  it('changes about half of its bits with each bit of the input', () => {
    const text = 'connector-0';
    const flips = Array.from({ length: text.length * 16 }, (_, bit) => {
      const units = Array.from(text, (unit) => unit.charCodeAt(0));
      units[bit >> 4]! ^= 1 << (bit & 15);
      const changed = (murmur3(text, 7) ^ murmur3(String.fromCharCode(...units), 7)) >>> 0;
      return changed.toString(2).replaceAll('0', '').length;
    });
    const mean = flips.reduce((sum, count) => sum + count, 0) / flips.length;
    expect(mean).toBeGreaterThan(15);
    expect(mean).toBeLessThan(17);
    expect(Math.min(...flips)).toBeGreaterThanOrEqual(6);
  });
});

describe('HashRing', () => {
  it('gives a key to the first point at or after it, and past the last one to the first', () => {
    const ring = new HashRing([
      [1, [100]],
      [2, [200, 0xffff_0000]],
    ]);
    expect([0, 100, 101, 200, 201, 0xffff_0000, 0xffff_0001].map((hash) => ring.ownerOf(hash))).toEqual([1, 1, 2, 2, 2, 2, 1]);
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
  });
});
