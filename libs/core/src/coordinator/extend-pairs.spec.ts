import { describe, expect, it } from '@jest/globals';
import type { CommandOutcome } from '../model/command.js';
import { MAX_PAIRS, type Pair } from '../model/pair-table.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { readAnew } from '../testing/read-anew.js';
import { stateDigest } from '../log/snapshot-records.js';

function extend(node: CoordinatorHarness, name: string, ...pairs: Pair[]): CommandOutcome | undefined {
  return node.command({ kind: 'pairs.extend', name, pairs });
}

const held = (node: CoordinatorHarness, name: string) => Object.fromEntries(node.state.cluster.pairs.get(name)?.byKey ?? []);

/** A leader with connector `a`, which it has asked runner `w1` to split. */
function asking(): CoordinatorHarness {
  const node = CoordinatorHarness.leading();
  node.report('w1');
  node.create('a');
  return node;
}

describe('a request for pairs', () => {
  it('adds those whose key and value are both new, and writes no others into the log', () => {
    const node = asking();
    expect(extend(node, 'a', ['k1', 'v1'], ['k2', 'v1'])).toEqual({ status: 'done' });
    expect(extend(node, 'a', ['k1', 'v9'], ['k2', 'v2'])).toEqual({ status: 'done' });
    expect(extend(node, 'a', ['k1', 'v1'], ['k2', 'v2'])).toEqual({ status: 'done' });
    expect(node.events('pairs.extended')).toEqual([
      { kind: 'pairs.extended', connector: 'a', pairs: [['k1', 'v1']] },
      { kind: 'pairs.extended', connector: 'a', pairs: [['k2', 'v2']] },
    ]);
    expect(held(node, 'a')).toEqual({ k1: 'v1', k2: 'v2' });
  });

  it('is refused for a connector that is not there; what a deleted one has agreed upon stays', () => {
    const node = asking();
    expect(extend(node, 'b', ['k', 'v'])).toEqual({ status: 'not-found', message: 'Connector b not found' });
    extend(node, 'a', ['k', 'v']);
    node.command({ kind: 'connector.delete', name: 'a' });
    expect(extend(node, 'a', ['k2', 'v2'])).toMatchObject({ status: 'not-found' });
    expect(held(node, 'a')).toEqual({ k: 'v' });
  });

  it('is refused as a whole where one of them exceeds a limit', () => {
    const node = asking();
    const refused = extend(node, 'a', ['k', 'v'], ['k2', 'x'.repeat(401)]);
    expect(refused).toMatchObject({ status: 'invalid', message: expect.stringContaining('401 bytes; at most 400 are allowed') });
    expect(node.state.cluster.pairs.size).toBe(0);
  });

  it('is answered while the runner that sends it splits the connector', () => {
    const node = asking();
    expect(node.of('ask-task-configs')).toHaveLength(1);
    expect(extend(node, 'a', ['k', 'v'])).toEqual({ status: 'done' });
    expect(node.events('tasks.configured')).toEqual([]);
    node.answer();
    expect(node.events('tasks.configured')).toHaveLength(1);
  });

  it('is carried out once by the leader that follows, which asks again for the tasks', () => {
    const node = asking();
    node.isStoring = false;
    expect(extend(node, 'a', ['k', 'v'])).toBeUndefined();
    const sent = { requestId: 'q1', sentAt: node.wall, from: 'w1' } as const;

    const next = new CoordinatorHarness(node.log);
    next.feed({ kind: 'head.reached', sentAt: 0 });
    next.pass(20_000, ['w1']);
    expect(next.state.role).toBe('leader');
    expect(next.of('read-commands').at(-1)).toMatchObject({ fromOffset: 1 });
    const command = { ...sent, kind: 'pairs.extend', name: 'a', pairs: [['k', 'v']] } as const;
    next.feed({ kind: 'command.read', readId: next.state.commandReads, offset: 1, command });
    next.feed({ kind: 'command.read', readId: next.state.commandReads, offset: 2, command });
    expect(next.state.cluster.results.get('q1')?.outcome).toEqual({ status: 'done' });
    expect(next.events('pairs.extended')).toHaveLength(1);
    next.answer();
    expect(next.events('tasks.configured')).toHaveLength(1);
  });

  it('is refused until all nodes know what it writes', () => {
    const node = CoordinatorHarness.leading({ maxLevel: 3 });
    node.create('a');
    expect(extend(node, 'a', ['k', 'v'])).toEqual({
      status: 'conflict',
      message: 'The cluster is at feature level 3: this works once all nodes are upgraded',
    });
    expect(node.events('pairs.extended')).toEqual([]);
  });

  it('leaves a state whose snapshot comes in chunks below 256 KiB and is read back whole, also of the longest pairs', () => {
    const node = CoordinatorHarness.leading({ snapshotEntries: 60, snapshotPauseMs: 0 });
    node.create('a');
    const pad = (text: string): string => text.padEnd(400, '.');
    for (let at = 0; at < MAX_PAIRS; at += 500) {
      const pairs = Array.from({ length: 500 }, (_, i): Pair => [pad(`k${at + i} `), pad(`v${at + i} `)]);
      expect(extend(node, 'a', ...pairs)).toEqual({ status: 'done' });
    }
    node.pass(30_000);
    const sizes = node.events('snapshot.chunk').map((chunk) => Buffer.byteLength(JSON.stringify(chunk)));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(MAX_PAIRS * 800);
    expect(Math.max(...sizes)).toBeLessThan(262_144 + 512);
    expect(readAnew(node.log)).toBe(stateDigest(node.log.state));
  });
});
