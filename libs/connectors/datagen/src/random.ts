/** What a record is: its numbers and chances follow from nothing else. */
export interface Place {
  readonly seed: number;
  readonly partition: number;
  readonly seq: number;
}

/** Makes numbers from 0 up to 1 that follow from a place alone, others than those of the payload there. */
export function chances(place: Place): () => number {
  const numbers = new Random().at({ ...place, partition: -1 - place.partition });
  return () => numbers.next() / 2 ** 32;
}

/** Makes unsigned 32-bit numbers by George Marsaglia's xorshift32. */
export class Random {
  #state = 1;

  /** Starts over with all bits of a place. */
  at({ seed, partition, seq }: Place): this {
    let state = mix(0x9e3779b9 ^ Math.floor(seed));
    state = mix(state ^ Math.floor(seed / 2 ** 32));
    state = mix(state ^ partition);
    state = mix(state ^ Math.floor(seq));
    state = mix(state ^ Math.floor(seq / 2 ** 32));
    // The one state that xorshift never leaves.
    this.#state = state === 0 ? 1 : state;
    return this;
  }

  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}

/** Mixes bits by the finalizer of MurmurHash3: every bit of the input changes half of the bits. */
function mix(input: number): number {
  let value = input;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
