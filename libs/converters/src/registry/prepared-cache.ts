/** How long what a batch needs is kept in any case: from its preparation until its records are converted. */
const KEPT_MS = 60_000;

/**
 * Keeps what batches need by key. Above `size`, what was needed longest ago gives way, but not within a minute. Several batches are prepared
 * side by side, and none may lose what it is about to use.
 */
export class PreparedCache<K, V> {
  /** The last needed one stands last. */
  readonly #entries = new Map<K, { readonly value: V; readonly neededAt: number }>();

  constructor(private readonly size: number) {}

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Notes all that a batch needs, once it is prepared. */
  keep(needed: ReadonlyMap<K, V>): void {
    const neededAt = performance.now();
    for (const [key, value] of needed) {
      this.#entries.delete(key);
      this.#entries.set(key, { value, neededAt });
    }
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.size || entry.neededAt > neededAt - KEPT_MS) return;
      this.#entries.delete(key);
    }
  }
}
