import { describe, expect, it } from '@jest/globals';
import { foldEntries } from '../log/fold.js';
import type { LogEvent } from '../model/entry.js';
import { MAX_LEVEL, NewerVersionNeededError } from '../model/feature-level.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';

const snapshotting = { snapshotEntries: 6 };

/** A leader of this build among members of an older one. */
function amongOld(...nodeIds: readonly string[]): CoordinatorHarness {
  const log = LogWriter.started('c9');
  for (const nodeId of nodeIds) log.join(nodeId);
  log.write({ kind: 'leader.resigned' });
  const node = new CoordinatorHarness(log, undefined, snapshotting);
  node.feed({ kind: 'head.reached', sentAt: 0 });
  return node;
}

describe('the feature level', () => {
  it('rises once all members report that they know it, and nothing of it is written before', () => {
    const node = amongOld('w1', 'w2');
    expect(node.state.role).toBe('leader');
    node.report('w1');
    node.pass(2_000, ['w1']);
    expect(node.events('cluster.version')).toEqual([]);
    expect(node.events('snapshot.chunk')).toEqual([]);
    node.report('w2', { maxLevel: 1 });
    node.pass(2_000, ['w1']);
    expect(node.state.cluster.level).toBe(1);
    node.report('w2', { maxLevel: MAX_LEVEL });
    node.pass(2_000, ['w1', 'w2']);
    expect(node.events('cluster.version')).toEqual([{ kind: 'cluster.version', level: MAX_LEVEL }]);
    expect(node.events('snapshot.done')).toHaveLength(1);
  });

  it('of a node that reports none is the first', () => {
    const node = amongOld('w1');
    node.report('w1', { maxLevel: undefined as never });
    node.pass(1_000);
    expect(node.state.cluster.level).toBe(1);
  });

  it('never sinks', () => {
    const log = LogWriter.started();
    log.write({ kind: 'cluster.version', level: 2 }, { kind: 'cluster.version', level: 1 });
    expect(log.state.level).toBe(2);
  });
});

describe('a build that is too old', () => {
  const unknown = { kind: 'moon.landed', where: 'x' } as unknown as LogEvent;

  it('stops before an accepted entry of a kind that it does not know, for good', () => {
    const log = LogWriter.started();
    const good = log.next({ kind: 'lease.renewed' });
    const { state } = foldEntries(log.state, [log.next(unknown), good]);
    expect(state.needsNewer).toEqual({ offset: 2, kind: 'moon.landed', level: MAX_LEVEL + 1 });
    expect(state.head).toEqual(log.state.head);
    expect(foldEntries(state, [good])).toMatchObject({ state, accepted: [], skipped: [] });
  });

  it('stops before a command that did something this build does not know', () => {
    const log = LogWriter.started('c1');
    const result = { requestId: 'r1', commandOffset: 0, outcome: 'done' };
    const event = { kind: 'command.applied', result, events: [{ kind: 'moon.landed' }] };
    const { state, accepted } = foldEntries(log.state, [log.next(event as never)]);
    expect(accepted).toEqual([]);
    expect(state.needsNewer).toMatchObject({ kind: 'moon.landed', level: MAX_LEVEL + 1 });
  });

  it('stops at the level itself, and says which one it needs', () => {
    const log = LogWriter.started();
    const { state } = foldEntries(log.state, [log.next({ kind: 'cluster.version', level: 7 })]);
    const error = new NewerVersionNeededError(state.needsNewer!);
    expect(error.entry).toEqual({ offset: 2, kind: 'cluster.version', level: 7 });
    expect(error.message).toContain('"cluster.version" of feature level 7 at offset 2');
  });

  it('skips such an entry of a deposed leader like any other', () => {
    const log = LogWriter.started();
    const late = log.next(unknown);
    log.claim('c2');
    expect(foldEntries(log.state, [late])).toMatchObject({ skipped: [{ reason: 'not-successor' }] });
  });

  it('knows no kinds of a higher level than its own', () => {
    const log = LogWriter.started();
    const { head } = log.state;
    const chunk = log.next({ kind: 'snapshot.chunk', snapshotId: 's', asOf: head, index: 0, data: [] });
    expect(foldEntries(log.state, [chunk], 1).state.needsNewer).toMatchObject({ kind: 'snapshot.chunk', level: 2 });
  });
});
