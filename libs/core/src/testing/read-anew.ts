import type { ReadEntry } from '../model/entry.js';
import { foldEntries } from '../log/fold.js';
import { loadSnapshot, snapshotReadFrom, snapshotsNamedIn, type LoadedSnapshot } from '../log/snapshot-load.js';
import { stateDigest } from '../log/snapshot-records.js';
import type { LogWriter } from './log-writer.js';

/** Loads the last snapshot of a log as a reader that knows nothing does. */
export function loadLast(reads: readonly ReadEntry[]): LoadedSnapshot {
  const [doneOffset] = snapshotsNamedIn(reads);
  const from = snapshotReadFrom(reads.find(({ offset }) => offset === doneOffset));
  if (from === undefined || doneOffset === undefined) throw new Error('the log has no snapshot');
  return loadSnapshot(reads.filter(({ offset }) => offset >= from && offset <= doneOffset));
}

/** Digest of what a reader without a state makes of the last snapshot and what follows it. */
export function readAnew({ reads }: LogWriter): string {
  const loaded = loadLast(reads);
  if (loaded.kind !== 'loaded') throw new Error(loaded.kind);
  const rest = reads.filter(({ offset }) => offset > loaded.state.head.offset);
  return stateDigest(foldEntries(loaded.state, rest).state);
}
