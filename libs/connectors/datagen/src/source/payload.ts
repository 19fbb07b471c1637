import { type Place, Random } from '../random.js';

export type PayloadKind = 'random' | 'words';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const words = 'water lock gate basin river canal flow pump weir dam tide spring well stream lake delta'
  .split(' ')
  .map((word) => Buffer.from(`${word} `));

/** Returns what fills a body from the record's place alone: the same place gives the same bytes, another one others. */
export function fillerOf(kind: PayloadKind): (body: Buffer, place: Place) => void {
  return kind === 'random' ? fillRandom : fillWords;
}

/** One for all bodies: each starts it over. */
const random = new Random();

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
