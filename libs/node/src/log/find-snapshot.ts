import {
  loadSnapshot,
  NewerVersionNeededError,
  SnapshotMissingError,
  snapshotReadFrom,
  snapshotsNamedIn,
  type ClusterState,
  type LoadedSnapshot,
  type QueueBounds,
  type ReadEntry,
} from '@sluice/core';

/** Reads entries from an offset up to but without another. */
export type ReadRange = (from: number, to: number, signal: AbortSignal) => Promise<readonly ReadEntry[]>;

/** A leader renews its lease every second: the first window nearly always names a snapshot. */
const WINDOW_ENTRIES = 256;

/**
 * Loads the newest valid snapshot: entries near the tail name it, and older ones are tried where one proves to be invalid.
 *
 * @returns the state right after the snapshot's last entry.
 * @throws SnapshotMissingError when there is none in all of the queue.
 * @throws NewerVersionNeededError when this build cannot read it.
 */
export async function findSnapshot(read: ReadRange, bounds: QueueBounds, signal: AbortSignal): Promise<ClusterState> {
  const refused = new Map<number, string>();
  for (let end = bounds.maxOffset; end > bounds.minOffset; end -= WINDOW_ENTRIES) {
    const entries = await read(Math.max(bounds.minOffset, end - WINDOW_ENTRIES), end, signal);
    for (const doneOffset of snapshotsNamedIn(entries)) {
      if (refused.has(doneOffset)) continue;
      const loaded = await load(read, doneOffset, bounds, signal);
      if (loaded.kind === 'loaded') return loaded.state;
      if (loaded.kind === 'needs-newer') throw new NewerVersionNeededError(loaded.entry);
      refused.set(doneOffset, loaded.reason);
    }
  }
  throw new SnapshotMissingError(
    bounds,
    [...refused].map(([doneOffset, reason]) => ({ doneOffset, reason })),
  );
}

async function load(
  read: ReadRange,
  doneOffset: number,
  { minOffset, maxOffset }: QueueBounds,
  signal: AbortSignal,
): Promise<LoadedSnapshot> {
  const isThere = doneOffset >= minOffset && doneOffset < maxOffset;
  const from = isThere ? snapshotReadFrom((await read(doneOffset, doneOffset + 1, signal))[0]) : undefined;
  if (from === undefined) return { kind: 'invalid', reason: 'there is no snapshot.done' };
  if (from < minOffset) return { kind: 'invalid', reason: `entries from offset ${from} on are gone` };
  return loadSnapshot(await read(from, doneOffset + 1, signal));
}
