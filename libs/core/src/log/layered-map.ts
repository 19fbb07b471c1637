/** Changes beyond so many times the square root of the unchanged part are merged into it at the next copy: then copying and merging cost alike. */
const MERGE_FACTOR = 2;
const MERGE_FROM = 32;

/**
 * A map of which copies are cheap: changes lie over an unchanged map that copies share, so that folding an entry does not cost
 * a copy of ten thousand connectors. Iterates like a `Map`, in the order of insertion. Values must not be undefined.
 */
export class LayeredMap<Value extends object> implements ReadonlyMap<string, Value> {
  readonly #base: ReadonlyMap<string, Value>;
  readonly #replaced: Map<string, Value>;
  readonly #removed: Set<string>;
  readonly #added: Map<string, Value>;

  /** A copy of a map that is not changed any more. */
  constructor(from: ReadonlyMap<string, Value>) {
    if (from instanceof LayeredMap && !from.#isDueToMerge()) {
      const layered = from as LayeredMap<Value>;
      this.#base = layered.#base;
      this.#replaced = new Map(layered.#replaced);
      this.#removed = new Set(layered.#removed);
      this.#added = new Map(layered.#added);
      return;
    }
    this.#base = from instanceof LayeredMap ? new Map(from as LayeredMap<Value>) : from;
    this.#replaced = new Map();
    this.#removed = new Set();
    this.#added = new Map();
  }

  /** Keys that only one of two maps has, or that have other values in them. Cheap where one was copied from the other. */
  static changedKeys<Value extends object>(
    before: ReadonlyMap<string, Value>,
    after: ReadonlyMap<string, Value>,
  ): readonly string[] {
    if (before === after) return [];
    const shareBase = LayeredMap.#baseOf(before) === LayeredMap.#baseOf(after);
    const candidates = new Set<string>();
    for (const map of [before, after]) {
      for (const key of shareBase ? LayeredMap.#layeredKeys(map) : map.keys()) candidates.add(key);
    }
    return [...candidates].filter((key) => before.get(key) !== after.get(key));
  }

  static #baseOf(map: ReadonlyMap<string, object>): ReadonlyMap<string, object> {
    return map instanceof LayeredMap ? (map as LayeredMap<object>).#base : map;
  }

  static #layeredKeys(map: ReadonlyMap<string, object>): readonly string[] {
    if (!(map instanceof LayeredMap)) return [];
    const layered = map as LayeredMap<object>;
    return [...layered.#replaced.keys(), ...layered.#removed, ...layered.#added.keys()];
  }

  get size(): number {
    return this.#base.size - this.#removed.size + this.#added.size;
  }

  get(key: string): Value | undefined {
    return (
      this.#added.get(key) ?? (this.#removed.has(key) ? undefined : (this.#replaced.get(key) ?? this.#base.get(key)))
    );
  }

  has(key: string): boolean {
    return this.#added.has(key) || this.#isInBase(key);
  }

  set(key: string, value: Value): void {
    (this.#isInBase(key) ? this.#replaced : this.#added).set(key, value);
  }

  delete(key: string): void {
    if (this.#added.delete(key) || !this.#isInBase(key)) return;
    this.#replaced.delete(key);
    this.#removed.add(key);
  }

  *entries(): MapIterator<[string, Value]> {
    for (const [key, value] of this.#base) {
      if (!this.#removed.has(key)) yield [key, this.#replaced.get(key) ?? value];
    }
    yield* this.#added;
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<Value> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }

  #isInBase(key: string): boolean {
    return this.#base.has(key) && !this.#removed.has(key);
  }

  #isDueToMerge(): boolean {
    const changes = this.#replaced.size + this.#removed.size + this.#added.size;
    return changes > MERGE_FROM && changes > MERGE_FACTOR * Math.sqrt(this.#base.size);
  }
}
