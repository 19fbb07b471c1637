import { describe, expect, it } from '@jest/globals';
import type { LogEvent } from '../model/entry.js';
import { heldUntil, leaseAfterEvent, leaseAfterHeadReached, leaseAfterLogLost, newLease } from './node-lease.js';

const self = { nodeId: 'w1', incarnation: 'i1' };
const fresh = newLease({ ...self, leaseMs: 2_500, marginMs: 500 }, 0);
const on = (kind: 'member.suspected' | 'member.cleared', node = self): LogEvent => ({ kind, ...node });

describe('lease of a node', () => {
  it('is not held before the head was reached', () => {
    expect(heldUntil(fresh)).toBe(-Infinity);
  });

  it('runs from the send time of the pull, and never backwards', () => {
    const lease = leaseAfterHeadReached(leaseAfterHeadReached(fresh, 1_000), 500);
    expect(heldUntil(lease)).toBe(3_500);
  });

  it('ends as it stood once the own suspicion is read, until it is cleared', () => {
    const suspected = leaseAfterEvent(leaseAfterHeadReached(fresh, 1_000), on('member.suspected'));
    expect(heldUntil(leaseAfterHeadReached(suspected, 2_000))).toBe(3_500);
    const cleared = leaseAfterEvent(suspected, on('member.cleared'));
    expect(heldUntil(leaseAfterHeadReached(cleared, 2_000))).toBe(4_500);
  });

  describe('after a proof that is older than a lease', () => {
    const before = leaseAfterHeadReached(fresh, 1_000);
    const back = leaseAfterHeadReached(before, 4_000);

    it('is extended only when leases that others got from a lost end of the log have ended', () => {
      expect(heldUntil(back)).toBe(3_500);
      const waiting = [5_000, 6_999].reduce(leaseAfterHeadReached, back);
      expect(heldUntil(waiting)).toBe(3_500);
      expect(heldUntil(leaseAfterHeadReached(waiting, 7_000))).toBe(9_500);
    });

    it('waits anew after another gap', () => {
      const again = leaseAfterHeadReached(back, 6_900);
      expect(heldUntil(leaseAfterHeadReached(again, 7_100))).toBe(3_500);
      expect(heldUntil([8_500, 9_900].reduce(leaseAfterHeadReached, again))).toBe(12_400);
    });

    it('is extended at once when the leader clears the node: it has waited itself', () => {
      expect(heldUntil(leaseAfterHeadReached(leaseAfterEvent(back, on('member.cleared')), 4_500))).toBe(7_000);
    });

    it('waits though the node was cleared before the gap', () => {
      const suspected = leaseAfterEvent(leaseAfterEvent(before, on('member.suspected')), on('member.cleared'));
      expect(heldUntil(leaseAfterHeadReached(suspected, 4_000))).toBe(3_500);
    });
  });

  it('waits where the first proof comes late', () => {
    expect(heldUntil(leaseAfterHeadReached(fresh, 2_501))).toBe(-Infinity);
  });

  it('does not heed what concerns another incarnation', () => {
    const other = { ...self, incarnation: 'i0' };
    const left: LogEvent = { kind: 'member.left', ...other, reason: 'superseded' };
    const lease = leaseAfterEvent(leaseAfterEvent(fresh, on('member.suspected', other)), left);
    expect(heldUntil(leaseAfterHeadReached(lease, 0))).toBe(2_500);
  });

  it.each<LogEvent>([
    { kind: 'member.left', ...self, reason: 'expired' },
    { kind: 'member.rejected', ...self, reason: 'second node' },
  ])('is lost for good by $kind', (event) => {
    const lost = leaseAfterEvent(leaseAfterHeadReached(fresh, 1_000), event);
    expect(heldUntil(leaseAfterHeadReached(leaseAfterEvent(lost, on('member.cleared')), 9_000))).toBe(-Infinity);
  });

  it('is lost for good when the log is lost', () => {
    expect(heldUntil(leaseAfterHeadReached(leaseAfterLogLost(fresh), 1))).toBe(-Infinity);
  });
});
