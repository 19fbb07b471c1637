import { describe, expect, it } from '@jest/globals';
import type { LogEvent } from '../model/entry.js';
import { heldUntil, leaseAfterEntry, leaseAfterHeadReached, leaseAfterLogLost, newLease, type NodeLease } from './node-lease.js';

const self = { nodeId: 'w1', incarnation: 'i1' };
const fresh = newLease({ ...self, leaseMs: 2_500, marginMs: 500 }, 0);
const on = (kind: 'member.suspected' | 'member.cleared', node = self): LogEvent => ({ kind, ...node });
const after = (lease: NodeLease, event: LogEvent, seq = 1): NodeLease => leaseAfterEntry(lease, { event, seq });
/** After proofs sent at these times, each with `headSeq` for the head. */
const proven = (lease: NodeLease, times: readonly number[], headSeq = 9): NodeLease =>
  times.reduce((before, time) => leaseAfterHeadReached(before, time, headSeq), lease);

describe('lease of a node', () => {
  it('is not held before the head was reached', () => {
    expect(heldUntil(fresh)).toBe(-Infinity);
  });

  it('runs from the send time of the pull, and never backwards', () => {
    const lease = proven(fresh, [1_000, 500]);
    expect(heldUntil(lease)).toBe(3_500);
  });

  it('ends as it stood once the own suspicion is read, until it is cleared', () => {
    const suspected = after(proven(fresh, [1_000]), on('member.suspected'));
    expect(heldUntil(proven(suspected, [2_000]))).toBe(3_500);
    const cleared = after(suspected, on('member.cleared'));
    expect(heldUntil(proven(cleared, [2_000]))).toBe(4_500);
  });

  describe('after a proof that is older than a lease', () => {
    const before = proven(fresh, [1_000]);
    const back = proven(before, [4_000]);

    it('is extended only when leases that others got from a lost end of the log have ended', () => {
      expect(heldUntil(back)).toBe(3_500);
      const waiting = proven(back, [5_000, 6_999]);
      expect(heldUntil(waiting)).toBe(3_500);
      expect(heldUntil(proven(waiting, [7_000]))).toBe(9_500);
    });

    it('waits again after another gap', () => {
      const again = proven(back, [6_900]);
      expect(heldUntil(proven(again, [7_100]))).toBe(3_500);
      expect(heldUntil(proven(again, [8_500, 9_900]))).toBe(12_400);
    });

    it('is extended at once when the leader clears the node: it has waited itself', () => {
      expect(heldUntil(proven(after(back, on('member.cleared')), [4_500]))).toBe(7_000);
    });

    it('waits though the node was cleared before the gap', () => {
      const suspected = after(after(before, on('member.suspected')), on('member.cleared'));
      expect(heldUntil(proven(suspected, [4_000]))).toBe(3_500);
    });
  });

  it('waits where the first proof comes late', () => {
    expect(heldUntil(proven(fresh, [2_501]))).toBe(-Infinity);
  });

  describe('names the generations that others may have succeeded unseen', () => {
    const before = proven(fresh, [1_000], 100);

    it('which are none while proofs follow each other', () => {
      expect(proven(before, [3_400, 3_600, 6_000], 200).doubtfulUpTo).toBe(-1);
    });

    it('which are all before the first proof after a gap', () => {
      expect(proven(proven(before, [3_501], 200), [5_000, 6_501], 300).doubtfulUpTo).toBe(200);
      expect(proven(fresh, [2_501], 100).doubtfulUpTo).toBe(100);
    });

    it('which are all before the word of the leader where the lease had ended meanwhile', () => {
      const suspected = after(before, on('member.suspected'), 110);
      const inTime = proven(after(suspected, on('member.cleared'), 120), [3_500], 200);
      expect(inTime.doubtfulUpTo).toBe(-1);
      const late = proven(after(proven(suspected, [3_000], 115), on('member.cleared'), 120), [3_501], 200);
      expect([late.doubtfulUpTo, heldUntil(late)]).toEqual([120, 6_001]);
    });

    it('also where a slow node is cleared that had no lease before', () => {
      const suspected = after(proven(fresh, [4_000, 6_000], 9), on('member.suspected'), 21);
      const cleared = after(proven(suspected, [8_000, 10_000], 21), on('member.cleared'), 1000);
      expect(proven(cleared, [12_000], 1000)).toMatchObject({ doubtfulUpTo: 1000, until: 14_500 });
    });

    it('and counts the gaps, because two gaps may give the same number', () => {
      const first = proven(fresh, [1_000, 5_000, 7_000, 8_100], 9);
      const second = proven(first, [12_000, 14_000, 15_100], 9);
      expect([before, first, second].map(({ doubtfulUpTo, gaps }) => [doubtfulUpTo, gaps])).toEqual([
        [-1, 0],
        [9, 1],
        [9, 2],
      ]);
    });
  });

  it('does not heed what concerns another incarnation', () => {
    const other = { ...self, incarnation: 'i0' };
    const left: LogEvent = { kind: 'member.left', ...other, reason: 'superseded' };
    const lease = after(after(fresh, on('member.suspected', other)), left);
    expect(heldUntil(proven(lease, [0]))).toBe(2_500);
  });

  it.each<LogEvent>([
    { kind: 'member.left', ...self, reason: 'expired' },
    { kind: 'member.rejected', ...self, reason: 'second node' },
  ])('is lost for good by $kind', (event) => {
    const lost = after(proven(fresh, [1_000]), event);
    expect(heldUntil(proven(after(lost, on('member.cleared')), [9_000]))).toBe(-Infinity);
  });

  it('is lost for good when the log is lost', () => {
    expect(heldUntil(proven(leaseAfterLogLost(fresh), [1]))).toBe(-Infinity);
  });
});
