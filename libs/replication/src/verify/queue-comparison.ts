import { differencesBetween, type Fingerprint } from './fingerprint.js';
import { Findings, type FindingsState } from './findings.js';
import { OFFSET_STATE, OffsetStates, type StateRun } from './offset-states.js';
import { type RangeDigest, RangeDigests, type RangeDigestsState } from './range-digests.js';

/** Where the comparison of a queue begins, and what cannot be compared before. */
export interface ComparisonStart {
  /** The first offset of the source that is compared. */
  readonly from: number;
  /** Offsets before `from` that the source still has, and why nobody can tell of them. */
  readonly unknown: { readonly from: number; readonly why: 'removed-at-target' | 'before-first-copy' } | undefined;
}

/** What is found at the two ends of a pair of queues. */
export interface QueueBeginnings {
  /** The first offset that the source has. */
  readonly sourceFrom: number;
  /** The first copy at the target: its source offset, and its number in the stream; absent where there is none. */
  readonly firstCopy: { readonly sourceOffset: number; readonly seq: number } | undefined;
  /** Whether retention has removed messages of the target's queue. */
  readonly isTargetCut: boolean;
}

/**
 * Decides where to begin. A flow numbers its copies from 1. A first copy with another number shows that copies before it are gone: by retention, or
 * they are missing.
 */
export function comparisonStart({ sourceFrom, firstCopy, isTargetCut }: QueueBeginnings): ComparisonStart {
  if (firstCopy === undefined || firstCopy.sourceOffset <= sourceFrom) return { from: sourceFrom, unknown: undefined };
  if (firstCopy.seq === 1) return { from: firstCopy.sourceOffset, unknown: { from: sourceFrom, why: 'before-first-copy' } };
  if (isTargetCut) return { from: firstCopy.sourceOffset, unknown: { from: sourceFrom, why: 'removed-at-target' } };
  return { from: sourceFrom, unknown: undefined };
}

/** How much a comparison may hold in memory. */
export interface ComparisonLimits {
  /** Fingerprints of messages that have no copy yet. */
  readonly maxHeld: number;
  /** Pages of 65,536 offsets whose states are kept. */
  readonly maxPages: number;
}

export const COMPARISON_LIMITS: ComparisonLimits = { maxHeld: 20_000, maxPages: 64 };

/** A comparison as a file keeps it. */
export interface ComparisonState {
  readonly from: number;
  readonly floor: number;
  readonly sourceNext: number;
  readonly copiedEnd: number;
  readonly compared: number;
  readonly leftOut: number;
  readonly runs: readonly StateRun[];
  readonly held: readonly (readonly [number, Fingerprint])[];
  readonly findings: FindingsState;
  readonly digests: RangeDigestsState;
}

/** What a comparison found so far. */
export interface ComparisonResult {
  /** Copies that were compared with their messages. */
  readonly compared: number;
  /** Messages of the source that the flow leaves out. */
  readonly leftOut: number;
  /** Messages behind the last copy. */
  readonly notYetCopied: number;
  readonly findings: Findings;
  readonly ranges: readonly RangeDigest[];
}

/**
 * Compares a queue of the source with its copies at the target, in one pass over both and in limited memory. Before the caller adds a copy, it feeds
 * the source in its order up to the copy's offset, where the source reaches that far. What has no copy then waits for a late one. A message is out of
 * order when a copy of a later one stands before its first copy. What happens beyond the limits is unknown, never equal.
 */
export class QueueComparison {
  readonly #states: OffsetStates;
  readonly #held: Map<number, Fingerprint>;
  readonly #findings: Findings;
  readonly #digests: RangeDigests;
  readonly #from: number;
  #sourceNext: number;
  #copiedEnd: number;
  #compared: number;
  #leftOut: number;
  /** What is missing if the flow has copied everything. */
  readonly #rest = new Findings();

  private constructor(
    state: ComparisonState,
    private readonly limits: ComparisonLimits,
  ) {
    this.#from = state.from;
    this.#states = new OffsetStates(state.floor);
    for (const { from, to, state: each } of state.runs) for (let offset = from; offset < to; offset += 1) this.#states.set(offset, each);
    this.#held = new Map(state.held);
    this.#findings = new Findings(state.findings);
    this.#digests = new RangeDigests(state.digests);
    this.#sourceNext = state.sourceNext;
    this.#copiedEnd = state.copiedEnd;
    this.#compared = state.compared;
    this.#leftOut = state.leftOut;
  }

  /** Begins a comparison. @param rangeSize the number of offsets that share a digest */
  static begin({ from, unknown }: ComparisonStart, rangeSize: number, limits: ComparisonLimits = COMPARISON_LIMITS): QueueComparison {
    const findings = new Findings();
    if (unknown !== undefined) findings.add(unknown.why, unknown.from, from);
    const none = { compared: 0, leftOut: 0, runs: [], held: [] };
    const digests = { size: rangeSize, ranges: [] };
    const state = { ...none, from, floor: from, sourceNext: from, copiedEnd: from, findings: findings.state(), digests };
    return new QueueComparison(state, limits);
  }

  /** Continues a comparison where {@link state} was taken. */
  static resume(state: ComparisonState, limits: ComparisonLimits = COMPARISON_LIMITS): QueueComparison {
    return new QueueComparison(state, limits);
  }

  /** Returns the offset at which the source is to be read on. */
  get sourceNext(): number {
    return this.#sourceNext;
  }

