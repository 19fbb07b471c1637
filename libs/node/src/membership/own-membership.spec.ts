import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { emptyState, type ClusterState, type Member } from '@sluice/core';
import { NodeIdInUseError } from '../store/node-store.js';
import { expulsionBy, NodeExpelledError, otherIncarnation, refuseIfInUse } from './own-membership.js';
import type { HeardReport, ReportsListener } from './reports-channel.js';

const self = { nodeId: 'n1', incarnation: 'b', supersedes: 'a' };
const withMember = (incarnation: string): ClusterState => {
  const member: Member = { nodeId: 'n1', incarnation, role: 'gateway', capacity: 1, plugins: [], joinedAt: 1 };
  return { ...emptyState(), members: new Map([['n1', member]]) };
};

describe('otherIncarnation', () => {
  it.each([
    ['no member has the id', emptyState(), undefined],
    ['the member is the incarnation before this one', withMember('a'), undefined],
    ['the member is this node', withMember('b'), undefined],
    ['the member might live', withMember('c'), 'c'],
  ])('where %s', (_, state, expected) => {
    expect(otherIncarnation(state, self)).toBe(expected);
  });
});

describe('expulsionBy', () => {
  const left = { kind: 'member.left', nodeId: 'n1', incarnation: 'b' } as const;

  it('ends a node whose id is in use, and says by whom', () => {
    const reason = 'by a live node (c)';
    const error = expulsionBy({ kind: 'member.rejected', nodeId: 'n1', incarnation: 'b', reason }, self);
    expect(error).toBeInstanceOf(NodeIdInUseError);
    expect(error?.message).toBe(
      'Node id n1 is in use: by a live node (c). Give this node an id of its own with SLUICE_NODE_ID, or stop the other one',
    );
  });

  it('ends a node that was given up, and not one that leaves', () => {
    expect(expulsionBy({ ...left, reason: 'expired' }, self)).toBeInstanceOf(NodeExpelledError);
    expect(expulsionBy({ ...left, reason: 'leaving' }, self)).toBeUndefined();
  });

  it('does not concern other nodes and earlier incarnations', () => {
    expect(expulsionBy({ ...left, nodeId: 'n2', reason: 'expired' }, self)).toBeUndefined();
    expect(expulsionBy({ ...left, incarnation: 'a', reason: 'superseded' }, self)).toBeUndefined();
    expect(expulsionBy({ kind: 'leader.resigned' }, self)).toBeUndefined();
  });
});

describe('refuseIfInUse', () => {
  /** Reports that the spec lets come in. */
  class FakeReports {
    tell: (heard: HeardReport) => void = () => undefined;
    reachEnd: (() => void) | undefined;

    follow(listener: ReportsListener, signal: AbortSignal, onListening?: () => void): Promise<void> {
      this.tell = (heard) => {
        listener([heard], 0, 0);
      };
      this.reachEnd = onListening;
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    }
  }
  const alive = (incarnation: string): HeardReport => ({ kind: 'alive', nodeId: 'n1', incarnation, reportSeq: 7 });
  const signal = new AbortController().signal;

  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('refuses a node whose id is used by one of which no whole report is known', async () => {
    const reports = new FakeReports();
    const started = refuseIfInUse(withMember('c'), self, reports, signal);
    reports.tell(alive('a'));
    reports.tell(alive('c'));
    reports.reachEnd?.();
    await Promise.all([expect(started).rejects.toThrow(NodeIdInUseError), jest.advanceTimersByTimeAsync(10_000)]);
  });

  it('listens for longer in a large cluster, whose nodes report less often', async () => {
    const reports = new FakeReports();
    const state = withMember('c');
    const members = new Map(state.members);
    for (let at = 0; at < 999; at += 1) members.set(`other-${at}`, { ...(state.members.get('n1') as Member), nodeId: `other-${at}` });
    const end: string[] = [];
    const started = refuseIfInUse({ ...state, members }, self, reports, signal).then(() => end.push('accepted'));
    reports.reachEnd?.();
    await jest.advanceTimersByTimeAsync(4_999);
    expect(end).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await started;
  });

  it('listens for two reports from where the queue ended, however long it takes to get there', async () => {
    const reports = new FakeReports();
    const end: string[] = [];
    const started = refuseIfInUse(withMember('c'), self, reports, signal).then(() => end.push('accepted'));
    await jest.advanceTimersByTimeAsync(10_000);
    expect(end).toEqual([]);
    reports.reachEnd?.();
    await jest.advanceTimersByTimeAsync(2_499);
    expect(end).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await started;
    expect(jest.getTimerCount()).toBe(0);
  });
});
