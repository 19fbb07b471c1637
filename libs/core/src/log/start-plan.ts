import type { LogHead } from '../model/cluster-state.js';
import { CoreError } from '../model/core-error.js';

/** What the broker says of the log's queue: `minOffset` is the first entry that is still there, `maxOffset` the end. */
export interface QueueBounds {
  readonly minOffset: number;
  readonly maxOffset: number;
}

export type StartPlan =
  /** Continue after the local copy, once the entry at its head proves to be the same. */
  | { readonly kind: 'local' }
  /** Load the newest snapshot; without one read from the beginning, or fail where that is gone (`isRequired`). */
  | { readonly kind: 'snapshot'; readonly isRequired: boolean }
  | { readonly kind: 'beginning' }
  /** The local copy is of another log than this one: drop it. */
  | { readonly kind: 'rewritten'; readonly reason: string };

/** A restore was broken off: the log begins with a part of a snapshot. */
export class RestoreUnfinishedError extends CoreError {
  constructor() {
    super('RESTORE_UNFINISHED', 'The log was not restored to its end: run `sluice restore` again with the same files');
  }
}

/** Retention has taken the beginning of the log, and there is no valid snapshot in what is left. */
export class SnapshotMissingError extends CoreError {
  constructor(
    readonly bounds: QueueBounds,
    /** Snapshots that were found and could not be used, with the reason. */
    readonly refused: readonly { readonly doneOffset: number; readonly reason: string }[] = [],
  ) {
    const found = refused.map(({ doneOffset, reason }) => `the one at offset ${doneOffset} is not valid: ${reason}`);
    super(
      'SNAPSHOT_MISSING',
      `The log's entries before offset ${bounds.minOffset} are gone and offsets ${bounds.minOffset} to ` +
        `${bounds.maxOffset} hold no snapshot to start from${found.length === 0 ? '' : ` (${found.join('; ')})`}. ` +
        'Copy the files of a node that has read the log into the directory of this one. Where no node can read it any more, stop all ' +
        'nodes, delete the topic of the log and run `sluice restore` with the newest files',
    );
  }
}

/** Entries beyond which a snapshot is looked for though the whole log could be read. */
export const PREFER_SNAPSHOT_BEYOND = 1_000;

/** Entries that a reader folds at once while it catches up, at most: each fold copies what changed lately. */
export const CATCH_UP_ENTRIES = 2_048;

/**
 * Where a reader begins.
 *
 * @param local head of its local copy, if it has one.
 */
export function planStart(
  local: LogHead | undefined,
  { minOffset, maxOffset }: QueueBounds,
  preferSnapshotBeyond = PREFER_SNAPSHOT_BEYOND,
): StartPlan {
  if (local !== undefined && local.seq >= 0) {
    if (local.offset >= maxOffset) {
      return { kind: 'rewritten', reason: `there is no entry at offset ${local.offset} any more` };
    }
    if (local.offset >= minOffset) return { kind: 'local' };
  }
  if (minOffset > 0) return { kind: 'snapshot', isRequired: true };
  return maxOffset > preferSnapshotBeyond ? { kind: 'snapshot', isRequired: false } : { kind: 'beginning' };
}
