import type { ClusterState } from '../model/cluster-state.js';
import type { ReadEntry } from '../model/entry.js';
import { ClusterDraft } from './cluster-draft.js';

/** Why an entry has no effect. All but `other-log` are expected where sends are repeated, late or from a deposed leader. */
export type SkipReason = 'other-log' | 'not-successor' | 'not-in-force' | 'void-claim';

export interface SkippedEntry {
  readonly offset: number;
  readonly reason: SkipReason;
}

export interface FoldResult {
  readonly state: ClusterState;
  readonly skipped: readonly SkippedEntry[];
}

/** The state before the first entry. */
export function emptyState(): ClusterState {
  return {
    logId: '',
    broker: '',
    head: { offset: -1, seq: -1, digest: '' },
    epoch: 0,
    claimId: '',
    members: new Map(),
    departed: new Map(),
    connectors: new Map(),
    tasks: new Map(),
    nextCommandOffset: 0,
    results: new Map(),
    skipped: 0,
  };
}

/** Folds one entry: the next state, or the same one with `skipped` grown by one. */
export function foldEntry(state: ClusterState, read: ReadEntry): ClusterState {
  return foldEntries(state, [read]).state;
}

/**
 * Folds entries in the order of their queue. An entry counts only as the exact successor of the head (`logId`, `seq` and
 * `prevDigest`) and from the claim in force, or as the claim of the next epoch made after that very head. Anything
 * else is skipped. `state` itself is not changed.
 */
export function foldEntries(state: ClusterState, reads: readonly ReadEntry[]): FoldResult {
  const draft = new ClusterDraft(state);
  const skipped: SkippedEntry[] = [];
  for (const { offset, digest, entry } of reads) {
    const reason = refusal(draft, { offset, digest, entry });
    if (reason === undefined) {
      draft.apply(entry.event, entry);
      draft.advance({ offset, seq: entry.seq, digest });
    } else {
      draft.skip();
      skipped.push({ offset, reason });
    }
  }
  return { state: draft.finish(), skipped };
}

function refusal(draft: ClusterDraft, { entry }: ReadEntry): SkipReason | undefined {
  const { head } = draft;
  const { event } = entry;
  if (entry.seq !== head.seq + 1 || entry.prevDigest !== head.digest) {
    return head.seq >= 0 && entry.logId !== draft.logId ? 'other-log' : 'not-successor';
  }
  if (event.kind === 'genesis' || head.seq < 0) {
    return event.kind === 'genesis' && head.seq < 0 ? undefined : 'not-successor';
  }
  if (entry.logId !== draft.logId) return 'other-log';
  if (event.kind === 'claimed') {
    const isAfterHead = event.after.seq === head.seq && event.after.digest === head.digest;
    return isAfterHead && entry.epoch === draft.epoch + 1 ? undefined : 'void-claim';
  }
  const isInForce = draft.leader?.resigned === false && entry.epoch === draft.epoch && entry.claimId === draft.claimId;
  return isInForce ? undefined : 'not-in-force';
}
