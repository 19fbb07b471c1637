import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';

/** Of a frame (RFC 8878), read as a little-endian integer. */
export const ZSTD_MAGIC = 0xfd_2f_b5_28;
/** Of a frame that decoders pass over; its last four bits are free. */
const SKIPPABLE_MAGIC = 0x18_4d_2a_50;
const SKIPPABLE_HEAD_BYTES = 8;
const AT_DESCRIPTOR = 4;
const AT_WINDOW = 5;
const SINGLE_SEGMENT = 1 << 5;
const HAS_CHECKSUM = 1 << 2;
const BLOCK_HEAD_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
/** By the top two bits of the descriptor; a single segment of class 0 has one byte. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
/** The window that RFC 8878 asks every decoder to bear; compressors of short bodies take it without need. */
const ORDINARY_WINDOW_BYTES = 8 * 1024 * 1024;
/** A decoder is made for each frame: millions of tiny ones in one body would take minutes. Producers write one. */
const MAX_FRAMES = 4_096;

type Transform = (bytes: Uint8Array, options?: { readonly maxOutputLength: number }) => Buffer;
const native = zlib as { readonly zstdCompressSync?: Transform; readonly zstdDecompressSync?: Transform };

/** Whether `zstdCompress` works: from Node 22.15 and 23.8 on. */
export const canCompressZstd = native.zstdCompressSync !== undefined;

/** @throws UnsupportedCompressionError where Node has no zstd */
export function zstdCompress(bytes: Uint8Array): Buffer {
  if (native.zstdCompressSync === undefined) {
    throw new UnsupportedCompressionError('ZSTD', `writing it needs Node 22.15 or later, this is ${process.version}`);
  }
  return native.zstdCompressSync(bytes);
}

/**
 * Decompresses every frame, by Node where it can, else by a decoder in JavaScript, which leaves the frame's checksum unread. Node itself
 * stops after the first frame, and some versions take a cut one for whole.
 * @throws DecompressedTooLargeError, MalformedDataError
 */
export function zstdDecompress(bytes: Buffer, maxBytes: number): Buffer {
  const contents: Buffer[] = [];
  let total = 0;
  for (const frame of framesOf(bytes, maxBytes)) {
    const content = decompressFrame(frame, maxBytes - total);
    total += content.length;
    if (total > maxBytes) throw new DecompressedTooLargeError('ZSTD', bytes.length, maxBytes);
    contents.push(content);
  }
  const [first] = contents;
  return contents.length === 1 && first !== undefined ? first : Buffer.concat(contents, total);
}

function decompressFrame(frame: Buffer, maxBytes: number): Buffer {
  try {
    // Node allows no limit below one byte: the caller checks the sum.
    if (native.zstdDecompressSync !== undefined) return native.zstdDecompressSync(frame, { maxOutputLength: Math.max(1, maxBytes) });
    return decodeFrame(frame, maxBytes);
  } catch (cause) {
    if (cause instanceof DecompressedTooLargeError) throw cause;
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DecompressedTooLargeError('ZSTD', frame.length, maxBytes);
    }
    throw new MalformedDataError('compressed body', 'not ZSTD', cause);
  }
}

/** Block by block, so that what a frame holds is counted before there is more of it than allowed. */
function decodeFrame(frame: Buffer, maxBytes: number): Buffer {
  const blocks: Uint8Array[] = [];
  let total = 0;
  const decoder = new Decompress((block) => {
    total += block.length;
    if (total > maxBytes) throw new DecompressedTooLargeError('ZSTD', frame.length, maxBytes);
    blocks.push(block);
  });
  decoder.push(frame, true);
  return Buffer.concat(blocks, total);
}

interface FrameHead {
  readonly bytes: number;
  readonly windowBytes: number;
  /** Undefined where the frame does not say. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/**
 * Finds the frames with content. Bounds what all of them say that they hold, and the memory that they need. Decoders reserve each frame's
 * window before they read its first block.
 */
function framesOf(bytes: Buffer, maxBytes: number): Buffer[] {
  const maxNeed = Math.max(maxBytes, ORDINARY_WINDOW_BYTES);
  const frames: Buffer[] = [];
  let content = 0;
  let need = 0;
  for (let at = 0; at < bytes.length;) {
    const magic = at + 4 > bytes.length ? undefined : bytes.readUInt32LE(at);
    if (magic !== undefined && (magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
      at = at + SKIPPABLE_HEAD_BYTES > bytes.length ? Infinity : at + SKIPPABLE_HEAD_BYTES + bytes.readUInt32LE(at + 4);
      if (at > bytes.length) throw cutFrame();
      continue;
    }
    if (magic !== ZSTD_MAGIC) throw new MalformedDataError('compressed body', `not ZSTD at byte ${at}`);
    const head = frameHeadAt(bytes, at);
    if (head === undefined) throw cutFrame();
    content += head.contentBytes ?? 0;
    if (content > maxBytes) throw new DecompressedTooLargeError('ZSTD', bytes.length, maxBytes);
    need += Math.min(head.windowBytes, head.contentBytes ?? Infinity);
    if (need > maxNeed) {
      const reason = `ZSTD frames with windows of ${need} bytes, allowed are ${maxNeed}`;
      throw new MalformedDataError('compressed body', reason);
    }
    const end = endOfBlocks(bytes, at + head.bytes) + (head.hasChecksum ? CHECKSUM_BYTES : 0);
    if (end > bytes.length) throw cutFrame();
    if (frames.length === MAX_FRAMES) throw new MalformedDataError('compressed body', `more than ${MAX_FRAMES} ZSTD frames`);
    frames.push(bytes.subarray(at, end));
    at = end;
  }
  return frames;
}

function cutFrame(): MalformedDataError {
  return new MalformedDataError('compressed body', 'not ZSTD: its last frame is cut off');
}

function frameHeadAt(bytes: Buffer, at: number): FrameHead | undefined {
  const descriptor = bytes[at + AT_DESCRIPTOR];
  if (descriptor === undefined) return undefined;
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const sizeClass = (descriptor >> 6) as 0 | 1 | 2 | 3;
  const sizeBytes = sizeClass === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeClass];
  const sizeAt = AT_WINDOW + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
  if (bytes.length < at + sizeAt + sizeBytes) return undefined;
  const contentBytes = contentSizeAt(bytes, at + sizeAt, sizeBytes);
  const windowBytes = isSingleSegment ? (contentBytes ?? 0) : windowOf(bytes[at + AT_WINDOW] ?? 0);
  return { bytes: sizeAt + sizeBytes, windowBytes, contentBytes, hasChecksum: (descriptor & HAS_CHECKSUM) !== 0 };
}

function contentSizeAt(bytes: Buffer, at: number, sizeBytes: 0 | 1 | 2 | 4 | 8): number | undefined {
  if (sizeBytes === 0) return undefined;
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Returns where the last block of a frame ends; Infinity for a frame that is cut. */
function endOfBlocks(bytes: Buffer, start: number): number {
  for (let at = start; at + BLOCK_HEAD_BYTES <= bytes.length;) {
    const head = bytes.readUIntLE(at, BLOCK_HEAD_BYTES);
    at += BLOCK_HEAD_BYTES + (((head >> 1) & 3) === RLE_BLOCK ? 1 : head >> 3);
    if ((head & 1) !== 0) return at;
  }
  return Infinity;
}
