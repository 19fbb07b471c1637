import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { KeyRounds } from './key-rounds.js';
import { dealPartitions, keysOfPartition, recordsOfPartition } from './numbering.js';

const counts = fc.integer({ min: 1, max: 50 });

describe('numbering', () => {
  it('gives each key to one partition, and numbers its records without gaps', () => {
    fc.assert(
      fc.property(counts, fc.nat(50), fc.constantFrom(0, 0.5, 1, 2), (partitions, more, skew) => {
        const numbering = { partitions, keys: partitions + more };
        const owners = new Map<string, number>();
        const wrong: string[] = [];
        for (let partition = 0; partition < partitions; partition += 1) {
          const next = new Map<string, number>();
          const rounds = new KeyRounds(numbering, { seed: 1, partition }, skew);
          for (let seq = 0; seq < 2000; seq += 1) {
            const { key, keySeq } = rounds.keyOf(seq);
            if (keySeq !== (next.get(key) ?? 0) || (owners.get(key) ?? partition) !== partition) wrong.push(key);
            next.set(key, keySeq + 1);
            owners.set(key, partition);
          }
          expect(next.size).toBe(keysOfPartition(numbering, partition));
        }
        expect(wrong).toEqual([]);
        expect(owners.size).toBe(numbering.keys);
      }),
    );
  });

  it('gives keys shares by their rank, in the same order for the same seed', () => {
    const numbering = { partitions: 1, keys: 100 };
    const keysOf = (seed: number): readonly string[] => {
      const rounds = new KeyRounds(numbering, { seed, partition: 0 }, 1);
      return Array.from({ length: 8000 }, (_, seq) => rounds.keyOf(seq).key);
    };
    const keys = keysOf(7);
    const countOf = (key: string): number => keys.filter((each) => each === key).length;
    // 1 / H(100) of all records, half of that, and a tenth of it.
    const first = countOf('key-0');
    expect(first / keys.length).toBeCloseTo(1 / 5.187, 1);
    expect(first / countOf('key-1')).toBeCloseTo(2, 0);
    expect(first / countOf('key-9')).toBeCloseTo(10, -1);
    expect(countOf('key-99')).toBeGreaterThan(0);
    expect(keysOf(7)).toEqual(keys);
    expect(keysOf(8)).not.toEqual(keys);
  });

  it('makes as many records as asked for, evenly, or no end', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 10_000 }), (partitions, records) => {
        const shares = Array.from({ length: partitions }, (_, p) => recordsOfPartition(records, partitions, p));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(records);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
    expect(recordsOfPartition(0, 3, 1)).toBe(Infinity);
  });

  it('deals every partition to one task, evenly', () => {
    fc.assert(
      fc.property(counts, counts, (partitions, maxTasks) => {
        const tasks = dealPartitions(partitions, maxTasks);
        expect(tasks).toHaveLength(Math.min(partitions, maxTasks));
        expect(tasks.flat().sort((left, right) => left - right)).toEqual([...Array(partitions).keys()]);
        const sizes = tasks.map((task) => task.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
    expect(dealPartitions(5, 2)).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
  });
});
