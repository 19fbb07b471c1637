import type { LogHead, StateHeader, StoredResult } from './cluster-state.js';
import type { TaskRows } from './task-rows.js';
import type { ConnectorState } from './connector.js';
import type { Member } from './member.js';
import type { PairRows } from './pair-table.js';

/** A part of a snapshot. Each map of the state keeps its order. Plain JSON. */
export type SnapshotRecord =
  | readonly [kind: 'header', header: StateHeader]
  | readonly [kind: 'member', member: Member]
  | readonly [kind: 'departed', memberKey: string, at: number]
  | readonly [kind: 'connector', connector: ConnectorState]
  | readonly [kind: 'tasks', tasks: TaskRows]
  | readonly [kind: 'pairs', pairs: PairRows]
  | readonly [kind: 'result', result: StoredResult];

/** A snapshot under way: so many of its chunks are in the log, all under the claim in force. */
export interface OpenSnapshot {
  readonly snapshotId: string;
  /** The head that the snapshot holds the state of. */
  readonly asOf: LogHead;
  readonly chunks: number;
}

/** The last valid snapshot in the log. */
export interface SnapshotRef extends OpenSnapshot {
  /** Where its `snapshot.done` stands. */
  readonly doneOffset: number;
  readonly doneSeq: number;
  /** Wall clock of its writer, milliseconds since the epoch. */
  readonly at: number;
}
