export type Pair = readonly [key: string, value: string];

/** How many pairs a connector may have. */
export const MAX_PAIRS = 20_000;

/** How long a key or a value may be, in bytes of UTF-8. */
export const MAX_PAIR_TEXT_BYTES = 400;

/** Pairs of a connector in files and snapshots. Plain JSON. */
export interface PairRows {
  readonly connector: string;
  readonly pairs: readonly Pair[];
}

/** A row is some hundred bytes: what writes them one by one need not look at the size of each. */
const ROWS_AT_ONCE = 100;

/** The pairs that a connector has agreed upon, in the order of the log. No two have the same key or the same value. Never changed. */
export class PairTable {
  static readonly EMPTY = new PairTable(new Map(), new Set());
  readonly #values: ReadonlySet<string>;

  private constructor(
    readonly byKey: ReadonlyMap<string, string>,
    values: ReadonlySet<string>,
  ) {
    this.#values = values;
  }

  /** Returns whether a pair can never be added: its key or its value is in the table. */
  rulesOut([key, value]: Pair): boolean {
    return this.byKey.has(key) || this.#values.has(value);
  }

  /** Returns those pairs whose key and value are both new, to the table and to those before them. */
  newAmong(pairs: Iterable<Pair>): readonly Pair[] {
    const added = new Map<string, string>();
    const values = new Set<string>();
    for (const pair of pairs) {
      const [key, value] = pair;
      if (added.has(key) || values.has(value) || this.rulesOut(pair)) continue;
      added.set(key, value);
      values.add(value);
    }
    return [...added];
  }

  /** Copies the table and adds those pairs whose key and value are both new; returns the table itself where there is none. */
  with(pairs: Iterable<Pair>): PairTable {
    const added = this.newAmong(pairs);
    if (added.length === 0) return this;
    const byKey = new Map(this.byKey);
    const values = new Set(this.#values);
    for (const [key, value] of added) {
      byKey.set(key, value);
      values.add(value);
    }
    return new PairTable(byKey, values);
  }
}

/** Returns what is wrong with pairs that are to be added, with what was given and what is allowed; `undefined` if nothing is. */
export function extensionError(connector: string, table: PairTable, pairs: Iterable<Pair>): string | undefined {
  const added = table.newAmong(pairs);
  for (const [key, value] of added) {
    for (const [part, text] of [
      ['key', key as unknown],
      ['value', value as unknown],
    ] as const) {
      if (typeof text !== 'string') return `The ${part} ${JSON.stringify(text)} of a pair of connector ${connector} is no text`;
      const bytes = utf8Length(text);
      if (bytes <= MAX_PAIR_TEXT_BYTES) continue;
      const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
      return `The ${part} "${shown}" of a pair of connector ${connector} has ${bytes} bytes; at most ${MAX_PAIR_TEXT_BYTES} are allowed`;
    }
  }
  const count = table.byKey.size + added.length;
  if (count <= MAX_PAIRS) return undefined;
  return `Connector ${connector} would have ${count} pairs; at most ${MAX_PAIRS} are allowed`;
}

/** How many bytes a text takes as UTF-8. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

/** The pairs of all connectors, cut into parts of which each is small. */
export function* pairRowsOf(tables: ReadonlyMap<string, PairTable>): Generator<PairRows> {
  for (const [connector, { byKey }] of tables) {
    const pairs = [...byKey];
    for (let at = 0; at < pairs.length; at += ROWS_AT_ONCE) yield { connector, pairs: pairs.slice(at, at + ROWS_AT_ONCE) };
  }
}

/** Returns the pairs of all connectors that {@link pairRowsOf} has cut into parts. */
export function pairTablesIn(rows: Iterable<PairRows>): ReadonlyMap<string, PairTable> {
  const all = new Map<string, Pair[]>();
  for (const { connector, pairs } of rows) {
    const known = all.get(connector);
    if (known === undefined) all.set(connector, [...pairs]);
    else known.push(...pairs);
  }
  return new Map(Array.from(all, ([connector, pairs]) => [connector, PairTable.EMPTY.with(pairs)]));
}
