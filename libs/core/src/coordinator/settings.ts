import { LEADER_LEASE_MS, LEASE_MARGIN_MS, MEMBER_LEASE_MS } from '../lease/node-lease.js';
import { MAX_LEVEL } from '../model/feature-level.js';

/** Times in milliseconds. `sessionMs` must exceed `memberLeaseMs + marginMs`. */
export interface CoordinatorSettings {
  /** How long a leader may be silent before a standby claims. */
  readonly leaseMs: number;
  /** How long a node may be silent before its tasks go to others. */
  readonly sessionMs: number;
  /** The lease of a runner: see `NodeLease`. */
  readonly memberLeaseMs: number;
  readonly marginMs: number;
  readonly probeIntervalMs: number;
  /** A probe that is not back by then means that its queue is stalled. */
  readonly probeTimeoutMs: number;
  /** Number of queues of the reports topic. */
  readonly reportQueues: number;
  /** A runner that was asked to split a connector and has not answered by then is given up. */
  readonly questionTimeoutMs: number;
  /** First pause after an unanswered question or a failed append; doubles up to `maxBackoffMs`. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxOpenQuestions: number;
  readonly maxQueuedCommands: number;
  /** Estimated size that one append may have. */
  readonly maxAppendBytes: number;
  /** Tasks of one draining node that are under way to others at a time. */
  readonly maxDrainMoves: number;
  /** The highest feature level that this build knows; only simulated older builds have another. */
  readonly maxLevel: number;
  /** A snapshot is written once so many entries were accepted after the last one. */
  readonly snapshotEntries: number;
  /** ... or after this time; and whenever retention comes near to the last one, see `decideSnapshot`. */
  readonly snapshotAgeMs: number;
  /** Estimated size of one chunk of a snapshot. With `maxAppendBytes` it must stay below the broker's message limit. */
  readonly snapshotChunkBytes: number;
  /** Between two chunks: all nodes read them in the queue that carries their leases. */
  readonly snapshotPauseMs: number;
}

export const defaultCoordinatorSettings: CoordinatorSettings = {
  leaseMs: LEADER_LEASE_MS,
  sessionMs: 6_000,
  memberLeaseMs: MEMBER_LEASE_MS,
  marginMs: LEASE_MARGIN_MS,
  probeIntervalMs: 1_000,
  probeTimeoutMs: 1_500,
  reportQueues: 4,
  questionTimeoutMs: 15_000,
  backoffMs: 200,
  maxBackoffMs: 2_000,
  maxOpenQuestions: 32,
  maxQueuedCommands: 4_096,
  maxAppendBytes: 512 * 1_024,
  maxDrainMoves: 8,
  maxLevel: MAX_LEVEL,
  snapshotEntries: 10_000,
  snapshotAgeMs: 6 * 3_600_000,
  snapshotChunkBytes: 256 * 1_024,
  snapshotPauseMs: 200,
};

/** Returns the pause after a failure that followed `failures` others in a row: exponential, capped. */
export function pauseAfter(failures: number, { backoffMs, maxBackoffMs }: Pick<CoordinatorSettings, 'backoffMs' | 'maxBackoffMs'>): number {
  return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(failures, 16));
}
