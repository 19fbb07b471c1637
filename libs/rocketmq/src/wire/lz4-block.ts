import { MalformedDataError } from '../errors.js';

const MIN_MATCH_BYTES = 4;
/** A length in half a byte that continues in the bytes that follow. */
const LONG = 15;

/** Where blocks are decoded to, one behind the other. */
export interface Lz4Output {
  readonly buffer: Buffer;
  /** How much of `buffer` is filled. */
  length: number;
  /** Makes room for so many bytes more, maybe in a new `buffer`. @throws DecompressedTooLargeError */
  reserve(bytes: number): void;
}

/**
 * Appends one LZ4 block to the output (https://github.com/lz4/lz4, doc/lz4_Block_format.md).
 * @param limits `historyStart`: the first byte of the output that a match may copy from; `maxBytes`: of this block,
 * decompressed
 * @throws MalformedDataError, and what `reserve` throws
 */
export function decodeLz4Block(
  block: Buffer,
  output: Lz4Output,
  limits: { readonly historyStart: number; readonly maxBytes: number },
): void {
  const end = block.length;
  const outputEnd = output.length + limits.maxBytes;
  const reserve = (bytes: number): void => {
    if (bytes > outputEnd - output.length) throw malformed(at, `more than ${limits.maxBytes} bytes`);
    output.reserve(bytes);
  };
  let at = 0;
  const lengthFrom = (first: number): number => {
    if (first !== LONG) return first;
    let length = first;
    for (;;) {
      if (at >= end) throw malformed(at, 'cut within a length');
      const more = block.readUInt8(at);
      at += 1;
      length += more;
      if (more !== 0xff) return length;
    }
  };

  while (at < end) {
    const token = block.readUInt8(at);
    at += 1;
    const literals = lengthFrom(token >> 4);
    if (literals > end - at) throw malformed(at, `${literals} literals, ${end - at} bytes left`);
    reserve(literals);
    block.copy(output.buffer, output.length, at, at + literals);
    output.length += literals;
    at += literals;
    if (at === end) return;

    if (end - at < 2) throw malformed(at, 'cut within a match');
    const distance = block.readUInt16LE(at);
    at += 2;
    const matched = lengthFrom(token & LONG) + MIN_MATCH_BYTES;
    if (distance === 0 || distance > output.length - limits.historyStart) {
      throw malformed(at, `match at a distance of ${distance}`);
    }
    reserve(matched);
    copyMatch(output, distance, matched);
  }
  throw malformed(end, 'no literals at its end');
}

/** A match may overlap what it makes: the bytes repeat then, so what can be copied at once doubles each time. */
function copyMatch(output: Lz4Output, distance: number, bytes: number): void {
  const from = output.length - distance;
  const to = output.length + bytes;
  while (output.length < to) {
    const step = Math.min(to - output.length, output.length - from);
    output.buffer.copyWithin(output.length, from, from + step);
    output.length += step;
  }
}

function malformed(at: number, detail: string): MalformedDataError {
  return new MalformedDataError('LZ4 block', `at byte ${at}: ${detail}`);
}
