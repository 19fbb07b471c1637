import type { ClusterState, LogHead, StateHeader } from '../model/cluster-state.js';
import { eventsIn, type Claimed, type LogEntry, type ReadEntry } from '../model/entry.js';
import { FIRST_LEVEL, levelOf, MAX_LEVEL, type UnknownEntry } from '../model/feature-level.js';
import { ClusterDraft } from './cluster-draft.js';
import { TaskTable } from '../model/task-table.js';

/** Why an entry has no effect. All but `other-log` are expected where sends are repeated, late or from a deposed leader. */
export type SkipReason = 'other-log' | 'not-successor' | 'not-in-force' | 'void-claim';

export interface SkippedEntry {
  readonly offset: number;
  readonly reason: SkipReason;
}

export interface FoldResult {
  readonly state: ClusterState;
  /** In their order. */
  readonly accepted: readonly ReadEntry[];
  readonly skipped: readonly SkippedEntry[];
}

/** The state before the first entry. */
export function emptyState(): ClusterState {
  return {
    logId: '',
    broker: '',
    createdAt: 0,
    head: { offset: -1, seq: -1, digest: '' },
    epoch: 0,
    level: FIRST_LEVEL,
    claimId: '',
    members: new Map(),
    departed: new Map(),
    connectors: new Map(),
    tasks: new TaskTable(),
    pairs: new Map(),
    nextCommandOffset: 0,
    draining: [],
    settings: {},
    results: new Map(),
    skipped: 0,
  };
}

/** Folds one entry: the next state, or the same one with `skipped` grown by one. */
export function foldEntry(state: ClusterState, read: ReadEntry): ClusterState {
  return foldEntries(state, [read]).state;
}

/**
 * Folds entries in the order of their queue, and does not change `state` itself. It accepts the exact successor of the
 * head (`logId`, `seq` and `prevDigest`) from the claim in force. It also accepts the claim of the next epoch made
 * after that very head, whose `seq` may leap (see `claimSeq`). It skips anything else.
 *
 * Folding stops for good before an accepted entry that a build of `maxLevel` does not know: `needsNewer` names it.
 */
export function foldEntries(state: ClusterState, reads: readonly ReadEntry[], maxLevel = MAX_LEVEL): FoldResult {
  const draft = new ClusterDraft(state);
  const accepted: ReadEntry[] = [];
  const skipped: SkippedEntry[] = [];
  for (const read of reads) {
    if (draft.needsNewer !== undefined) break;
    const { offset, digest, entry } = read;
    const reason = refusal(draft, read);
    const unknown = reason === undefined ? unknownEntry(read, draft.header.level, maxLevel) : undefined;
    if (unknown !== undefined) {
      draft.stopBefore(unknown);
    } else if (reason === undefined) {
      const { seq, at, epoch, claimId, logId } = entry;
      draft.apply(entry.event, { offset, seq, at, epoch, claimId, logId });
      draft.advance({ offset, seq, digest });
      accepted.push(read);
    } else {
      draft.skip();
      skipped.push({ offset, reason });
    }
  }
  return { state: draft.finish(), accepted, skipped };
}

function refusal({ head, header }: ClusterDraft, { entry }: ReadEntry): SkipReason | undefined {
  const { event } = entry;
  const isNext = event.kind === 'claimed' ? entry.seq > head.seq : entry.seq === head.seq + 1;
  if (!isNext || entry.prevDigest !== head.digest) {
    return head.seq >= 0 && entry.logId !== header.logId ? 'other-log' : 'not-successor';
  }
  if (event.kind === 'genesis' || head.seq < 0) {
    return event.kind === 'genesis' && head.seq < 0 ? undefined : 'not-successor';
  }
  if (entry.logId !== header.logId) return 'other-log';
  if (event.kind === 'claimed') return isClaimValid(header, head, entry, event) ? undefined : 'void-claim';
  return isInForce(header, entry) ? undefined : 'not-in-force';
}

/** What a build cannot apply: a kind that it does not know, or a level beyond its own. */
function unknownEntry({ offset, entry }: ReadEntry, level: number, maxLevel: number): UnknownEntry | undefined {
  const { event } = entry;
  const unknown = (kind: string): UnknownEntry | undefined => {
    const known = levelOf(kind) ?? Math.max(level, maxLevel + 1);
    const needed = event.kind === 'cluster.version' ? event.level : known;
    return needed > maxLevel ? { offset, kind, level: needed } : undefined;
  };
  const own = unknown(event.kind);
  if (own !== undefined || event.kind !== 'command.applied') return own;
  for (const { kind } of eventsIn(event)) {
    const found = unknown(kind);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A claim is valid for the next epoch only, and only where no accepted entry stands between it and what its writer knew. */
function isClaimValid(header: StateHeader, head: LogHead, entry: LogEntry, { after }: Claimed): boolean {
  return after.seq === head.seq && after.digest === head.digest && entry.epoch === header.epoch + 1;
}

function isInForce({ leader, epoch, claimId }: StateHeader, entry: LogEntry): boolean {
  return leader?.resigned === false && entry.epoch === epoch && entry.claimId === claimId;
}
