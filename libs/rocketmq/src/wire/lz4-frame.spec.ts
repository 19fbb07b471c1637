import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';
import { decodeLz4Frames } from './lz4-frame.js';
import { xxh32 } from './xxh32.js';

const MAX = 1024 * 1024;
const INDEPENDENT = 0x60;
const LINKED = 0x40;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

/** A frame with blocks of at most 64 KiB. */
function frame(flags: number, blocks: readonly Buffer[], extra: Buffer = Buffer.alloc(0), sizes = 0x40): Buffer {
  const descriptor = Buffer.concat([Buffer.from([flags, sizes]), extra]);
  return Buffer.concat([
    uint32(0x18_4d_22_04),
    descriptor,
    Buffer.from([(xxh32(descriptor) >>> 8) & 0xff]),
    ...blocks.flatMap((block) => [uint32(block.length), block]),
    uint32(0),
  ]);
}

/** `literals`, then a match, then one literal `!`. */
function block(literals: string, distance: number, matched: number): Buffer {
  const long = matched - 4 >= 15;
  const token = (literals.length << 4) | (long ? 15 : matched - 4);
  const rest = matched - 4 - 15;
  const more = long ? [...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255] : [];
  return Buffer.from([token, ...Buffer.from(literals), distance & 255, distance >> 8, ...more, 0x10, 0x21]);
}

describe('xxh32', () => {
  it.each([
    ['', 0x02_cc_5d_05],
    ['a', 0x55_0d_74_56],
    ['abc', 0x32_d1_53_ff],
  ])("of '%s' is the published value", (text, hash) => {
    expect(xxh32(Buffer.from(text))).toBe(hash);
  });
});

describe('LZ4 frames', () => {
  it('repeat bytes in matches that overlap what they make', () => {
    for (const [literals, distance, matched] of [
      ['ab', 2, 4],
      ['abc', 3, 19],
      ['x', 1, 700],
      ['abcdef', 4, 274],
    ] as const) {
      let expected = literals as string;
      for (let copied = 0; copied < matched; copied += 1) expected += expected[expected.length - distance]!;
      const decoded = decodeLz4Frames(frame(INDEPENDENT, [block(literals, distance, matched)]), MAX);
      expect(decoded.toString()).toBe(`${expected}!`);
    }
  });

  it('reach back into the block before only when blocks are linked', () => {
    const blocks = [block('ab', 2, 4), block('c', 8, 6)];
    expect(decodeLz4Frames(frame(LINKED, blocks), MAX).toString()).toBe('ababab!cababab!');
    expect(() => decodeLz4Frames(frame(INDEPENDENT, blocks), MAX)).toThrow('match at a distance of 8');
    const twoFrames = Buffer.concat([frame(LINKED, [blocks[0]!]), frame(LINKED, [blocks[1]!])]);
    expect(() => decodeLz4Frames(twoFrames, MAX)).toThrow('match at a distance of 8');
  });

  it('may follow each other with frames to skip between them', () => {
    const skipped = Buffer.concat([uint32(0x18_4d_2a_57), uint32(3), Buffer.from('zzz')]);
    const both = Buffer.concat([frame(LINKED, [block('ab', 2, 4)]), skipped, frame(LINKED, []), frame(LINKED, [block('c', 1, 4)])]);
    expect(decodeLz4Frames(both, MAX).toString()).toBe('ababab!ccccc!');
  });

  it('with a dictionary are refused', () => {
    expect(() => decodeLz4Frames(frame(INDEPENDENT | 1, [], uint32(7)), MAX)).toThrow(UnsupportedCompressionError);
  });

  it.each([
    ['a match before the start', frame(INDEPENDENT, [block('a', 2, 4)]), 'match at a distance of 2'],
    ['a match at no distance', frame(INDEPENDENT, [block('a', 0, 4)]), 'match at a distance of 0'],
    ['more literals than bytes', frame(INDEPENDENT, [Buffer.from([0x50, 0x61])]), '5 literals, 1 bytes left'],
    ['a length that does not end', frame(INDEPENDENT, [Buffer.from([0xf0, 0xff])]), 'cut within a length'],
    ['half a distance', frame(INDEPENDENT, [Buffer.from([0x10, 0x61, 1])]), 'cut within a match'],
    ['a match as the last thing', frame(INDEPENDENT, [Buffer.from([0x10, 0x61, 1, 0])]), 'no literals at its end'],
    ['a block over its size', frame(INDEPENDENT, [block('a', 1, 65_536)]), 'more than 65536 bytes'],
    ['another version', frame(0x80, []), 'frame flags 0x80'],
    ['a reserved block size', frame(INDEPENDENT, [], undefined, 0x30), 'block size 0x30'],
    ['another content size', frame(INDEPENDENT | 8, [block('a', 1, 4)], Buffer.alloc(8, 0)), 'that says 0'],
    ['another magic number', Buffer.from('0123456789'), 'magic number 0x33323130'],
  ])('with %s are malformed', (_, bytes, message) => {
    const decode = (): Buffer => decodeLz4Frames(bytes, MAX);
    expect(decode).toThrow(MalformedDataError);
    expect(decode).toThrow(message);
  });

  it('that claim or hold more than the limit are refused before memory is taken for it', () => {
    const claim = Buffer.alloc(8, 0xff);
    expect(() => decodeLz4Frames(frame(INDEPENDENT | 8, [], claim), MAX)).toThrow(DecompressedTooLargeError);
    const bomb = frame(INDEPENDENT, new Array<Buffer>(100).fill(block('a', 1, 65_000)));
    expect(() => decodeLz4Frames(bomb, MAX)).toThrow(DecompressedTooLargeError);
  });

  it('of any bytes are decoded within the limit or refused with a typed error', () => {
    const blockBytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.string({ maxLength: 14, unit: 'binary-ascii' }), fc.nat(20), fc.integer({ min: 4, max: 3_000 }))
        .map(([literals, distance, matched]) => block(literals, distance, matched)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(LINKED, INDEPENDENT), fc.array(blockBytes, { maxLength: 4 })), {
          maxLength: 3,
        }),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 2 }),
        (frames, changes) => {
          const bytes = Buffer.concat(frames.map(([flags, blocks]) => frame(flags, blocks)));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          try {
            expect(decodeLz4Frames(bytes, 5_000).length).toBeLessThanOrEqual(5_000);
          } catch (error) {
            if (error instanceof DecompressedTooLargeError || error instanceof UnsupportedCompressionError) return;
            expect(error).toBeInstanceOf(MalformedDataError);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
