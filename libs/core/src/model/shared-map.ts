const CHUNK_BITS = 5;
const CHUNK_SIZE = 1 << CHUNK_BITS;
const IN_CHUNK = CHUNK_SIZE - 1;
/** Deleted keys keep their places until there are so many more places than twice the keys. */
const SPARE_PLACES = 32;

/** Which key has which place. Copies share it, so a place is given to one key and never to another. */
interface Places {
  readonly byKey: Map<string, number>;
  readonly keys: string[];
}

type Chunk<Value> = (Value | undefined)[];

/**
 * A map of which copies are cheap: they share keys and most values. A change copies one chunk of values and the list of
 * chunks. So folding an entry does not cost a copy of ten thousand connectors. Iterates like a `Map`, in the order of
 * insertion. Values must not be undefined.
 */
export class SharedMap<Value extends object> implements ReadonlyMap<string, Value> {
  #places: Places;
  /** Values by place. */
  #chunks: Chunk<Value>[];
  /** Places from here on belong to other copies. */
  #end: number;
  /** No key has a place before this one. */
  #start: number;
  #size: number;
  #ownsList = false;
  /** Chunks that no other copy has; undefined where no other copy has any. */
  #own: Set<Chunk<Value>> | undefined;

  /** A copy of a map that is not changed any more. */
  constructor(from: ReadonlyMap<string, Value>) {
    if (from instanceof SharedMap) {
      const shared = from as SharedMap<Value>;
      this.#places = shared.#places;
      this.#chunks = shared.#chunks;
      this.#start = shared.#start;
      this.#end = shared.#end;
      this.#size = shared.#size;
      this.#own = new Set();
      return;
    }
    this.#places = { byKey: new Map(), keys: [] };
    this.#chunks = [];
    this.#ownsList = true;
    this.#start = this.#end = this.#size = 0;
    for (const [key, value] of from) this.#append(key, value);
  }

  /** Copies a map and sets one key in the copy. */
  static with<Value extends object>(map: ReadonlyMap<string, Value>, key: string, value: Value): SharedMap<Value> {
    const copy = new SharedMap(map);
    copy.set(key, value);
    return copy;
  }

  /** Copies a map and deletes some keys in the copy; returns the map itself where it has none of them. */
  static without<Value extends object>(map: ReadonlyMap<string, Value>, keys: readonly string[]): ReadonlyMap<string, Value> {
    if (!keys.some((key) => map.has(key))) return map;
    const copy = new SharedMap(map);
    for (const key of keys) copy.delete(key);
    return copy;
  }

  /** Keys that only one of two maps has, or that have other values in them. Cheap where one was copied from the other. */
  static changedKeys<Value extends object>(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): readonly string[] {
    if (before === after) return [];
    if (before instanceof SharedMap && after instanceof SharedMap) {
      const [old, now] = [before as SharedMap<Value>, after as SharedMap<Value>];
      if (old.#places === now.#places) return SharedMap.#changedPlaces(old, now);
    }
    const candidates = new Set([...before.keys(), ...after.keys()]);
    return [...candidates].filter((key) => before.get(key) !== after.get(key));
  }

  static #changedPlaces<Value extends object>(before: SharedMap<Value>, after: SharedMap<Value>): readonly string[] {
    const changed: string[] = [];
    const end = Math.max(before.#end, after.#end);
    for (let first = 0; first < end; first += CHUNK_SIZE) {
      const chunk = first >> CHUNK_BITS;
      if (before.#chunks[chunk] === after.#chunks[chunk]) continue;
      for (let place = first; place < Math.min(end, first + CHUNK_SIZE); place += 1) {
        const key = before.#places.keys[place];
        if (key !== undefined && before.#at(place) !== after.#at(place)) changed.push(key);
      }
    }
    return changed;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): Value | undefined {
    const place = this.#places.byKey.get(key);
    return place === undefined ? undefined : this.#at(place);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: Value): void {
    const { byKey, keys } = this.#places;
    const place = byKey.get(key);
    if (place !== undefined && this.#at(place) !== undefined) {
      this.#chunkOf(place)[place & IN_CHUNK] = value;
      return;
    }
    // It was deleted and belongs at the end now, or another copy has another key there.
    const isTaken = place === undefined ? keys.length > this.#end : place !== this.#end;
    if (isTaken) this.#renumber();
    this.#append(key, value);
  }

  delete(key: string): void {
    const place = this.#places.byKey.get(key);
    if (place === undefined || this.#at(place) === undefined) return;
    this.#chunkOf(place)[place & IN_CHUNK] = undefined;
    this.#size -= 1;
    while (this.#start < this.#end && this.#at(this.#start) === undefined) this.#start += 1;
    if (this.#end > 2 * this.#size + SPARE_PLACES) this.#renumber();
  }

  *entries(): MapIterator<[string, Value]> {
    const { keys } = this.#places;
    const chunks = this.#chunks;
    // What is deleted meanwhile may renumber the others.
    const end = this.#end;
    for (let place = this.#start; place < end; place += 1) {
      const value = chunks[place >> CHUNK_BITS]?.[place & IN_CHUNK];
      const key = keys[place];
      if (value !== undefined && key !== undefined) yield [key, value];
    }
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

  #at(place: number): Value | undefined {
    return this.#chunks[place >> CHUNK_BITS]?.[place & IN_CHUNK];
  }

  /** The place at the end must be free for the key. */
  #append(key: string, value: Value): void {
    const { byKey, keys } = this.#places;
    const place = this.#end;
    if (place === keys.length) {
      keys.push(key);
      byKey.set(key, place);
    }
    this.#end += 1;
    this.#size += 1;
    this.#chunkOf(place)[place & IN_CHUNK] = value;
  }

  /** The chunk of a place, for writing. */
  #chunkOf(place: number): Chunk<Value> {
    const at = place >> CHUNK_BITS;
    const chunk = this.#chunks[at];
    if (chunk !== undefined && (this.#own === undefined || this.#own.has(chunk))) return chunk;
    if (!this.#ownsList) {
      this.#chunks = [...this.#chunks];
      this.#ownsList = true;
    }
    const own = chunk === undefined ? [] : [...chunk];
    this.#chunks[at] = own;
    this.#own?.add(own);
    return own;
  }

  /** Gives the keys places that no other copy shares, in their order. */
  #renumber(): void {
    const entries = [...this.entries()];
    this.#places = { byKey: new Map(), keys: [] };
    this.#chunks = [];
    this.#ownsList = true;
    this.#own = undefined;
    this.#start = this.#end = this.#size = 0;
    for (const [key, value] of entries) this.#append(key, value);
  }
}
