import type { Fingerprint } from './fingerprint.js';

/** Messages of one range of offsets on one side: how many, and a hash over all of them in the order in which they stand. */
export interface SideDigest {
  readonly count: number;
  /** 16 hexadecimal digits; zeros for no message. */
  readonly hash: string;
}

/** Both sides of a range of offsets of the source, from the first to the one behind the last. */
export interface RangeDigest {
  readonly from: number;
  readonly to: number;
  readonly source: SideDigest;
  readonly target: SideDigest;
}

export interface RangeDigestsState {
  readonly size: number;
  /** By number of the range: count and two words of the hash of each side. */
  readonly ranges: readonly (readonly [number, readonly number[]])[];
}

const [SOURCE, TARGET] = [0, 3];
/** FNV-1a's prime, and an odd number near 2^32 divided by the golden ratio: each spreads a word over all bits. */
const PRIMES = [0x01000193, 0x9e3779b1] as const;
const MAX_RANGES = 4_096;
/** Digits that end in zeros are easier to read. */
const SMALLEST_RANGE = 1_000;

/** Returns how many offsets a range has, so that a queue of so many has a limited number of ranges. */
export function rangeSizeFor(offsets: number): number {
  let size = SMALLEST_RANGE;
  while (offsets / size > MAX_RANGES / 2) size *= 10;
  return size;
}

/**
 * Keeps a count and a rolling hash of both sides for each range of offsets of the source. A copy belongs to the range of its source offset, in the
 * order in which the target has it.
 */
export class RangeDigests {
  readonly #size: number;
  /** Six words by number of the range. */
  readonly #ranges: Map<number, Int32Array>;

  constructor({ size, ranges }: RangeDigestsState) {
    this.#size = size;
    this.#ranges = new Map(ranges.map(([number, words]) => [number, Int32Array.from(words)]));
  }

  addSource(offset: number, fingerprint: Fingerprint): void {
    this.#add(SOURCE, offset, fingerprint);
  }

  addCopy(offset: number, fingerprint: Fingerprint): void {
    this.#add(TARGET, offset, fingerprint);
  }

  list(): readonly RangeDigest[] {
    return [...this.#ranges]
      .sort(([one], [other]) => one - other)
      .map(([number, words]) => ({
        from: number * this.#size,
        to: (number + 1) * this.#size,
        source: sideOf(words, SOURCE),
        target: sideOf(words, TARGET),
      }));
  }

  state(): RangeDigestsState {
    return { size: this.#size, ranges: [...this.#ranges].map(([number, words]) => [number, [...words]]) };
  }

  #add(side: number, offset: number, { body, flag, properties }: Fingerprint): void {
    const number = Math.floor(offset / this.#size);
    let words = this.#ranges.get(number);
    if (words === undefined) this.#ranges.set(number, (words = new Int32Array(6)));
    words[side] = (words[side] ?? 0) + 1;
    for (const [lane, prime] of PRIMES.entries()) {
      let word = mixed(mixed(words[side + 1 + lane] ?? 0, offset | 0, prime), flag, prime);
      word = mixedText(word, body, prime);
      for (const text of properties) word = mixedText(mixed(word, text.length, prime), text, prime);
      words[side + 1 + lane] = word;
    }
  }
}

function mixed(word: number, next: number, prime: number): number {
  const spread = Math.imul(word ^ next, prime);
  return spread ^ (spread >>> 15);
}

function mixedText(start: number, text: string, prime: number): number {
  let word = start;
  for (let at = 0; at < text.length; at += 1) word = Math.imul(word ^ text.charCodeAt(at), prime);
  return word ^ (word >>> 15);
}

function sideOf(words: Int32Array, side: number): SideDigest {
  const hex = (at: number): string => ((words[at] ?? 0) >>> 0).toString(16).padStart(8, '0');
  return { count: words[side] ?? 0, hash: hex(side + 1) + hex(side + 2) };
}
