import { DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';
import { decodeLz4Block, type Lz4Output } from './lz4-block.js';
import { xxh32 } from './xxh32.js';

export const LZ4_FRAME_MAGIC = 0x18_4d_22_04;
/** Sixteen magic numbers of frames that hold something else and are to be skipped. */
const SKIPPABLE_MAGIC = 0x18_4d_2a_50;
const SKIPPABLE_MASK = 0xff_ff_ff_f0;
const VERSION = 1;
const FLAG = { DICTIONARY: 1, CONTENT_CHECKSUM: 4, CONTENT_SIZE: 8, BLOCK_CHECKSUM: 16, INDEPENDENT: 32 } as const;
const RESERVED_FLAG_BITS = 0b10;
const RESERVED_SIZE_BITS = 0b1000_1111;
const MIN_BLOCK_SIZE_CODE = 4;
const UNCOMPRESSED = 0x80_00_00_00;
/** A block cannot grow by more: each byte of a length stands for at most 255 bytes. */
const MAX_RATIO = 255;

interface Descriptor {
  readonly flags: number;
  readonly maxBlockBytes: number;
  readonly contentBytes: bigint | undefined;
}

/**
 * Decodes LZ4 frames that follow each other, blocks linked or independent, and verifies their checksums
 * (https://github.com/lz4/lz4, doc/lz4_Frame_format.md, version 1.6).
 * @param maxBytes limit of the decompressed size
 * @throws DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError for frames with a dictionary
 */
export function decodeLz4Frames(bytes: Buffer, maxBytes: number): Buffer {
  return new Lz4Decoder(bytes, maxBytes).decode();
}

class Lz4Decoder implements Lz4Output {
  buffer: Buffer;
  length = 0;
  #at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly maxBytes: number,
  ) {
    this.buffer = Buffer.allocUnsafe(Math.min(maxBytes, bytes.length * 4));
  }

  decode(): Buffer {
    while (this.#at < this.bytes.length) {
      const magic = this.#uint32();
      if (magic === LZ4_FRAME_MAGIC) this.#frame();
      else if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) this.#take(this.#uint32());
      else throw malformed(this.#at - 4, `magic number 0x${magic.toString(16)}`);
    }
    return this.buffer.subarray(0, this.length);
  }

  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    if (needed > this.maxBytes) throw new DecompressedTooLargeError('LZ4', this.bytes.length, this.maxBytes);
    const capacity = Math.min(this.maxBytes, this.bytes.length * MAX_RATIO, Math.max(needed, this.buffer.length * 2));
    const grown = Buffer.allocUnsafe(Math.max(needed, capacity));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }

  #frame(): void {
    const { flags, maxBlockBytes, contentBytes } = this.#descriptor();
    const frameStart = this.length;
    if (contentBytes !== undefined && contentBytes > BigInt(this.maxBytes - frameStart)) {
      throw new DecompressedTooLargeError('LZ4', this.bytes.length, this.maxBytes);
    }
    for (let mark = this.#uint32(); mark !== 0; mark = this.#uint32()) {
      this.#block(mark, flags, maxBlockBytes, frameStart);
    }
    const content = this.buffer.subarray(frameStart, this.length);
    if (contentBytes !== undefined && BigInt(content.length) !== contentBytes) {
      throw malformed(this.#at, `frame of ${content.length} bytes that says ${contentBytes}`);
    }
    if ((flags & FLAG.CONTENT_CHECKSUM) !== 0) this.#verify(content, 'content');
  }

  #descriptor(): Descriptor {
    const start = this.#at;
    const flags = this.bytes.readUInt8(this.#take(1));
    const sizes = this.bytes.readUInt8(this.#take(1));
    const code = sizes >> 4;
    if (flags >> 6 !== VERSION || (flags & RESERVED_FLAG_BITS) !== 0) {
      throw malformed(start, `frame flags 0x${flags.toString(16)}`);
    }
    if ((sizes & RESERVED_SIZE_BITS) !== 0 || code < MIN_BLOCK_SIZE_CODE) {
      throw malformed(start, `block size 0x${sizes.toString(16)}`);
    }
    const contentBytes = (flags & FLAG.CONTENT_SIZE) === 0 ? undefined : this.bytes.readBigUInt64LE(this.#take(8));
    if ((flags & FLAG.DICTIONARY) !== 0) throw new UnsupportedCompressionError('LZ4', 'it needs a dictionary');
    const check = (xxh32(this.bytes.subarray(start, this.#at)) >>> 8) & 0xff;
    if (this.bytes.readUInt8(this.#take(1)) !== check) throw malformed(start, 'header checksum');
    return { flags, maxBlockBytes: 1 << (8 + 2 * code), contentBytes };
  }

  #block(mark: number, flags: number, maxBlockBytes: number, frameStart: number): void {
    const isCompressed = (mark & UNCOMPRESSED) === 0;
    const size = mark & ~UNCOMPRESSED;
    if (size > maxBlockBytes) throw malformed(this.#at, `block of ${size} bytes`);
    const start = this.#take(size);
    const block = this.bytes.subarray(start, this.#at);
    if ((flags & FLAG.BLOCK_CHECKSUM) !== 0) this.#verify(block, 'block');
    if (isCompressed) {
      const historyStart = (flags & FLAG.INDEPENDENT) === 0 ? frameStart : this.length;
      decodeLz4Block(block, this, { historyStart, maxBytes: maxBlockBytes });
    } else {
      this.reserve(size);
      block.copy(this.buffer, this.length);
      this.length += size;
    }
  }

  #verify(bytes: Buffer, what: string): void {
    if (this.#uint32() !== xxh32(bytes)) throw malformed(this.#at - 4, `${what} checksum`);
  }

  #uint32(): number {
    return this.bytes.readUInt32LE(this.#take(4));
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.bytes.length - start) throw malformed(start, `cut: ${bytes} more bytes expected`);
    this.#at = start + bytes;
    return start;
  }
}

function malformed(at: number, detail: string): MalformedDataError {
  return new MalformedDataError('LZ4 frame', `at byte ${at}: ${detail}`);
}
