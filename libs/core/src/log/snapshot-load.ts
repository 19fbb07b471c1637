import type { ClusterState } from '../model/cluster-state.js';
import type { LogEvent, ReadEntry } from '../model/entry.js';
import { MAX_LEVEL, type UnknownEntry } from '../model/feature-level.js';
import type { SnapshotRecord } from '../model/snapshot.js';
import { foldEntries } from './fold.js';
import { digestAfter, digestText, EMPTY_DIGEST } from './record-digest.js';
import { sameHead } from './snapshot-events.js';
import { stateOfRecords } from './snapshot-records.js';

type Done = Extract<LogEvent, { kind: 'snapshot.done' }>;

export type LoadedSnapshot =
  /** The state right after the `snapshot.done`. */
  | { readonly kind: 'loaded'; readonly state: ClusterState }
  /** It was written at a feature level that this build does not know. */
  | { readonly kind: 'needs-newer'; readonly entry: UnknownEntry }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Offsets of the `snapshot.done` entries that these entries name or are, newest first. */
export function snapshotsNamedIn(reads: readonly ReadEntry[]): readonly number[] {
  const offsets = new Set<number>();
  for (const { offset, entry } of [...reads].reverse()) {
    const { event } = entry;
    if (event.kind === 'snapshot.done') offsets.add(offset);
    if (event.kind === 'lease.renewed' && event.snapshotAt !== undefined) offsets.add(event.snapshotAt);
  }
  return [...offsets];
}

/** First offset that must be read to load the snapshot which this entry ends; `undefined` if it ends none. */
export function snapshotReadFrom(done: ReadEntry | undefined): number | undefined {
  const event = done?.entry.event;
  return event?.kind === 'snapshot.done' ? event.asOf.offset + 1 : undefined;
}

/**
 * Puts a snapshot together and folds the entries that followed its `asOf`, but only if the log itself makes it valid.
 *
 * @param reads the entries from `snapshotReadFrom` to the `snapshot.done`, which is the last.
 */
export function loadSnapshot(reads: readonly ReadEntry[], maxLevel = MAX_LEVEL): LoadedSnapshot {
  const last = reads.at(-1);
  const done = last?.entry.event;
  if (last === undefined || done?.kind !== 'snapshot.done') return invalid('it does not end with snapshot.done');
  const records = recordsIn(reads, done);
  if (records === undefined) return invalid(`not all of its ${done.chunks} chunks are there`);
  let digest = EMPTY_DIGEST;
  for (const record of records) digest = digestAfter(digest, record);
  if (digestText(digest) !== done.digest) return invalid(`its digest is ${digestText(digest)}, not ${done.digest}`);
  const asOf = stateOfRecords(records);
  if (asOf === undefined || !sameHead(asOf.head, done.asOf)) return invalid('it holds the state of another head');
  if (asOf.level > maxLevel) {
    return { kind: 'needs-newer', entry: { offset: last.offset, kind: done.kind, level: asOf.level } };
  }
  const { state } = foldEntries(asOf, reads, maxLevel);
  if (state.needsNewer !== undefined) return { kind: 'needs-newer', entry: state.needsNewer };
  if (state.snapshot?.doneOffset !== last.offset) return invalid('the entries after its start do not lead to its end');
  return { kind: 'loaded', state };
}

/** Records of the chunks in their order; a chunk that was sent twice is taken once. */
function recordsIn(reads: readonly ReadEntry[], done: Done): readonly SnapshotRecord[] | undefined {
  const records: SnapshotRecord[] = [];
  let chunks = 0;
  for (const { entry } of reads) {
    const { event } = entry;
    if (event.kind !== 'snapshot.chunk' || event.snapshotId !== done.snapshotId || event.index !== chunks) continue;
    for (const record of event.data) records.push(record);
    chunks += 1;
  }
  return chunks === done.chunks ? records : undefined;
}

function invalid(reason: string): LoadedSnapshot {
  return { kind: 'invalid', reason };
}
