import { keyName, keysOfPartition, type Numbering } from './numbering.js';
import { chances } from '../random.js';

/** Records of a skewed round per key: shares are whole numbers of records, and the smallest is one. */
const RECORDS_PER_KEY = 8;

/**
 * Gives the records of a partition their keys, in rounds that are all alike. The key of a record, and its number within the key, follow from the
 * number of the record alone.
 */
export class KeyRounds {
  readonly #names: readonly string[];
  /** How many records of a round each key has. */
  readonly #shares: Uint32Array;
  /** For each place in a round the key, and how many records of that key came before in the round. */
  readonly #keys: Uint32Array;
  readonly #before: Uint32Array;

  constructor(numbering: Numbering, place: { readonly seed: number; readonly partition: number }, skew: number) {
    const { partition } = place;
    const count = keysOfPartition(numbering, partition);
    this.#names = Array.from({ length: count }, (_, n) => keyName(numbering, partition, n));
    this.#shares = sharesOf(count, skew);
    this.#keys = Uint32Array.from([...this.#shares].flatMap((share, key) => Array.from({ length: share }, () => key)));
    if (skew > 0) shuffle(this.#keys, chances({ ...place, seq: 0 }));
    const seen = new Uint32Array(count);
    this.#before = this.#keys.map((key) => {
      const before = seen[key] ?? 0;
      seen[key] = before + 1;
      return before;
    });
  }

  /** Returns the key of a record, and the number of the record within that key. */
  keyOf(seq: number): { readonly key: string; readonly keySeq: number } {
    const round = this.#keys.length;
    const at = seq % round;
    const key = this.#keys[at] ?? 0;
    return { key: this.#names[key] ?? '', keySeq: Math.floor(seq / round) * (this.#shares[key] ?? 0) + (this.#before[at] ?? 0) };
  }
}

function sharesOf(count: number, skew: number): Uint32Array {
  if (skew === 0) return new Uint32Array(count).fill(1);
  const weights = Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -skew);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Uint32Array.from(weights, (weight) => Math.max(1, Math.round((weight / total) * count * RECORDS_PER_KEY)));
}

/** Orders the items by chance, by the method of Fisher and Yates. */
function shuffle(items: Uint32Array, chance: () => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(chance() * (last + 1));
    const item = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = item;
  }
}
