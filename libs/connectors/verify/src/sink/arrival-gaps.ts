/** A time without a record; both ends are arrivals, in milliseconds since the epoch. */
export interface ArrivalGap {
  readonly fromMs: number;
  readonly toMs: number;
}

export const MAX_ARRIVAL_GAPS = 100;

/** The longest gaps between arrivals, at most {@link MAX_ARRIVAL_GAPS} of them. */
export class ArrivalGaps {
  #gaps: ArrivalGap[] = [];
  /** What a gap must exceed to be among the longest. */
  #floorMs = 0;

  constructor(gaps: readonly ArrivalGap[] = []) {
    this.#keep([...gaps]);
  }

  /** In the order of time. */
  get state(): readonly ArrivalGap[] {
    return [...this.#gaps].sort((left, right) => left.fromMs - right.fromMs);
  }

  add(fromMs: number, toMs: number): void {
    if (toMs - fromMs > this.#floorMs) this.#keep([...this.#gaps, { fromMs, toMs }]);
  }

  #keep(gaps: ArrivalGap[]): void {
    this.#gaps = gaps.sort((left, right) => lengthOf(right) - lengthOf(left)).slice(0, MAX_ARRIVAL_GAPS);
    const shortest = this.#gaps.at(-1);
    this.#floorMs = this.#gaps.length < MAX_ARRIVAL_GAPS || shortest === undefined ? 0 : lengthOf(shortest);
  }
}

function lengthOf({ fromMs, toMs }: ArrivalGap): number {
  return toMs - fromMs;
}
