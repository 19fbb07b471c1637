import { describe, expect, it } from '@jest/globals';
import type { LogEvent } from '../model/entry.js';
import {
  heldUntil,
  leaseAfterEntry,
  leaseAfterHeadReached,
  leaseAfterLogLost,
  newLease,
  type NodeLease,
} from './node-lease.js';

const self = { nodeId: 'w1', incarnation: 'i1' };
const fresh = newLease({ ...self, leaseMs: 2_500, marginMs: 500 }, 0);
const on = (kind: 'member.suspected' | 'member.cleared', node = self): LogEvent => ({ kind, ...node });

const after = (lease: NodeLease, event: LogEvent, seq = 1): NodeLease => leaseAfterEntry(lease, { event, seq });
const claimed = (lease: NodeLease, seq: number): NodeLease =>
  after(lease, { kind: 'claimed', nodeId: 'c1', incarnation: 'i9', after: { seq: seq - 1, digest: '' } }, seq);
const proofs = (lease: NodeLease, ...times: readonly number[]): NodeLease =>
  times.reduce((before, time) => leaseAfterHeadReached(before, time, () => 150), lease);
const renewed: LogEvent = { kind: 'lease.renewed' };

describe('lease of a node', () => {
  it('is not held before the head was reached', () => {
    expect(heldUntil(fresh)).toBe(-Infinity);
  });

  it('runs from the send time of the pull, and never backwards', () => {
    const lease = leaseAfterHeadReached(leaseAfterHeadReached(fresh, 1_000), 500);
    expect(heldUntil(lease)).toBe(3_500);
  });

  it('ends as it stood once the own suspicion is read, until it is cleared', () => {
    const suspected = after(leaseAfterHeadReached(fresh, 1_000), on('member.suspected'));
    expect(heldUntil(leaseAfterHeadReached(suspected, 2_000))).toBe(3_500);
    const cleared = after(suspected, on('member.cleared'));
    expect(heldUntil(leaseAfterHeadReached(cleared, 2_000))).toBe(4_500);
  });

  describe('after a proof that is older than a lease', () => {
    const before = leaseAfterHeadReached(fresh, 1_000);
    const back = leaseAfterHeadReached(before, 4_000);

    it('is extended only when leases that others got from a lost end of the log have ended', () => {
      expect(heldUntil(back)).toBe(3_500);
      const waiting = proofs(after(back, renewed), 5_000, 6_999);
      expect(heldUntil(waiting)).toBe(3_500);
      expect(heldUntil(leaseAfterHeadReached(waiting, 7_000))).toBe(9_500);
    });

    it('waits anew after another gap', () => {
      const again = after(leaseAfterHeadReached(back, 6_900), renewed);
      expect(heldUntil(leaseAfterHeadReached(again, 7_100))).toBe(3_500);
      expect(heldUntil(proofs(again, 8_500, 9_900))).toBe(12_400);
    });

    it('is extended at once when the leader clears the node: it has waited itself', () => {
      expect(heldUntil(leaseAfterHeadReached(after(back, on('member.cleared')), 4_500))).toBe(7_000);
    });

    it('waits though the node was cleared before the gap', () => {
      const suspected = after(after(before, on('member.suspected')), on('member.cleared'));
      expect(heldUntil(leaseAfterHeadReached(suspected, 4_000))).toBe(3_500);
    });
  });

  describe('that was given tasks by a claim', () => {
    const before = leaseAfterHeadReached(claimed(fresh, 100), 1_000);

    it('is extended after a gap only once another entry of that claim is read', () => {
      const back = proofs(before, 4_000, 5_500, 7_000);
      expect(heldUntil(back)).toBe(3_500);
      expect(heldUntil(proofs(after(back, renewed), 7_500))).toBe(10_000);
    });

    it('is lost where a claim after the gap, or in it, is read: the log may have lost who had the tasks', () => {
      expect(proofs(claimed(proofs(before, 4_000), 200), 4_500).lost).toBe('outdated-tasks');
      expect(proofs(claimed(before, 200), 4_000).lost).toBe('outdated-tasks');
    });

    it('is lost where a claim is read while it is suspected', () => {
      const suspected = after(before, on('member.suspected'));
      expect(proofs(suspected, 2_000).lost).toBeUndefined();
      expect(proofs(claimed(suspected, 200), 2_000).lost).toBe('outdated-tasks');
    });

    it('goes through a claim that it reads without a gap', () => {
      expect(heldUntil(proofs(claimed(before, 200), 2_000))).toBe(4_500);
      expect(
        proofs(after(claimed(proofs(after(before, renewed), 2_000), 200), renewed), 3_000, 5_000).lost,
      ).toBeUndefined();
    });

    it('is kept where the tasks are of the newer claim, or there are none', () => {
      const back = claimed(proofs(before, 4_000), 200);
      for (const oldest of [201, Infinity])
        expect(leaseAfterHeadReached(back, 4_500, () => oldest).lost).toBeUndefined();
    });
  });

  it('waits where the first proof comes late', () => {
    expect(heldUntil(leaseAfterHeadReached(fresh, 2_501))).toBe(-Infinity);
  });

  it('does not heed what concerns another incarnation', () => {
    const other = { ...self, incarnation: 'i0' };
    const left: LogEvent = { kind: 'member.left', ...other, reason: 'superseded' };
    const lease = after(after(fresh, on('member.suspected', other)), left);
    expect(heldUntil(leaseAfterHeadReached(lease, 0))).toBe(2_500);
  });

  it.each<LogEvent>([
    { kind: 'member.left', ...self, reason: 'expired' },
    { kind: 'member.rejected', ...self, reason: 'second node' },
  ])('is lost for good by $kind', (event) => {
    const lost = after(leaseAfterHeadReached(fresh, 1_000), event);
    expect(heldUntil(leaseAfterHeadReached(after(lost, on('member.cleared')), 9_000))).toBe(-Infinity);
  });

  it('is lost for good when the log is lost', () => {
    expect(heldUntil(leaseAfterHeadReached(leaseAfterLogLost(fresh), 1))).toBe(-Infinity);
  });
});
