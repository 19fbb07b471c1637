import { utf8Bound } from '../log/json-parts.js';
import { digestAfterText, digestText, EMPTY_DIGEST } from '../log/record-digest.js';
import { recordsOf } from '../log/snapshot-records.js';
import type { ClusterState } from '../model/cluster-state.js';
import type { EventBatch } from './event-batch.js';
import type { CoordinatorSettings } from './settings.js';
import type { SnapshotCut, SnapshotJob, Turn } from './state.js';

/**
 * Writes the state into the log when it is time: one chunk per append beside other events, and a pause between two. So
 * a large state delays neither decisions nor renewals, nor the leases of those who read it. The log shows how far the
 * snapshot came, so a lost chunk is sent again.
 */
export function decideSnapshot({ next, now, wall }: Turn, batch: EventBatch): void {
  const { cluster, settings } = next;
  if (next.snapshotJob !== undefined && cluster.snapshot?.snapshotId === next.snapshotJob.snapshotId) {
    next.snapshotJob = undefined;
  }
  if (next.snapshotJob === undefined) {
    if (!isSnapshotDue(cluster, wall, settings) && !isEndangered(cluster, next.logMinOffset)) return;
    next.snapshotJob = newJob(cluster, now);
  }
  if (now < next.snapshotJob.notBefore) return;
  const job = addNextChunk(next.snapshotJob, cluster, settings.snapshotChunkBytes, batch);
  next.snapshotJob = { ...job, notBefore: now + settings.snapshotPauseMs };
}

/** By entries or by age since the last snapshot, or since the log began. */
function isSnapshotDue(
  { head, snapshot, createdAt }: ClusterState,
  wall: number,
  { snapshotEntries, snapshotAgeMs }: Pick<CoordinatorSettings, 'snapshotEntries' | 'snapshotAgeMs'>,
): boolean {
  const entries = head.offset - (snapshot?.doneOffset ?? -1);
  return entries >= snapshotEntries || wall - (snapshot?.at ?? createdAt) >= snapshotAgeMs;
}

/** So many entries follow a snapshot that still stands before another is written because retention comes near: half a minute of renewals. */
const MIN_ENTRIES_BETWEEN = 30;

/** Retention has taken entries, by age or because the disk is full, and what is left before the last snapshot is less than what follows. */
function isEndangered({ head, snapshot }: ClusterState, minOffset: number): boolean {
  if (minOffset === 0) return false;
  if (snapshot === undefined || snapshot.asOf.offset < minOffset) return true;
  const behind = head.offset - snapshot.asOf.offset;
  return behind >= MIN_ENTRIES_BETWEEN && snapshot.asOf.offset - minOffset < behind;
}

function newJob(cluster: ClusterState, now: number): SnapshotJob {
  const { claimId, head } = cluster;
  const cuts = [{ from: 0, digest: EMPTY_DIGEST }];
  return {
    snapshotId: `${claimId}/${head.seq}`,
    asOf: head,
    notBefore: now,
    records: recordsOf(cluster),
    cuts,
  };
}

function addNextChunk(job: SnapshotJob, cluster: ClusterState, chunkBytes: number, batch: EventBatch): SnapshotJob {
  const { snapshotId, asOf, records } = job;
  const { openSnapshot } = cluster;
  const index = openSnapshot?.snapshotId === snapshotId ? openSnapshot.chunks : 0;
  const cut = job.cuts[index] ?? { from: 0, digest: EMPTY_DIGEST };
  if (cut.from >= records.length) {
    batch.addBeyondLimit({ kind: 'snapshot.done', snapshotId, asOf, chunks: index, digest: digestText(cut.digest) });
    return job;
  }
  const end = nextCut(job, cut, chunkBytes);
  batch.addBeyondLimit({ kind: 'snapshot.chunk', snapshotId, asOf, index, data: records.slice(cut.from, end.from) });
  return { ...job, cuts: [...job.cuts.slice(0, index + 1), end] };
}

/** The end of a chunk: at least one record, and no more than fit. */
function nextCut({ records }: SnapshotJob, { from, digest: before }: SnapshotCut, chunkBytes: number): SnapshotCut {
  let digest = before;
  let bytes = 0;
  let index = from;
  for (let record = records[index]; record !== undefined; record = records[index]) {
    const text = JSON.stringify(record);
    bytes += utf8Bound(text) + 1;
    if (index > from && bytes > chunkBytes) break;
    digest = digestAfterText(digest, text);
    index += 1;
  }
  return { from: index, digest };
}
