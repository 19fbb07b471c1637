import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { fillerOf, type PayloadKind } from './payload.js';

const place = { seed: 1, partition: 2, seq: 3 };

function payload(kind: PayloadKind, at: typeof place, length = 4096): Buffer {
  const body = Buffer.alloc(length);
  fillerOf(kind)(body, at);
  return body;
}

describe.each(['random', 'words'] as const)('a payload of %s', (kind) => {
  it('follows from seed, partition and number, all their bits, and from nothing else', () => {
    const first = payload(kind, place);
    expect(payload(kind, { ...place })).toEqual(first);
    const others = [
      { ...place, seed: 2 },
      { ...place, seed: 1 + 2 ** 32 },
      { ...place, partition: 3 },
      { ...place, seq: 4 },
      { ...place, seq: 3 + 2 ** 32 },
      { seed: 2, partition: 1, seq: 3 },
    ].map((at) => payload(kind, at).toString('latin1'));
    expect(new Set([first.toString('latin1'), ...others]).size).toBe(7);
  });

  it.each([0, 1, 4, 5, 6, 7, 99])('of %i bytes is printable ASCII without quotes and backslashes', (length) => {
    const text = payload(kind, place, length).toString('latin1');
    expect(text).toHaveLength(length);
    expect(text).toMatch(/^[A-Za-z0-9 _-]*$/);
  });
});

describe('payloads', () => {
  it('of random characters fill bodies that are longer than what they are copied from', () => {
    const length = 3 * 1024 * 1024;
    const text = payload('random', place, length).toString('latin1');
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(text).toHaveLength(length);
  });

  it('of random characters keep their six bits each when compressed; words shrink', () => {
    expect(deflateSync(payload('random', place)).length).toBeGreaterThan(4096 * 0.74);
    expect(deflateSync(payload('words', place)).length).toBeLessThan(4096 * 0.5);
  });
});