  /** Returns the offset behind the last message that has a copy. */
  get copiedEnd(): number {
    return this.#copiedEnd;
  }

  /** Adds the message at an offset of the source; without a fingerprint one that cannot be read. */
  addSource(offset: number, fingerprint: Fingerprint | undefined): void {
    this.#sourceNext = offset + 1;
    this.#states.set(offset, OFFSET_STATE.waiting);
    if (fingerprint !== undefined) {
      this.#digests.addSource(offset, fingerprint);
      this.#held.set(offset, fingerprint);
      if (this.#held.size > this.limits.maxHeld) this.#letGo();
    }
    while (this.#states.pages > this.limits.maxPages) this.#addMissing(this.#states.dropFirstPage());
  }

  /** Notes that the flow leaves out the message at an offset of the source. */
  leaveOut(offset: number): void {
    this.#sourceNext = offset + 1;
    this.#leftOut += 1;
  }

  /** Notes that retention removed the offsets from `from` to the one before `to` of the source before they were read. */
  addRemovedAtSource(from: number, to: number): void {
    this.#sourceNext = to;
    this.#findings.add('removed-at-source', from, to);
  }

  /** Notes that retention removed so many messages of the target before they were read: what they were copies of may look missing. */
  addRemovedAtTarget(targetFrom: number, targetTo: number): void {
    this.#findings.add('removed-at-target', this.#copiedEnd, this.#copiedEnd + targetTo - targetFrom, `target offset ${targetFrom}`);
  }

  /** Adds a message of the target that cannot be read: nobody knows what it is a copy of. */
  addUnreadableCopy(targetOffset: number): void {
    this.#findings.add('unreadable', this.#copiedEnd, this.#copiedEnd + 1, `target offset ${targetOffset}`);
  }

  /**
   * Adds the next copy of the target; without a fingerprint one whose body cannot be read. Requires that the source was fed up to its offset, or
   * has no message there.
   */
  addCopy(offset: number, fingerprint: Fingerprint | undefined): void {
    if (offset < this.#states.floor) {
      const why = offset < this.#from ? 'removed-at-source' : 'copied-late';
      this.#findings.add(why, offset);
      return;
    }
    if (fingerprint !== undefined) this.#digests.addCopy(offset, fingerprint);
    const state = offset < this.#sourceNext ? this.#states.get(offset) : OFFSET_STATE.absent;
    if (state === OFFSET_STATE.absent) {
      this.#findings.add('invented', offset);
      return;
    }
    if (state === OFFSET_STATE.copied) {
      this.#findings.add('duplicate', offset);
      return;
    }
    if (offset < this.#copiedEnd) this.#findings.add('out-of-order', offset);
    else this.#copiedEnd = offset + 1;
    this.#states.set(offset, OFFSET_STATE.copied);
    this.#compare(offset, fingerprint);
  }

  /** Adds a message of the source behind the last copy, when the target has been read. */
  addRest(offset: number): void {
    this.#rest.add('missing', offset);
  }

  /**
   * Returns what was found. Further messages may be added afterwards, and the result be taken again.
   *
   * @param isComplete whether everything should have been copied: what is behind the last copy is missing then
   */
  result(isComplete: boolean): ComparisonResult {
    const findings = new Findings(this.#findings.state());
    const behind = addMissing(findings, this.#states.runs(), isComplete ? Infinity : this.#copiedEnd);
    if (isComplete) findings.addAll(this.#rest);
    return {
      compared: this.#compared,
      leftOut: this.#leftOut,
      notYetCopied: isComplete ? 0 : behind + this.#rest.count('missing'),
      findings,
      ranges: this.#digests.list(),
    };
  }

  /** Returns what a file keeps, without the rest. */
  state(): ComparisonState {
    return {
      from: this.#from,
      floor: this.#states.floor,
      sourceNext: this.#sourceNext,
      copiedEnd: this.#copiedEnd,
      compared: this.#compared,
      leftOut: this.#leftOut,
      runs: this.#states.runs(),
      held: [...this.#held],
      findings: this.#findings.state(),
      digests: this.#digests.state(),
    };
  }

  #compare(offset: number, copy: Fingerprint | undefined): void {
    const source = this.#held.get(offset);
    this.#held.delete(offset);
    if (source === undefined || copy === undefined) {
      this.#findings.add('unreadable', offset);
      return;
    }
    this.#compared += 1;
    const different = differencesBetween(source, copy);
    if (different.length > 0) this.#findings.add('different', offset, offset + 1, different.join(', '));
  }

  /** Lets go of the fingerprint that is held longest: a copy of its message can be found still, and not be compared. */
  #letGo(): void {
    const [offset] = this.#held.keys();
    if (offset !== undefined) this.#held.delete(offset);
  }

  #addMissing(runs: readonly StateRun[]): void {
    addMissing(this.#findings, runs, Infinity);
    for (const offset of this.#held.keys()) {
      if (offset >= this.#states.floor) break;
      this.#held.delete(offset);
    }
  }
}

/** Adds what has no copy below `end`, and returns how much has none from there on. */
function addMissing(findings: Findings, runs: readonly StateRun[], end: number): number {
  let behind = 0;
  for (const { from, to, state } of runs) {
    if (state === OFFSET_STATE.copied) continue;
    findings.add('missing', from, Math.min(to, end));
    behind += Math.max(0, to - Math.max(from, end));
  }
  return behind;
}
