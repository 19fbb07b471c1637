import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { dealPartitions, keyOfRecord, keysOfPartition, recordsOfPartition } from './numbering.js';

const counts = fc.integer({ min: 1, max: 50 });

describe('numbering', () => {
  it('gives each key to one partition, and numbers its records without gaps', () => {
    fc.assert(
      fc.property(counts, fc.nat(50), (partitions, more) => {
        const numbering = { partitions, keys: partitions + more };
        const owners = new Map<string, number>();
        const wrong: string[] = [];
        for (let partition = 0; partition < partitions; partition += 1) {
          const next = new Map<string, number>();
          for (let seq = 0; seq < 60; seq += 1) {
            const { key, keySeq } = keyOfRecord(numbering, partition, seq);
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
