/** What is known of one offset of the source. */
export const OFFSET_STATE = {
  /** The source has no message there, or one that the flow leaves out. */
  absent: 0,
  /** The message has no copy yet. */
  waiting: 1,
  copied: 2,
} as const;

export type OffsetState = (typeof OFFSET_STATE)[keyof typeof OFFSET_STATE];

/** Offsets from the first to the one behind the last, all of one state. */
export interface StateRun {
  readonly from: number;
  readonly to: number;
  readonly state: OffsetState;
}

const PAGE_OFFSETS = 65_536;

/** Keeps one byte for each offset of a window of the source, which moves on with the offsets that are set. */
export class OffsetStates {
  /** By number, ascending. */
  readonly #pages = new Map<number, Uint8Array>();
  #floor: number;

  /** @param floor the lowest offset that is kept */
  constructor(floor: number) {
    this.#floor = floor;
  }

  /** Returns the lowest offset whose state is known. */
  get floor(): number {
    return this.#floor;
  }

  get pages(): number {
    return this.#pages.size;
  }

  get(offset: number): OffsetState {
    return (this.#pages.get(Math.floor(offset / PAGE_OFFSETS))?.[offset % PAGE_OFFSETS] ?? OFFSET_STATE.absent) as OffsetState;
  }

  /** Sets the state of an offset. Ones that begin a page must ascend. */
  set(offset: number, state: OffsetState): void {
    const number = Math.floor(offset / PAGE_OFFSETS);
    let page = this.#pages.get(number);
    if (page === undefined) this.#pages.set(number, (page = new Uint8Array(PAGE_OFFSETS)));
    page[offset % PAGE_OFFSETS] = state;
  }

  /** Forgets the page with the lowest offsets, and returns what it held. */
  dropFirstPage(): readonly StateRun[] {
    const [number] = this.#pages.keys();
    if (number === undefined) return [];
    const end = (number + 1) * PAGE_OFFSETS;
    const runs = this.runs(end);
    this.#pages.delete(number);
    this.#floor = Math.max(this.#floor, end);
    return runs;
  }

  /** Lists the offsets below `end` that have a state but `absent`, in their order. */
  runs(end = Infinity): readonly StateRun[] {
    const runs: { from: number; to: number; state: OffsetState }[] = [];
    for (const [number, page] of this.#pages) {
      const start = number * PAGE_OFFSETS;
      const limit = Math.min(PAGE_OFFSETS, end - start);
      for (let at = 0; at < limit; at += 1) {
        const state = page[at] as OffsetState;
        if (state === OFFSET_STATE.absent) continue;
        const last = runs.at(-1);
        if (last?.to === start + at && last.state === state) last.to += 1;
        else runs.push({ from: start + at, to: start + at + 1, state });
      }
    }
    return runs;
  }
}
