import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeVerificationHeader, encodeVerificationHeader } from './verification-header.js';

describe('verification headers', () => {
  it('come back with the same numbers, whatever these are', () => {
    const count = fc.maxSafeNat();
    fc.assert(
      fc.property(fc.record({ seed: count, partition: count, seq: count, createdMs: count }), (place) => {
        expect(decodeVerificationHeader(encodeVerificationHeader(place))).toEqual({ ok: true, place });
      }),
    );
  });

  it('show a change, and differ from other texts', () => {
    const text = encodeVerificationHeader({ seed: 1, partition: 2, seq: 34, createdMs: 5 });
    expect(decodeVerificationHeader(text.replace('34', '35'))).toEqual({ ok: false, problem: 'checksum' });
    for (const other of ['', 'x', `${text}0`, text.slice(2)]) {
      expect(decodeVerificationHeader(other)).toEqual({ ok: false, problem: 'format' });
    }
  });
});
