export type PayloadKind = 'random' | 'words';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const words = 'water lock gate basin river canal flow pump weir dam tide spring well stream lake delta'
  .split(' ')
  .map((word) => Buffer.from(`${word} `));

/** Fills a body with what follows from the record's place alone: the same place gives the same bytes, another one others. */
export function fillPayload(
  kind: PayloadKind,
  body: Buffer,
  place: { readonly seed: number; readonly partition: number; readonly seq: number },
): void {
  const next = generator(place);
  switch (kind) {
    case 'random':
      fillRandom(body, next);
      return;
    case 'words':
      fillWords(body, next);
      return;
    default:
      kind satisfies never;
  }
}

const POOL_BYTES = 1024 * 1024;
let pool: Buffer | undefined;

/** The same random characters in every process, made when the first body needs them. */
function randomPool(): Buffer {
  if (pool === undefined) {
    pool = Buffer.allocUnsafe(POOL_BYTES);
    writeCharacters(pool, generator({ seed: 0, partition: 0, seq: 0 }));
  }
  return pool;
}

/** So many characters hold 90 bits of a place: no two bodies begin alike. */
const OWN_CHARACTERS = 15;

/** Copies from the pool what follows the own characters: making each one would take most of a load's CPU. */
function fillRandom(body: Buffer, next: () => number): void {
  writeCharacters(body.subarray(0, OWN_CHARACTERS), next);
  let from = next() % POOL_BYTES;
  for (let at = OWN_CHARACTERS; at < body.length; from = 0) at += randomPool().copy(body, at, from);
}

function writeCharacters(bytes: Buffer, next: () => number): void {
  const charactersPerNumber = 5;
  for (let at = 0; at < bytes.length;) {
    let bits = next();
    const end = Math.min(bytes.length, at + charactersPerNumber);
    for (; at < end; at += 1, bits >>>= 6) bytes[at] = alphabet[bits & 63] ?? 0;
  }
}

function fillWords(body: Buffer, next: () => number): void {
  for (let at = 0; at < body.length;) {
    const word = words[next() % words.length] ?? alphabet;
    at += word.copy(body, at);
  }
}

/** Makes numbers from 0 up to 1 that follow from a place alone, others than those of the payload there. */
export function chances(place: { readonly seed: number; readonly partition: number; readonly seq: number }): () => number {
  const next = generator({ ...place, partition: -1 - place.partition });
  return () => next() / 2 ** 32;
}

/** Makes unsigned 32-bit numbers by George Marsaglia's xorshift32, seeded with all bits of a place. */
function generator({ seed, partition, seq }: { seed: number; partition: number; seq: number }): () => number {
  let state = 0x9e3779b9;
  for (const part of [seed, seed / 2 ** 32, partition, seq, seq / 2 ** 32]) state = mix(state ^ Math.floor(part));
  // The one state that xorshift never leaves.
  if (state === 0) state = 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Mixes bits by the finalizer of MurmurHash3: every bit of the input changes half of the bits. */
function mix(input: number): number {
  let value = input;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
