const GROUP_BITS = 7;
const GROUP = 0x7f;
const MORE = 0x80;
const MAX_DEPTH = 100;
/** Places of messages are numbers of 31 bits: five groups of seven. */
const MAX_VARINT_BYTES = 5;

/**
 * Returns a message behind its place in its file, as Confluent's serializers write it. That is the number of levels, then the place on
 * each, all as zigzag varints. The first message of a file has a single 0.
 */
export function withMessageIndex(places: readonly number[], message: Uint8Array): Buffer {
  const isFirst = places.length === 1 && places[0] === 0;
  const prefix = isFirst ? [0] : [places.length, ...places].flatMap(zigzag);
  return Buffer.concat([Buffer.from(prefix), message]);
}

/** Returns the place in front of a message, and where the message begins. @throws TypeError for bytes without one */
export function messageIndexOf(payload: Buffer): { readonly places: readonly number[]; readonly start: number } {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let n = 0; n < MAX_VARINT_BYTES; n++) {
      const byte = payload[at];
      if (byte === undefined) break;
      at += 1;
      value += (byte & GROUP) * 2 ** (GROUP_BITS * n);
      if ((byte & MORE) === 0) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new TypeError('The place of the message in its schema is cut off or too long');
  };
  const count = next();
  if (count < 0 || count > MAX_DEPTH) throw new TypeError(`${count} places of a message given; allowed are 0 to ${MAX_DEPTH}`);
  if (count === 0) return { places: [0], start: at };
  const places = Array.from({ length: count }, next);
  return { places, start: at };
}

function zigzag(value: number): readonly number[] {
  const bytes: number[] = [];
  for (let rest = value * 2; ; rest = Math.floor(rest / MORE)) {
    if (rest < MORE) return [...bytes, rest];
    bytes.push((rest % MORE) + MORE);
  }
}
