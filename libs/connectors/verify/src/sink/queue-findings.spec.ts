import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { QueueRef, SinkRecord } from '@sluice/sdk';
import { encodeVerificationRecord } from '@sluice/verification';
import { type FindingsState, QueueFindings } from './queue-findings.js';
import { judge } from './verdict.js';

const queue: QueueRef = { topic: 't', brokerName: 'b', queueId: 0 };

function record(partition: number, seq: number, offset: number): SinkRecord {
  const key = `key-${partition}-${seq % 3}`;
  const numbers = { seed: 1, partition, seq, key, keySeq: Math.floor(seq / 3), createdMs: 0 };
  return { topic: 't', queue, offset, key, value: encodeVerificationRecord(numbers, 1, () => undefined) };
}

const arrivals = fc.array(fc.tuple(fc.nat(2), fc.nat(30)), { maxLength: 60 });

describe('QueueFindings', () => {
  it('counts every missing and duplicate record of any arrivals, per partition and per key', () => {
    fc.assert(
      fc.property(arrivals, (given) => {
        const findings = new QueueFindings();
        given.forEach(([partition, seq], offset) => {
          findings.add(record(partition, seq, offset), offset);
        });
        const distinct = new Set(given.map(([partition, seq]) => `${partition}/${seq}`));
        const expected = { seed: 1, ofPartitions: [31, 31, 31] };
        const verdict = judge([{ queue, findings: findings.state }], expected);
        expect(verdict.records).toBe(given.length);
        expect(verdict.missing).toBe(93 - distinct.size);
        expect(verdict.duplicates).toBe(given.length - distinct.size);
        expect(verdict.keys.duplicates).toBe(given.length - distinct.size);
        expect(verdict.complete).toBe(distinct.size === 93);
      }),
    );
  });

  it('keeps the start-up of each owner out of the warm latencies', () => {
    const take = (findings: QueueFindings, from: number, arrivals: readonly number[]): QueueFindings => {
      arrivals.forEach((arrivedMs, n) => {
        findings.add(record(0, from + n, from + n), arrivedMs);
      });
      return findings;
    };
    const first = take(new QueueFindings(undefined, { warmUpMs: 100 }), 0, [9000, 9099, 9100, 9101]);
    const judged = (findings: QueueFindings): unknown => judge([{ queue, findings: findings.state }]);
    expect(judged(first)).toMatchObject({ latencyMs: { max: 9101 }, warmLatencyMs: { max: 9101 } });
    expect(first.state.warmLatency.counts.reduce((sum, [, count]) => sum + count, 0)).toBe(2);
    const next = take(new QueueFindings(first.state, { warmUpMs: 100 }), 4, [50_000, 50_099]);
    expect(judged(next)).toMatchObject({ latencyMs: { max: 50_099 }, warmLatencyMs: { max: 9101 } });
    const cold = take(new QueueFindings(undefined, { warmUpMs: 100 }), 0, [7, 8]);
    expect(judged(cold)).not.toHaveProperty('warmLatencyMs');
  });

  it('resumes from its state as if there had been no break', () => {
    fc.assert(
      fc.property(arrivals, fc.nat(60), (given, cut) => {
        const whole = new QueueFindings();
        let broken = new QueueFindings();
        given.forEach(([partition, seq], offset) => {
          if (offset === cut) broken = new QueueFindings(JSON.parse(JSON.stringify(broken.state)) as FindingsState);
          for (const findings of [whole, broken]) findings.add(record(partition, seq, offset), offset * 7);
        });
        expect(broken.state).toEqual(whole.state);
      }),
    );
  });

  it('has a limit of partitions and keys, counts what is beyond and does not call that complete', () => {
    const findings = new QueueFindings(undefined, { maxSequences: 4 });
    for (let seq = 0; seq < 9; seq += 1) findings.add(record(0, seq, seq), seq);
    expect(judge([{ queue, findings: findings.state }])).toMatchObject({ complete: true, untracked: 0 });
    findings.add(record(1, 0, 9), 9);
    expect(judge([{ queue, findings: findings.state }])).toMatchObject({
      complete: false,
      untracked: 1,
      examples: [{ kind: 'untracked', offset: 9 }],
    });
  });

  it('cannot tell a late record from a duplicate below a gap that it gave up, and says so', () => {
    const findings = new QueueFindings();
    for (let n = 0; n <= 4096; n += 1) findings.add(record(0, 1 + n * 2, n), n);
    findings.add(record(0, 2, 4097), 4097);
    const verdict = judge([{ queue, findings: findings.state }]);
    expect(verdict.partitions).toMatchObject([{ missing: 4097, undecided: 1, outOfOrder: 0, duplicates: 0 }]);
    expect(verdict).toMatchObject({ complete: false, undecided: 1 });
  });
});
