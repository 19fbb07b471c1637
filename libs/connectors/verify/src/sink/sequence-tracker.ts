/** Numbers that lie next to each other, both ends included. */
export type NumberRange = readonly [first: number, last: number];

/**
 * What a number is among those before it.
 *
 * - `next`: it follows the highest one, or is the first of all.
 * - `ahead`: it is above the highest one, with a gap between.
 * - `late`: it is below the highest one and was not seen before: it is out of order.
 * - `duplicate`: it was seen before.
 * - `undecided`: it is below a gap that was given up, so it is late or duplicate.
 */
export type Arrival = 'next' | 'ahead' | 'late' | 'duplicate' | 'undecided';

/** The state of a {@link SequenceTracker}, plain data. */
export interface SequenceState {
  /** Ascending, with at least one missing number between two of them. */
  readonly ranges: readonly NumberRange[];
  /** Missing numbers in gaps that were given up; they lie within the first range. */
  readonly givenUp?: number;
  /** The end of what the gaps were given up in. */
  readonly givenUpTo?: number;
}

/**
 * Remembers which numbers of a sequence were seen, as at most `maxRanges` ranges. Beyond that it gives up the lowest gap: its numbers stay
 * missing, and a later number from below its end is `undecided`. So memory is bounded, and any number may be late while fewer gaps are
 * open.
 */
export class SequenceTracker {
  readonly #maxRanges: number;
  readonly #ranges: [first: number, last: number][];
  #givenUp: number;
  #givenUpTo: number;

  constructor(maxRanges: number, state: SequenceState = { ranges: [] }) {
    this.#maxRanges = maxRanges;
    this.#ranges = state.ranges.map(([first, last]) => [first, last]);
    this.#givenUp = state.givenUp ?? 0;
    this.#givenUpTo = state.givenUpTo ?? -1;
  }

  get state(): SequenceState {
    const ranges = this.#ranges.map(([first, last]) => [first, last] as const);
    return this.#givenUp === 0 ? { ranges } : { ranges, givenUp: this.#givenUp, givenUpTo: this.#givenUpTo };
  }

  add(number: number): Arrival {
    const highest = this.#ranges.at(-1);
    if (highest === undefined || number > highest[1] + 1) {
      this.#ranges.push([number, number]);
      this.#giveUpGaps();
      return highest === undefined ? 'next' : 'ahead';
    }
    if (number === highest[1] + 1) {
      highest[1] = number;
      return 'next';
    }
    if (number <= this.#givenUpTo) return 'undecided';
    return this.#addBelow(number);
  }

  #addBelow(number: number): Arrival {
    const at = this.#firstEndingAtOrAfter(number);
    const above = this.#ranges[at];
    if (above !== undefined && above[0] <= number) return 'duplicate';
    const below = this.#ranges[at - 1];
    const joinsBelow = below !== undefined && below[1] + 1 === number;
    const joinsAbove = above !== undefined && above[0] - 1 === number;
    if (joinsBelow && joinsAbove) {
      below[1] = above[1];
      this.#ranges.splice(at, 1);
    } else if (joinsBelow) below[1] = number;
    else if (joinsAbove) above[0] = number;
    else {
      this.#ranges.splice(at, 0, [number, number]);
      this.#giveUpGaps();
    }
    return 'late';
  }

  /** By bisection: the index of the lowest range whose end is not below `number`. */
  #firstEndingAtOrAfter(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.[1] ?? Infinity) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #giveUpGaps(): void {
    const [lowest, next] = this.#ranges;
    if (this.#ranges.length <= this.#maxRanges || lowest === undefined || next === undefined) return;
    this.#givenUp += next[0] - lowest[1] - 1;
    this.#givenUpTo = next[0] - 1;
    lowest[1] = next[1];
    this.#ranges.splice(1, 1);
  }
}

/** What several trackers of one sequence have seen together. */
export interface MergedSequence {
  readonly ranges: readonly NumberRange[];
  /** Numbers that more than one of them has seen, each counted once for every time too many. */
  readonly duplicates: number;
  readonly givenUp: number;
}

/** Joins what was seen of one sequence in several places. */
export function mergeSequences(states: readonly SequenceState[]): MergedSequence {
  const sorted = states.flatMap(({ ranges }) => ranges).sort((left, right) => left[0] - right[0]);
  const merged: [number, number][] = [];
  let duplicates = 0;
  for (const [first, last] of sorted) {
    const highest = merged.at(-1);
    if (highest === undefined || first > highest[1] + 1) {
      merged.push([first, last]);
      continue;
    }
    duplicates += Math.max(0, Math.min(last, highest[1]) - first + 1);
    highest[1] = Math.max(highest[1], last);
  }
  return { ranges: merged, duplicates, givenUp: states.reduce((sum, state) => sum + (state.givenUp ?? 0), 0) };
}

/** Lists the gaps between ranges, from 0 and to before `end` if that is given. */
export function gapsOf(ranges: readonly NumberRange[], end?: number): readonly NumberRange[] {
  const gaps: NumberRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  if (end !== undefined && end > next) gaps.push([next, end - 1]);
  return gaps;
}

/** Counts the numbers that ranges hold. */
export function countOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
