import type { ClusterState } from '../model/cluster-state.js';
import { freed, type TaskState } from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';
import { levelOf } from '../model/feature-level.js';
import { memberKey } from '../model/member.js';
import type { SnapshotRecord } from '../model/snapshot.js';
import { restoredSeq } from './claim-seq.js';
import { utf8Bound } from './json-parts.js';
import { digestAfter, digestText, EMPTY_DIGEST } from './record-digest.js';
import { recordsOf } from './snapshot-records.js';
import { TaskTable } from '../model/task-table.js';

/** Claims of a restore begin with this. */
export const RESTORE_NODE_ID = 'sluice-restore';

/** Where a restored log begins. */
export interface RestorePlace {
  /** A new one: readers skip what late writers of the old log send. */
  readonly logId: string;
  readonly broker: string;
  readonly incarnation: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** Offset of the last message in the queue; -1 where it is empty. */
  readonly lastOffset: number;
}

/**
 * The state that a restored log begins with, from one that was kept in files. Connectors, tasks, settings and results stay. No node is a
 * member, and none of those that were may come back as the same incarnation: nobody holds a task. Numbers of entries, hence generations,
 * continue far above those of the files.
 */
export function restoredState(kept: ClusterState, { logId, broker, incarnation, at, lastOffset }: RestorePlace): ClusterState {
  const seq = restoredSeq(kept, at);
  const departed = new Map(kept.departed);
  for (const member of kept.members.values()) departed.set(memberKey(member), at);
  return {
    ...withoutSnapshots(kept),
    logId,
    broker,
    head: { offset: lastOffset, seq, digest: kept.head.digest },
    claimId: `${RESTORE_NODE_ID}/${incarnation}`,
    leader: { nodeId: RESTORE_NODE_ID, incarnation, resigned: false },
    level: Math.max(kept.level, levelOf('snapshot.done') ?? 0),
    members: new Map(),
    departed,
    tasks: TaskTable.of([...kept.tasks.values()].filter((task) => isWanted(kept, task)).map(freed)),
    skipped: 0,
  };
}

/**
 * Lists the entries of a restored log, to be appended behind the state's head: a snapshot of the state and a
 * resignation. As a snapshot they are valid only once all of them are there.
 *
 * @param chunkBytes estimated size of one entry; more only where one record alone is larger.
 */
export function restoredLog(state: ClusterState, chunkBytes: number): readonly LogEvent[] {
  const snapshotId = `${state.claimId}/${state.head.seq}`;
  const asOf = state.head;
  const records = recordsOf(state);
  const chunks = chunksOf(records, chunkBytes).map((data, index): LogEvent => {
    return { kind: 'snapshot.chunk', snapshotId, asOf, index, data };
  });
  let digest = EMPTY_DIGEST;
  for (const record of records) digest = digestAfter(digest, record);
  return [
    ...chunks,
    { kind: 'snapshot.done', snapshotId, asOf, chunks: chunks.length, digest: digestText(digest) },
    { kind: 'leader.resigned' },
  ];
}

function withoutSnapshots(state: ClusterState): ClusterState {
  const rest: Omitting<ClusterState, 'snapshot' | 'openSnapshot' | 'needsNewer'> = { ...state };
  delete rest.snapshot;
  delete rest.openSnapshot;
  delete rest.needsNewer;
  return rest;
}

type Omitting<T, Key extends keyof T> = Omit<T, Key> & { -readonly [K in Key]?: T[K] };

function isWanted({ connectors }: ClusterState, { id }: TaskState): boolean {
  return id.index < (connectors.get(id.connector)?.taskCount ?? 0);
}

function chunksOf(records: readonly SnapshotRecord[], chunkBytes: number): readonly (readonly SnapshotRecord[])[] {
  const chunks: SnapshotRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = utf8Bound(JSON.stringify(record)) + 1;
    const last = chunks.at(-1);
    if (last === undefined || bytes + size > chunkBytes) {
      chunks.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return chunks;
}
