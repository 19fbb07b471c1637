import { describe, expect, it } from '@jest/globals';
import type { LogEvent, ReadEntry, Role } from '@sluice/core';
import { staysOf } from './task-history.js';

const entriesOf = (...events: readonly LogEvent[]): readonly ReadEntry[] =>
  events.map((event, seq) => ({
    offset: seq,
    digest: String(seq),
    entry: { logId: 'log', epoch: 1, claimId: 'claim', seq, prevDigest: '', at: seq * 1000, event },
  }));

const joined = (nodeId: string, role: Role = 'source-runner'): LogEvent => ({
  kind: 'member.joined',
  member: { nodeId, incarnation: `${nodeId}#1`, role, capacity: 1, plugins: [] },
});
const left = (nodeId: string, reason: 'leaving' | 'expired' | 'superseded'): LogEvent => ({
  kind: 'member.left',
  nodeId,
  incarnation: `${nodeId}#1`,
  reason,
});
const put = (name: string): LogEvent => ({
  kind: 'connector.put',
  name,
  type: 'source',
  config: {},
  targetState: 'RUNNING',
});
const idOf = (connector: string): { connector: string; index: number } => ({ connector, index: 0 });
const given = (nodeId: string, ...connectors: readonly string[]): LogEvent => ({
  kind: 'tasks.assigned',
  tasks: connectors.map((connector) => ({ ...idOf(connector), nodeId, incarnation: `${nodeId}#1` })),
});
const revoked = (reason: 'moved' | 'restarted', ...connectors: readonly string[]): LogEvent => ({
  kind: 'tasks.revoked',
  tasks: connectors.map(idOf),
  reason,
});
const released = (...connectors: readonly string[]): LogEvent => ({
  kind: 'tasks.released',
  tasks: connectors.map(idOf),
});
const names = ['a', 'b', 'c', 'd'];
const ends = (entries: readonly ReadEntry[]): readonly (string | undefined)[] => staysOf(entries).map(({ end }) => end);

describe('where tasks were', () => {
  it('is reported with generation, worker and times', () => {
    const entries = entriesOf(put('a'), joined('w1'), given('w1', 'a'), left('w1', 'expired'), joined('w2'), given('w2', 'a'));
    expect(staysOf(entries)).toEqual([
      { id: idOf('a'), generation: 2, nodeId: 'w1', fromMs: 2000, toMs: 3000, end: 'lost' },
      { id: idOf('a'), generation: 5, nodeId: 'w2', fromMs: 5000, toMs: Infinity },
    ]);
  });

  it('distinguishes a node that left in good order from one that was lost', () => {
    const begin = [put('a'), joined('w1'), given('w1', 'a')];
    expect(ends(entriesOf(...begin, left('w1', 'leaving')))).toEqual(['left']);
    expect(ends(entriesOf(...begin, left('w1', 'superseded')))).toEqual(['lost']);
  });

  it('counts a revocation, not the release after it', () => {
    const entries = entriesOf(put('a'), joined('w1'), given('w1', 'a'), revoked('restarted', 'a'), released('a'));
    expect(staysOf(entries)).toMatchObject([{ toMs: 3000, end: 'restarted' }]);
  });

  it('finds nothing wrong with as many moves to a new worker as make the numbers even', () => {
    const entries = entriesOf(...names.map(put), joined('w1'), given('w1', ...names), joined('w2'), revoked('moved', 'a', 'b'));
    expect(ends(entries)).toEqual(['moved', 'moved', undefined, undefined]);
  });

  it('finds one move more than that needless', () => {
    const entries = entriesOf(...names.map(put), joined('w1'), given('w1', ...names), joined('w2'), revoked('moved', 'a', 'b', 'c'));
    expect(ends(entries)).toEqual(['moved', 'moved', 'needless', undefined]);
  });

  it('finds a move needless that only changes who has one more', () => {
    const three = ['a', 'b', 'c'];
    const entries = entriesOf(...three.map(put), joined('w1'), given('w1', ...three), joined('w2'), revoked('moved', 'a', 'b'));
    expect(ends(entries)).toEqual(['moved', 'needless', undefined]);
  });

  it('finds a move needless where the only one with fewer is suspected of being gone, or of another role', () => {
    const begin = [...names.map(put), joined('w1'), given('w1', ...names), joined('s1', 'sink-runner')];
    const suspected: LogEvent = { kind: 'member.suspected', nodeId: 'w2', incarnation: 'w2#1' };
    expect(ends(entriesOf(...begin, revoked('moved', 'a')))[0]).toBe('needless');
    expect(ends(entriesOf(...begin, joined('w2'), suspected, revoked('moved', 'a')))[0]).toBe('needless');
  });

  it('expects what waits to go to who has the fewest', () => {
    const entries = entriesOf(
      ...names.map(put),
      joined('w1'),
      joined('w2'),
      given('w1', 'a', 'b'),
      given('w2', 'c', 'd'),
      left('w2', 'expired'),
      joined('w3'),
      revoked('moved', 'a'),
    );
    expect(ends(entries)).toEqual(['needless', undefined, 'lost', 'lost']);
  });
});
