import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { encodePosition, idHash, parsePartition, parsePosition, partitionOf } from './read-position.js';

const queue = { topic: 'INST%orders', brokerName: 'broker-a', queueId: 3 };

describe('positions', () => {
  it('come back as they were written', () => {
    const last = fc.option(fc.record({ storeTime: fc.maxSafeNat(), idHash: fc.string().map(idHash) }), { nil: undefined });
    fc.assert(
      fc.property(fc.maxSafeNat(), last, (offset, copied) => {
        const position = copied === undefined ? { offset } : { offset, last: copied };
        expect(parsePosition(encodePosition(position))).toEqual(position);
      }),
    );
  });

  it('are short: they stand in every stamp', () => {
    const position = { offset: 1_000_000_000, last: { storeTime: 1_800_000_000_000, idHash: idHash('7F0000010B6818B4AAC2000000000000') } };
    expect(encodePosition(position)).toEqual({ at: 'gjdgxs.mywpiww0.1sq4huv' });
  });

  it.each([
    {},
    { at: 5 },
    { at: '' },
    { at: '-1' },
    { at: 'a.b' },
    { at: 'a.b.' },
    { at: 'a.b.123456' },
    { at: 'a.b.1234567.x' },
    { at: 'a..1234567' },
    { at: 'a.b.123456A' },
  ])('are not read from %j', (position) => {
    expect(parsePosition(position)).toBeUndefined();
  });
});

describe('partitions', () => {
  it('come back as they were written', () => {
    expect(partitionOf('sluice-identity-1', queue)).toEqual({
      cluster: 'sluice-identity-1',
      topic: 'INST%orders',
      broker: 'broker-a',
      queue: 3,
    });
    expect(parsePartition(partitionOf('c', queue))).toEqual({ cluster: 'c', queue });
  });

  it.each([{ cluster: 1 }, { topic: null }, { broker: 2 }, { queue: -1 }, { queue: '3' }, { queue: 0.5 }])(
    'are not read with %j',
    (change) => {
      expect(parsePartition({ ...partitionOf('c', queue), ...change })).toBeUndefined();
    },
  );
});

describe('idHash', () => {
  it('is FNV-1a', () => {
    // Published vectors: '' 811c9dc5, 'a' e40c292c, 'foobar' bf9cf968.
    expect(['', 'a', 'foobar'].map((text) => parseInt(idHash(text), 36).toString(16))).toEqual(['811c9dc5', 'e40c292c', 'bf9cf968']);
  });

  it('differs for the ids that a producer makes one after the other', () => {
    const ids = Array.from({ length: 10_000 }, (_, at) => `7F0000010B6818B4AAC2${at.toString(16).padStart(12, '0')}`);
    expect(new Set(ids.map(idHash)).size).toBeGreaterThan(9_990);
  });
});
