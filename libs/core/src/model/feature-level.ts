import { CoreError } from './core-error.js';
import type { LogEvent } from './entry.js';

/**
 * Rolling upgrades. Every kind of entry belongs to a feature level, and a cluster has one: 1 at genesis, then that of its last `cluster.version` entry.
 *
 * - A node reports the highest level that its build knows (`maxLevel`; 1 if it says nothing).
 * - A leader writes `cluster.version` once the latest reports of all members support a higher level. It writes kinds of
 *   a level only when the cluster has it. So nodes may be replaced one by one, in any order, and nothing new is used
 *   before the last one is.
 * - The level never sinks: a build that is too old for it cannot come back. Such a reader stops at the first accepted entry that
 *   it does not know and ends with `NewerVersionNeededError`; it never applies a log in part.
 * - The version of the messages on the control topics belongs to a level too ({@link protocolVersionAt}). Nodes write a
 *   newer one only once the cluster has its level. Every version of a log entry is a JSON object with `v` and `logId`:
 *   a reader knows what it cannot decode.
 * - What a kind means never changes once it was released: another meaning is another kind. A new kind goes into a new level
 *   together with the code that folds it. New optional fields may be added to a kind only if folding does not depend on them.
 */
const levels = {
  genesis: 1,
  claimed: 1,
  'lease.renewed': 1,
  'leader.resigned': 1,
  'cluster.version': 1,
  'member.joined': 1,
  'member.suspected': 1,
  'member.cleared': 1,
  'member.left': 1,
  'member.rejected': 1,
  'connector.put': 1,
  'connector.target': 1,
  'connector.deleted': 1,
  'tasks.configured': 1,
  'tasks.failed': 1,
  'tasks.assigned': 1,
  'tasks.revoked': 1,
  'tasks.released': 1,
  'tasks.committed': 1,
  'command.done': 1,
  'command.applied': 2,
  'commands.rewound': 2,
  'drain.started': 2,
  'drain.ended': 2,
  'settings.changed': 2,
  'snapshot.chunk': 2,
  'snapshot.done': 2,
  'tasks.completed': 3,
  'pairs.extended': 4,
} as const satisfies Record<LogEvent['kind'], number>;

/** Level of a log that was just begun. */
export const FIRST_LEVEL = 1;

/** The highest level that this build writes and reads. */
export const MAX_LEVEL = 4;

/** Versions of the messages on the control topics, by the level from which on nodes write them. */
const PROTOCOL_VERSIONS: readonly (readonly [level: number, version: number])[] = [[FIRST_LEVEL, 1]];

/** The version of the messages on the control topics that nodes write in a cluster of a level. */
export function protocolVersionAt(level: number): number {
  return Math.max(...PROTOCOL_VERSIONS.filter(([from]) => from <= level).map(([, version]) => version));
}

/** From this level on all nodes understand reports that tell only what is new. */
export const REPORT_DELTAS_LEVEL = 2;

/** From this level on all nodes expect that those of a large cluster report less often than every second. */
export const FEWER_REPORTS_LEVEL = 4;

/** The level that a kind of entry belongs to; undefined for one that this build does not know. */
export function levelOf(kind: string): number | undefined {
  return Object.hasOwn(levels, kind) ? levels[kind as LogEvent['kind']] : undefined;
}

/** An accepted entry that a reader's build cannot apply. */
export interface UnknownEntry {
  readonly offset: number;
  readonly kind: string;
  /** The level that the reader has to support to read further. */
  readonly level: number;
}

/** An entry that others have accepted and a reader's build cannot decode. */
export interface UnreadableEntry {
  readonly offset: number;
  readonly why: string;
}

/** The log continues with entries of a newer version: this node has to be upgraded. */
export class NewerVersionNeededError extends CoreError {
  constructor(
    readonly entry: UnknownEntry | UnreadableEntry,
    readonly maxLevel: number = MAX_LEVEL,
  ) {
    const what =
      'why' in entry
        ? `an entry at offset ${entry.offset} that this build cannot decode (${entry.why})`
        : `an entry "${entry.kind}" of feature level ${entry.level} at offset ${entry.offset}; this build knows ` +
          `levels up to ${maxLevel}`;
    super('NEWER_VERSION_NEEDED', `The log holds ${what}. The node reads no further: upgrade it`);
  }
}
