import type { CommandResult } from './command.js';
import type { TaskTable } from './task-table.js';
import type { Config, ConnectorState } from './connector.js';
import type { UnknownEntry } from './feature-level.js';
import type { Member } from './member.js';
import type { PairTable } from './pair-table.js';
import type { OpenSnapshot, SnapshotRef } from './snapshot.js';

/** An accepted entry: where it stands in the queue, its number (-1 before genesis) and the digest of its bytes. */
export interface LogHead {
  readonly offset: number;
  readonly seq: number;
  readonly digest: string;
}

export type StoredResult = CommandResult & { readonly at: number };

export interface Leader {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly resigned: boolean;
}

/** What the log says apart from its collections. Plain JSON. */
export interface StateHeader {
  readonly logId: string;
  readonly broker: string;
  /** Wall clock of genesis, milliseconds since the epoch. */
  readonly createdAt: number;
  /** The last accepted entry. */
  readonly head: LogHead;
  readonly epoch: number;
  readonly claimId: string;
  readonly leader?: Leader;
  /** Feature level of the cluster: see `levelOf`. */
  readonly level: number;
  readonly nextCommandOffset: number;
  /** Request id of the command before `nextCommandOffset`: another one there means that the queue is not the same any more. */
  readonly lastRequestId?: string;
  /** Ids of nodes that lose their tasks and get none, members or not. */
  readonly draining: readonly string[];
  /** As they are stored: see `clusterSettings`. */
  readonly settings: Config;
  readonly snapshot?: SnapshotRef;
  readonly openSnapshot?: OpenSnapshot;
}

/** Everything that the log says, folded. The same entries give the same state on every node. */
export interface ClusterState extends StateHeader {
  /** By node id. */
  readonly members: ReadonlyMap<string, Member>;
  /** Incarnations that left or were rejected and never come back, by `memberKey`, with the wall clock of their entry. */
  readonly departed: ReadonlyMap<string, number>;
  readonly connectors: ReadonlyMap<string, ConnectorState>;
  /** By `taskKey`. */
  readonly tasks: TaskTable;
  /** What connectors have agreed upon, by their names; those that were deleted keep it. */
  readonly pairs: ReadonlyMap<string, PairTable>;
  /** By request id, with the wall clock of their entry. */
  readonly results: ReadonlyMap<string, StoredResult>;
  /**
   * Entries that this reader did not accept because they were not the exact successor of the head: resends, late or
   * deposed writers. A count of its own reading, not of the log.
   */
  readonly skipped: number;
  /** Set where this build cannot read on: the state ends before that entry and is never applied further. */
  readonly needsNewer?: UnknownEntry;
}

/** The part of a state that is not a collection. */
export function headerOf(state: StateHeader): StateHeader {
  const { logId, broker, createdAt, head, epoch, claimId, leader, level, nextCommandOffset, lastRequestId } = state;
  const { draining, settings, snapshot, openSnapshot } = state;
  return {
    logId,
    broker,
    createdAt,
    head,
    epoch,
    claimId,
    ...(leader === undefined ? {} : { leader }),
    level,
    nextCommandOffset,
    ...(lastRequestId === undefined ? {} : { lastRequestId }),
    draining,
    settings,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(openSnapshot === undefined ? {} : { openSnapshot }),
  };
}
