import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { DecompressedTooLargeError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';

/** Of a frame (RFC 8878), read as a little-endian integer. */
export const ZSTD_MAGIC = 0xfd_2f_b5_28;
const AT_DESCRIPTOR = 4;
const AT_WINDOW = 5;
const SINGLE_SEGMENT = 1 << 5;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
/** By the top two bits of the descriptor; a single segment of class 0 has one byte. */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
/** As in the reference implementation: decoders may refuse frames that need more memory. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;

type Transform = (bytes: Uint8Array, options?: { readonly maxOutputLength: number }) => Buffer;
const native = zlib as { readonly zstdCompressSync?: Transform; readonly zstdDecompressSync?: Transform };

/** Whether `zstdCompress` works: from Node 22.15 and 23.8 on. */
export const canCompressZstd = native.zstdCompressSync !== undefined;

/** @throws UnsupportedCompressionError where Node has no zstd */
export function zstdCompress(bytes: Buffer): Buffer {
  if (native.zstdCompressSync === undefined) {
    throw new UnsupportedCompressionError('ZSTD', `writing it needs Node 22.15 or later, this is ${process.version}`);
  }
  return native.zstdCompressSync(bytes);
}

/**
 * By Node where it can, else by a decoder in JavaScript, which leaves the frame's checksum unread.
 * @throws DecompressedTooLargeError, MalformedDataError
 */
export function zstdDecompress(bytes: Buffer, maxBytes: number): Buffer {
  const size = declaredSize(bytes);
  if (size !== undefined && size > maxBytes) throw new DecompressedTooLargeError('ZSTD', bytes.length, maxBytes);
  try {
    return native.zstdDecompressSync === undefined
      ? decodeFrames(bytes, maxBytes)
      : native.zstdDecompressSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof DecompressedTooLargeError) throw cause;
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DecompressedTooLargeError('ZSTD', bytes.length, maxBytes);
    }
    throw new MalformedDataError('compressed body', 'not ZSTD', cause);
  }
}

/** Block by block, so that what a frame holds is counted before there is more of it than allowed. */
function decodeFrames(bytes: Buffer, maxBytes: number): Buffer {
  const blocks: Uint8Array[] = [];
  let total = 0;
  const decoder = new Decompress((block) => {
    total += block.length;
    if (total > maxBytes) throw new DecompressedTooLargeError('ZSTD', bytes.length, maxBytes);
    blocks.push(block);
  });
  decoder.push(bytes, true);
  return Buffer.concat(blocks, total);
}

/**
 * The content size in the header of the first frame, if it is there. The decoder reserves the window before it reads a
 * block: its size is checked here.
 */
function declaredSize(bytes: Buffer): number | undefined {
  const descriptor = bytes[AT_DESCRIPTOR];
  if (descriptor === undefined || bytes.readUInt32LE(0) !== ZSTD_MAGIC) return undefined;
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  if (!isSingleSegment) checkWindow(bytes[AT_WINDOW] ?? 0);
  const sizeClass = (descriptor >> 6) as 0 | 1 | 2 | 3;
  const sizeBytes = sizeClass === 0 && isSingleSegment ? 1 : CONTENT_SIZE_BYTES[sizeClass];
  const at = AT_WINDOW + (isSingleSegment ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
  if (sizeBytes === 0 || bytes.length < at + sizeBytes) return undefined;
  if (sizeBytes === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function checkWindow(descriptor: number): void {
  const base = 2 ** (10 + (descriptor >> 3));
  const window = base + (base / 8) * (descriptor & 7);
  if (window > MAX_WINDOW_BYTES) {
    throw new MalformedDataError(
      'compressed body',
      `ZSTD window of ${String(window)} bytes, allowed are ${String(MAX_WINDOW_BYTES)}`,
    );
  }
}
