export type PayloadKind = 'random' | 'words';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const words = 'water lock gate basin river canal flow pump weir dam tide spring well stream lake delta'
  .split(' ')
  .map((word) => Buffer.from(`${word} `));

/** What a record is: nothing else decides about its body. */
interface Place {
  readonly seed: number;
  readonly partition: number;
  readonly seq: number;
}

/** Returns what fills a body from the record's place alone: the same place gives the same bytes, another one others. */
export function fillerOf(kind: PayloadKind): (body: Buffer, place: Place) => void {
  return kind === 'random' ? fillRandom : fillWords;
}

const POOL_BYTES = 1024 * 1024;
let pool: Buffer | undefined;

/** The same random characters in every process, made when the first body needs them. */
function randomPool(): Buffer {
  if (pool === undefined) {
    pool = Buffer.allocUnsafe(POOL_BYTES);
    writeCharacters(pool, POOL_BYTES, random.at({ seed: 0, partition: 0, seq: 0 }));
  }
  return pool;
}

/** So many characters hold 90 bits of a place: no two bodies begin alike. */
const OWN_CHARACTERS = 15;

/** Copies from the pool what follows the own characters: making each one would take most of a load's CPU. */
function fillRandom(body: Buffer, place: Place): void {
  const source = randomPool();
  const numbers = random.at(place);
  writeCharacters(body, OWN_CHARACTERS, numbers);
  let from = numbers.next() % POOL_BYTES;
  for (let at = OWN_CHARACTERS; at < body.length; from = 0) at += source.copy(body, at, from);
}

/** Fills the first `count` bytes, or as many as there are. */
function writeCharacters(bytes: Buffer, count: number, numbers: Random): void {
  const charactersPerNumber = 5;
  const end = Math.min(bytes.length, count);
  for (let at = 0; at < end;) {
    let bits = numbers.next();
    const groupEnd = Math.min(end, at + charactersPerNumber);
    for (; at < groupEnd; at += 1, bits >>>= 6) bytes[at] = alphabet[bits & 63] ?? 0;
  }
}

function fillWords(body: Buffer, place: Place): void {
  const numbers = random.at(place);
  for (let at = 0; at < body.length;) {
    const word = words[numbers.next() % words.length] ?? alphabet;
    at += word.copy(body, at);
  }
}

/** Makes numbers from 0 up to 1 that follow from a place alone, others than those of the payload there. */
export function chances(place: Place): () => number {
  const numbers = new Random().at({ ...place, partition: -1 - place.partition });
  return () => numbers.next() / 2 ** 32;
}

/** Makes unsigned 32-bit numbers by George Marsaglia's xorshift32. */
class Random {
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

/** One for all bodies: each starts it over. */
const random = new Random();

/** Mixes bits by the finalizer of MurmurHash3: every bit of the input changes half of the bits. */
function mix(input: number): number {
  let value = input;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
