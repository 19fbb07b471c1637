import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, foldEntries, type ClusterState, type LogEvent, type ReadEntry } from '@sluice/core';
import { NodeFile, NodeStore, StatePersister, type ScopedLogger } from '@sluice/node';
import { decodeLogEntry, encodeLogChain, encodeLogEntry, entryDigest } from '@sluice/protocol';
import { collectGarbage, type ControlWorld } from './control-world.js';
import type { Figure } from './figure.js';

export const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (text) => {
    throw new Error(text);
  },
};

/** The longest turn of the event loop while the node's files are written, and all that this costs. */
export async function fileFigures(world: ControlWorld): Promise<Figure[]> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const store = await NodeStore.open(root, 'bench');
  try {
    const intervals = { config: 10, position: 3_600_000, offset: 3_600_000 };
    const persister = new StatePersister(store, () => world.followed, {}, intervals, silent);
    collectGarbage();
    let worst = 0;
    let isWatching = true;
    let before = process.cpuUsage();
    let beganAt = performance.now();
    const started = before;
    const turn = (): void => {
      const { user, system } = process.cpuUsage(before);
      // The CPU of threads that work beside the loop holds nobody up, and a turn that waits for a processor is not longer by itself.
      worst = Math.max(worst, Math.min((user + system) / 1_000, performance.now() - beganAt));
      before = process.cpuUsage();
      beganAt = performance.now();
      if (isWatching) setImmediate(turn);
    };
    setImmediate(turn);
    persister.start();
    await untilWritten(store);
    isWatching = false;
    const { user, system } = process.cpuUsage(started);
    await persister.stop();
    return [
      { what: 'files: longest turn of the event loop', value: worst, unit: 'ms', atMost: 20 },
      { what: 'files: CPU of writing all of them once', value: (user + system) / 1_000, unit: 'ms' },
    ];
  } finally {
    await store.close();
    await rm(root, { recursive: true, force: true });
  }
}

/** Resolves once the last file of a first writing is there. */
export async function untilWritten(store: NodeStore): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    await delay(50);
    if (existsSync(join(store.directory, NodeFile.connectorConfig))) return;
  }
  throw new Error('the files of the node are not written');
}

const ENTRIES = 100_000;
const BATCH = 2_048;

/** Reading 100,000 entries as a node does that catches up: those that made the cluster, then changes of single tasks. */
export function foldFigures(world: ControlWorld): Figure[] {
  const snapshotAt = world.reads.findIndex(({ entry }) => entry.event.kind === 'snapshot.chunk');
  const made = snapshotAt < 0 ? world.reads : world.reads.slice(0, snapshotAt);
  const cluster = foldEntries(emptyState(), made).state;
  const { logId, epoch, claimId, head } = cluster;
  const changes = taskChanges(cluster, Math.max(0, ENTRIES - made.length));
  const bodies = [
    ...made.map(({ entry }) => encodeLogEntry<LogEvent>(entry).body),
    ...encodeLogChain({ logId, epoch, claimId, at: Date.UTC(2030, 0, 2) }, head, changes).map(({ body }) => body),
  ].slice(0, ENTRIES);
  collectGarbage();
  const before = process.cpuUsage();
  let state = emptyState();
  for (let at = 0; at < bodies.length; at += BATCH) {
    const reads = bodies
      .slice(at, at + BATCH)
      .map((body, i): ReadEntry => ({ offset: at + i, digest: entryDigest(body), entry: decodeLogEntry(body) }));
    state = foldEntries(state, reads).state;
  }
  const { user, system } = process.cpuUsage(before);
  if (state.skipped > 0) throw new Error(`${state.skipped} entries were skipped`);
  const value = (user + system) / 1e6;
  return [{ what: 'CPU of reading and folding 100,000 entries of such a log', value, unit: 's', atMost: 2 }];
}

/** One task after the other is stopped, reassigned and commits, with a renewal after each. */
function taskChanges({ tasks }: ClusterState, count: number): readonly LogEvent[] {
  const held = [...tasks.values()].flatMap(({ id, assignment }) => (assignment === undefined ? [] : [{ id, assignment }]));
  const events: LogEvent[] = [];
  for (let turn = 0; events.length < count; turn += 1) {
    const { id, assignment } = held[(turn * 7_919) % held.length] ?? {};
    if (id === undefined || assignment === undefined) throw new Error('no task is held');
    const { nodeId, incarnation } = assignment;
    events.push(
      { kind: 'tasks.revoked', tasks: [id], reason: 'restarted' },
      { kind: 'tasks.released', tasks: [id] },
      { kind: 'tasks.assigned', tasks: [{ ...id, nodeId, incarnation }] },
      { kind: 'tasks.committed', tasks: [id] },
      { kind: 'lease.renewed' },
    );
  }
  return events.slice(0, count);
}
