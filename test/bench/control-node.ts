import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, foldEntries, type LogEvent, type ReadEntry } from '@sluice/core';
import { NodeFile, NodeStore, StatePersister, type ScopedLog } from '@sluice/platform';
import { decodeLogEntry, encodeLogEntry, entryDigest } from '@sluice/protocol';
import type { ControlFigure } from './control.js';
import { collectGarbage, type ControlWorld } from './control-world.js';

export const silent: ScopedLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (text) => {
    throw new Error(text);
  },
};

/** The longest turn of the event loop while the node's files are written, and all that this costs. */
export async function fileFigures(world: ControlWorld): Promise<ControlFigure[]> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const store = await NodeStore.open(root, 'bench');
  try {
    const intervals = { config: 10, position: 3_600_000, offset: 3_600_000 };
    const persister = new StatePersister(store, () => world.followed, {}, intervals, silent);
    collectGarbage();
    let worst = 0;
    let isWatching = true;
    let before = process.cpuUsage();
    const started = before;
    const turn = (): void => {
      const { user, system } = process.cpuUsage(before);
      worst = Math.max(worst, (user + system) / 1_000);
      before = process.cpuUsage();
      if (isWatching) setImmediate(turn);
    };
    setImmediate(turn);
    persister.start();
    await untilWritten(store);
    isWatching = false;
    const { user, system } = process.cpuUsage(started);
    await persister.stop();
    return [
      { what: 'files: longest turn of the event loop', value: worst, unit: 'ms', goal: 20 },
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

const batch = 2_048;

/** Reading 100,000 entries as a node does that catches up: those that made the cluster, then changes of single tasks. */
export function foldFigures(world: ControlWorld): ControlFigure[] {
  const entries = world.reads.filter(({ entry }) => entry.event.kind !== 'snapshot.chunk');
  const bodies = entries.slice(0, 100_000).map(({ entry }) => encodeLogEntry<LogEvent>(entry).body);
  collectGarbage();
  const before = process.cpuUsage();
  let state = emptyState();
  for (let at = 0; at < bodies.length; at += batch) {
    const reads = bodies
      .slice(at, at + batch)
      .map((body, i): ReadEntry => ({ offset: at + i, digest: entryDigest(body), entry: decodeLogEntry(body) }));
    state = foldEntries(state, reads).state;
  }
  const { user, system } = process.cpuUsage(before);
  const perEntry = (user + system) / 1_000_000 / bodies.length;
  return [{ what: 'reading and folding 100,000 entries of such a log', value: perEntry * 100_000, unit: 's', goal: 2 }];
}
