import { heldUntil, isLeaseHeld, LEASE_MARGIN_MS, MEMBER_LEASE_MS, newLease, type NodeLease } from '../lease/node-lease.js';
import type { QueueBounds } from '../log/start-plan.js';
import type { Tail } from '../log/tail-check.js';
import type { ClusterState } from '../model/cluster-state.js';
import type { ReadEntry } from '../model/entry.js';
import { MAX_LEVEL, type UnknownEntry, type UnreadableEntry } from '../model/feature-level.js';
import { elapsedAfter, elapsedMs, type ClockReading, type ElapsedTime } from '../lease/elapsed-time.js';

/** A message of the log's queue that this build cannot decode. */
export interface UnreadableMessage {
  readonly offset: number;
  readonly digest: string;
  readonly why: string;
  /** The log that it names: every version of an entry does, so one without is none. */
  readonly logId?: string | undefined;
  /** It says that it is of a protocol version that this build does not know. */
  readonly isNewer?: boolean;
}

export type LogMessage = ReadEntry | UnreadableMessage;

/** When a question was sent, on the monotonic clock and in the time that leases are measured in. */
export interface SentTime {
  readonly sentAt: number;
  readonly sentElapsedMs: number;
}

/**
 * What a node asks the log's master: which messages stand at some offsets, and where the queue ends. The answer must come from a
 * pull that the master does not suspend.
 */
export interface TailQuestion extends SentTime {
  /** The last message that is folded and the last one that is pulled, as far as there are any. */
  readonly about: readonly Tail[];
  /** Where to pull when nothing was read yet and `about` is empty. */
  readonly nextOffset: number;
}

export interface TailAnswer {
  /** Digests of the messages at the offsets of `about`; undefined where the answer holds none. */
  readonly found: readonly (string | undefined)[];
  readonly bounds: QueueBounds;
}

export type NodeEnd =
  /** The log is not the one that this node has folded. */
  | { readonly kind: 'rewritten'; readonly reason: string }
  /** This build cannot apply or decode the entry. */
  | { readonly kind: 'outdated'; readonly entry: UnknownEntry | UnreadableEntry }
  /** Reading failed for good. */
  | { readonly kind: 'failed'; readonly error: Error };

/** What a node knows of the log and may do by it. */
export interface NodeLoop {
  readonly cluster: ClusterState;
  readonly maxLevel: number;
  readonly lease: NodeLease;
  /** Offset after the last message that is folded or held, decodable or not. */
  readonly nextOffset: number;
  /** The last message that is folded or held, decodable or not. */
  readonly tail: Tail | undefined;
  /**
   * Known to be in the log and not folded. The first one may be void because of a message before it that this build
   * cannot decode. Nothing is proven meanwhile; empty where nothing is in doubt.
   */
  readonly held: readonly LogMessage[];
  /** Pulled after `tail`, in order, and not yet known to be in the log still; never empty. */
  readonly pulled: readonly LogMessage[] | undefined;
  /** The beginning and the end of the queue as the broker last reported them. */
  readonly minOffset: number;
  readonly endOffset: number;
  /** Send time of the last question whose answer showed that everything in the log was folded; monotonic. */
  readonly provenAt: number | undefined;
  /** The oldest question that waits for messages before `endOffset` to be folded. */
  readonly due: (SentTime & { readonly endOffset: number }) | undefined;
  /** The last message that may be an accepted entry which this build cannot read, or follow one: nothing is proven before `until`. Times are monotonic. */
  readonly gap: { readonly offset: number; readonly since: number; readonly until: number } | undefined;
  /**
   * While no entry was accepted behind the copy that the node began with: the first and the last time when one was skipped. An earlier process may have
   * folded what others skipped. Undefined once the copy is confirmed, and where the node began with the log itself.
   */
  readonly unconfirmed: { readonly since: number; readonly until: number } | undefined;
  /** The last messages that this build could not decode. */
  readonly unreadable: readonly UnreadableMessage[];
  readonly time: ElapsedTime;
  /** Messages that the reader has not delivered since `since` (monotonic) though an answer reported them. */
  readonly undelivered: { readonly since: number; readonly patienceMs: number } | undefined;
  /** When the last accepted entry was folded; monotonic. */
  readonly lastAcceptedAt: number;
  /** Messages that this build could not decode. */
  readonly unreadableCount: number;
  /** Nothing is folded any more. */
  readonly ended: NodeEnd | undefined;
}

/** A node that holds `cluster` and reads the log behind its head. */
export function initialNodeLoop(
  self: { readonly nodeId: string; readonly incarnation: string },
  cluster: ClusterState,
  { now, wall }: ClockReading,
  maxLevel = MAX_LEVEL,
): NodeLoop {
  const { head } = cluster;
  return {
    cluster,
    maxLevel,
    lease: newLease({ ...self, leaseMs: MEMBER_LEASE_MS, marginMs: LEASE_MARGIN_MS }, now),
    nextOffset: head.offset + 1,
    tail: head.seq < 0 ? undefined : { offset: head.offset, digest: head.digest },
    held: [],
    pulled: undefined,
    minOffset: 0,
    endOffset: head.offset + 1,
    provenAt: undefined,
    due: undefined,
    gap: undefined,
    unconfirmed: head.seq < 0 ? undefined : { since: now, until: -Infinity },
    unreadable: [],
    time: { now, wall, stoodStillMs: 0 },
    undelivered: undefined,
    lastAcceptedAt: now,
    unreadableCount: 0,
    ended: undefined,
  };
}

/** The node as it begins at `offset` with what a snapshot, or nothing, says. */
export function beginningAt(node: NodeLoop, cluster: ClusterState, offset: number): NodeLoop {
  const { head } = cluster;
  return {
    ...node,
    cluster,
    nextOffset: offset,
    tail: head.seq < 0 ? undefined : { offset: head.offset, digest: head.digest },
    unconfirmed: undefined,
  };
}

/** Messages between what is folded and the end of the log as the broker last reported it. */
export function behindBy({ endOffset, nextOffset }: NodeLoop): number {
  return Math.max(0, endOffset - nextOffset);
}

/** Whether the node may act for its tasks at a moment. */
export function holdsLease({ lease, time }: NodeLoop, reading: ClockReading): boolean {
  return isLeaseHeld(lease, elapsedMs(elapsedAfter(time, reading)));
}

/** Milliseconds that the lease still lasts; negative when it has ended. */
export function leaseRemainingMs({ lease, time }: NodeLoop, reading: ClockReading): number {
  return heldUntil(lease) - elapsedMs(elapsedAfter(time, reading));
}
