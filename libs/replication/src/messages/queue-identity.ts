import type { LastCopied, ReadPosition } from './read-position.js';

/** What a broker shows of a queue of the source before a flow reads on in it. */
export interface ObservedQueue {
  /** The offset of the oldest message that is left. */
  readonly minOffset: number;
  /** The offset that the next message gets. */
  readonly maxOffset: number;
  /** The message at `position.offset - 1`; `undefined` where the broker has none there. Needed where that lies in `[minOffset, maxOffset)`. */
  readonly previous: LastCopied | undefined;
  /** The message at `minOffset`; `undefined` where the queue is empty. Only its store time is looked at. */
  readonly first: Pick<LastCopied, 'storeTime'> | undefined;
}

/**
 * Why a flow cannot simply read on:
 * - `truncated`: retention dropped messages that were not copied yet
 * - `recreated`: it is another queue. All its messages are newer than what was copied from these offsets, or older where they have to be newer
 * - `went-backwards`: the queue ends before the position, or holds another message before it: its tail was lost, and perhaps written again
 * - `unknown`: it cannot be shown that the queue is the one that was copied
 */
export type SourceProblemKind = 'truncated' | 'recreated' | 'went-backwards' | 'unknown';

export interface SourceProblem {
  readonly kind: SourceProblemKind;
  /** The offset at which the flow wanted to read on. */
  readonly from: number;
  /** Of `truncated` the first offset that is left; else the end of the queue. */
  readonly to: number;
  /**
   * Messages. Of `truncated` those that the flow has lost. Of a queue that ends before the position those that the source has lost. Else all that the
   * queue holds, as nobody knows which of them were copied.
   */
  readonly count: number;
  /** A sentence for people, without topic and queue. */
  readonly reason: string;
}

/** What shows that a queue is the same: the last message copied, or store times only. With `none` there is nothing to compare. */
export type IdentityProof = 'message' | 'store-time' | 'none';

export type QueueIdentity =
  { readonly kind: 'same'; readonly proof: IdentityProof } | { readonly kind: 'problem'; readonly problem: SourceProblem };

/** What to do about a problem of the source, by the setting `source.change.policy`. */
export type SourceProblemPolicy = 'fail' | 'resume-from-earliest' | 'skip-and-report';

export type ReadOnDecision =
  | { readonly kind: 'continue'; readonly offset: number; readonly proof: IdentityProof }
  | { readonly kind: 'fail'; readonly problem: SourceProblem }
  | {
      /** Read on at `offset`, with a position that has no last message, and report. */
      readonly kind: 'resume';
      readonly offset: number;
      readonly problem: SourceProblem;
      /** Offsets that the flow does not read, though it may never have copied what stood or stands there. */
      readonly skipped: number;
      /** Offsets that the flow reads, though it may have copied what stands there already. */
      readonly repeated: number;
    };

/**
 * Decides whether a queue of the source is the one that a flow has copied up to a position, with nothing missing in between.
 *
 * The message before the position has to have the store time and the id of the last one copied. Where retention took that very message and no other,
 * store times have to fit. Where the queue is empty, nothing can be compared, and nothing can be read either.
 */
export function identifyQueue({ offset, last }: ReadPosition, observed: ObservedQueue): QueueIdentity {
  const { minOffset, maxOffset, first } = observed;
  if (minOffset < 0 || maxOffset < minOffset) {
    return problem('unknown', offset, observed, `the broker says that the queue begins at ${minOffset} and ends at ${maxOffset}`);
  }
  if (last === undefined) return placeOf(offset, observed);
  const isNewer = first !== undefined && first.storeTime > last.storeTime;
  if (offset > maxOffset) {
    if (maxOffset === 0 || isNewer)
      return problem('recreated', offset, observed, `the queue ends at ${maxOffset}, and ${whatIsLeft(observed)}`);
    return problem('went-backwards', offset, observed, `the queue ends at ${maxOffset}`);
  }
  if (offset - 1 >= minOffset) return compare(offset, last, observed);
  // Every message that is left was stored after the last one copied, unless the queue is another one.
  if (first !== undefined && !isNewer && first.storeTime < last.storeTime) {
    return problem('recreated', offset, observed, `the message at ${minOffset} is older than the one that was copied from ${offset - 1}`);
  }
  if (offset < minOffset) return placeOf(offset, observed);
  return { kind: 'same', proof: first === undefined ? 'none' : 'store-time' };
}

/** Applies the policy to what {@link identifyQueue} has found. */
export function decideReadOn(position: ReadPosition, observed: ObservedQueue, policy: SourceProblemPolicy): ReadOnDecision {
  const identity = identifyQueue(position, observed);
  if (identity.kind === 'same') return { kind: 'continue', offset: position.offset, proof: identity.proof };
  const { problem: found } = identity;
  if (policy === 'fail') return { kind: 'fail', problem: found };
  const { minOffset } = observed;
  const maxOffset = Math.max(minOffset, observed.maxOffset);
  if (found.kind === 'truncated') return { kind: 'resume', offset: minOffset, problem: found, skipped: found.count, repeated: 0 };
  // What lies before the position may have been copied. With `skip-and-report` nothing is read that may have been.
  const place = Math.min(Math.max(position.offset, minOffset), maxOffset);
  if (policy === 'skip-and-report') return { kind: 'resume', offset: place, problem: found, skipped: place - minOffset, repeated: 0 };
  return { kind: 'resume', offset: minOffset, problem: found, skipped: 0, repeated: place - minOffset };
}

/** Judges a position by its place alone. */
function placeOf(offset: number, observed: ObservedQueue): QueueIdentity {
  const { minOffset, maxOffset } = observed;
  if (offset > maxOffset) return problem('went-backwards', offset, observed, `the queue ends at ${maxOffset}`);
  if (offset >= minOffset) return { kind: 'same', proof: 'none' };
  const count = minOffset - offset;
  const reason = `the queue begins at ${minOffset}: retention dropped ${count} messages that were not copied`;
  return { kind: 'problem', problem: { kind: 'truncated', from: offset, to: minOffset, count, reason } };
}

/** Compares the message before the position with the last one copied. */
function compare(offset: number, last: LastCopied, observed: ObservedQueue): QueueIdentity {
  const { previous, first } = observed;
  if (previous === undefined) return problem('unknown', offset, observed, `the broker has no message at ${offset - 1}`);
  if (previous.storeTime === last.storeTime && previous.idHash === last.idHash) return { kind: 'same', proof: 'message' };
  const another = `another message than the one that was copied stands at ${offset - 1}`;
  if (first === undefined) return problem('unknown', offset, observed, another);
  if (first.storeTime > last.storeTime) return problem('recreated', offset, observed, `${another}, and ${whatIsLeft(observed)}`);
  return problem('went-backwards', offset, observed, `${another}: the end of the queue was lost and written again`);
}

function whatIsLeft({ first, maxOffset }: ObservedQueue): string {
  if (first === undefined) return maxOffset === 0 ? 'never held a message' : 'holds no message';
  return 'all its messages are newer than the last one that was copied';
}

function problem(kind: SourceProblemKind, offset: number, observed: ObservedQueue, reason: string): QueueIdentity {
  const { minOffset, maxOffset } = observed;
  const count = offset > maxOffset ? offset - maxOffset : Math.max(0, maxOffset - minOffset);
  return { kind: 'problem', problem: { kind, from: offset, to: maxOffset, count, reason } };
}
