/** What can be wrong with the copies of a queue. */
export const DIFFERENCES = ['missing', 'duplicate', 'out-of-order', 'different', 'invented'] as const;

/** Why nobody can tell whether offsets of a queue were copied well. */
export const UNKNOWNS = ['removed-at-source', 'removed-at-target', 'before-first-copy', 'copied-late', 'unreadable'] as const;

export type Difference = (typeof DIFFERENCES)[number];
export type Unknown = (typeof UNKNOWNS)[number];
export type FindingKind = Difference | Unknown;

/** Offsets of the source from the first to the last, both included, of which the same is said. */
export interface FoundOffsets {
  readonly from: number;
  readonly last: number;
  /** What differs, or what stands before the copy; absent where the kind says all. */
  readonly detail?: string;
}

/** All that was found of one kind. */
export interface FoundOfKind {
  readonly count: number;
  readonly offsets: readonly FoundOffsets[];
  /** Offsets that are counted and not listed. */
  readonly unlisted: number;
}

export type FindingsState = Readonly<Partial<Record<FindingKind, FoundOfKind>>>;

/** So many ranges are listed of each kind; of the others the number is known. */
const MAX_LISTED = 1_000;

/** Counts what was found in a queue, and lists the first offsets of each kind. */
export class Findings {
  readonly #kinds = new Map<FindingKind, { count: number; offsets: { from: number; last: number; detail?: string }[]; unlisted: number }>();

  constructor(state: FindingsState = {}) {
    for (const [kind, { count, offsets, unlisted }] of Object.entries(state)) {
      this.#kinds.set(kind as FindingKind, { count, offsets: offsets.map((each) => ({ ...each })), unlisted });
    }
  }

  /** Adds offsets from `from` to the one before `to`. */
  add(kind: FindingKind, from: number, to = from + 1, detail?: string): void {
    if (to <= from) return;
    let found = this.#kinds.get(kind);
    if (found === undefined) this.#kinds.set(kind, (found = { count: 0, offsets: [], unlisted: 0 }));
    found.count += to - from;
    const last = found.unlisted === 0 ? found.offsets.at(-1) : undefined;
    if (last?.last === from - 1 && last.detail === detail) last.last = to - 1;
    else if (found.offsets.length < MAX_LISTED) found.offsets.push({ from, last: to - 1, ...(detail === undefined ? {} : { detail }) });
    else found.unlisted += to - from;
  }

  /** Adds all that another one has found. */
  addAll(other: Findings): void {
    for (const [kind, { offsets, unlisted }] of other.#kinds) {
      for (const { from, last, detail } of offsets) this.add(kind, from, last + 1, detail);
      const found = this.#kinds.get(kind);
      if (found === undefined) continue;
      found.count += unlisted;
      found.unlisted += unlisted;
    }
  }

  count(kind: FindingKind): number {
    return this.#kinds.get(kind)?.count ?? 0;
  }

  get hasDifferences(): boolean {
    return DIFFERENCES.some((kind) => this.count(kind) > 0);
  }

  get hasUnknowns(): boolean {
    return UNKNOWNS.some((kind) => this.count(kind) > 0);
  }

  /** Returns a copy of what was found, as JSON has it. */
  state(): FindingsState {
    return Object.fromEntries(
      [...this.#kinds].map(([kind, { count, offsets, unlisted }]) => [
        kind,
        { count, offsets: offsets.map((each) => ({ ...each })), unlisted },
      ]),
    );
  }
}
