import type { CopyIndex, QueueBounds } from './copy-index.js';

/** What a translation has to go by, besides the index of the target queue. */
export interface TranslationInput {
  /** What the group has committed at the source: where it continues there. */
  readonly sourceOffset: number;
  /** The first offset that the source still has. */
  readonly sourceMin: number;
  /** What it has committed at the target; undefined when it never did. */
  readonly targetOffset: number | undefined;
  /** Of the target queue. */
  readonly bounds: QueueBounds;
  /**
   * `hold`: never goes beyond another message that nothing proves to be consumed. `skip`: goes by the copies alone.
   */
  readonly others: 'hold' | 'skip';
  /**
   * The flow of the other direction has brought messages of the target to the source. Returns the first target offset,
   * from the given one on, that nothing proves to be consumed there.
   */
  readonly consumedElsewhere: (targetOffset: number) => number;
}

/** Where a group would continue at the target. */
export interface Translation {
  readonly kind: 'translated';
  readonly offset: number;
  /** Messages that the group has consumed at the source and that are not at the target: `offset` is the end of what is copied then. */
  readonly ahead: number;
  /** Set where another message keeps the offset back: the offset that the copies alone give. */
  readonly heldFrom?: number;
  /** Other messages that the group would skip. */
  readonly skipped: number;
  /** Copies that the group has not consumed and that the target's retention has removed. */
  readonly expired: number;
}

/** Why an offset cannot be translated. */
export interface Untranslated {
  readonly kind: 'unknown';
  readonly reason: string;
}

/**
 * Translates the offset of a group in a source queue to the one in the target queue.
 *
 * The answer is the first copy that the group has not consumed. Where it has consumed all copies, the end of the last one; where there is none,
 * the queue's beginning. Everything that lies before was consumed at the source or, with `hold`, at the target or by the way of the other
 * direction. Never beyond what the index knows, which is never beyond the queue's end. Pure.
 */
export function translateOffset(index: CopyIndex, input: TranslationInput): Translation | Untranslated {
  const { sourceOffset, sourceMin, targetOffset, bounds, others, consumedElsewhere } = input;
  const consumed = consumedElsewhere(Math.max(targetOffset ?? 0, bounds.min));
  const { forgotten } = index;
  if (sourceOffset < forgotten.next || (others === 'hold' && consumed < forgotten.end)) {
    return {
      kind: 'unknown',
      reason: `what the target holds before offset ${forgotten.end} is too varied to be kept, and the group is behind it`,
    };
  }
  const copy = index.firstCopyBeyond(sourceOffset);
  const exact = Math.max(copy ?? index.copiesEnd ?? index.from, bounds.min);
  const other = others === 'hold' ? firstUnproven(index, consumed, consumedElsewhere) : undefined;
  const isHeld = other !== undefined && other < exact;
  return {
    kind: 'translated',
    offset: isHeld ? other : exact,
    ahead: copy === undefined ? Math.max(0, sourceOffset - Math.max(sourceMin, index.copiedNext ?? 0)) : 0,
    ...(isHeld ? { heldFrom: exact } : {}),
    skipped: others === 'skip' ? index.countOthers(Math.max(targetOffset ?? 0, bounds.min), exact) : 0,
    expired: Math.max(0, index.expiredNext - sourceOffset),
  };
}

/** One that came between two others need not have been copied with them: another flow began later, or passed it over. */
function firstUnproven(index: CopyIndex, from: number, consumedElsewhere: (targetOffset: number) => number): number | undefined {
  let other = index.firstOther(from);
  while (other !== undefined) {
    const proven = consumedElsewhere(other);
    if (proven <= other) return other;
    other = index.firstOther(proven);
  }
  return undefined;
}

/** Whether a group has members at the target; `unknown` where a broker does not say. */
export type GroupActivity = 'active' | 'inactive' | 'unknown';

/** Why an offset is not written. */
export type KeptReason = 'active' | 'activity-unknown' | 'up-to-date' | 'target-ahead' | 'untranslated';

export type OffsetDecision = { readonly write: true; readonly offset: number } | { readonly write: false; readonly reason: KeptReason };

/**
 * Decides whether a translated offset is written at the target: only forwards, and only while the group has no members there. A group without an
 * offset gets one, 0 included. Pure.
 */
export function decideOffset(
  translation: Translation | Untranslated,
  targetOffset: number | undefined,
  activity: GroupActivity,
): OffsetDecision {
  if (translation.kind === 'unknown') return { write: false, reason: 'untranslated' };
  if (targetOffset !== undefined && translation.offset < targetOffset) return { write: false, reason: 'target-ahead' };
  if (translation.offset === targetOffset) return { write: false, reason: 'up-to-date' };
  if (activity !== 'inactive') return { write: false, reason: activity === 'active' ? 'active' : 'activity-unknown' };
  return { write: true, offset: translation.offset };
}
