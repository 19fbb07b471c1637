import { constants } from 'node:buffer';
import * as zlib from 'node:zlib';
import { DecompressedTooLargeError, InvalidArgumentError, MalformedDataError, UnsupportedCompressionError } from '../errors.js';
import { decodeLz4Frames, LZ4_FRAME_MAGIC } from './lz4-frame.js';
import { SYS_FLAG } from './sys-flag.js';
import { ZSTD_MAGIC, zstdCompress, zstdDecompress } from './zstd.js';

const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;
/** RFC 1950: method 8 in the low half of the first byte, the first two bytes together a multiple of 31. */
const ZLIB_METHOD = 8;
const ZLIB_CHECK = 31;

type Compression = 'LZ4' | 'ZSTD' | 'ZLIB';

/** What bodies can be written with. */
export type CompressionType = 'zlib' | 'zstd';

/**
 * @param sysFlag the stored message's; where it names no type, the body's first bytes do
 * @returns the body itself when it is not compressed or empty
 * @throws DecompressedTooLargeError, UnsupportedCompressionError, MalformedDataError, InvalidArgumentError
 */
export function decompressBody(body: Buffer, sysFlag: number, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Buffer {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > constants.MAX_LENGTH) {
    const range = `[1, ${constants.MAX_LENGTH}]`;
    throw new InvalidArgumentError(`maxBytes is ${maxBytes}, allowed is an integer in ${range}`);
  }
  if ((sysFlag & SYS_FLAG.COMPRESSED) === 0 || body.length === 0) return body;
  const compression = compressionOf(body, sysFlag);
  switch (compression) {
    case 'LZ4':
      return decodeLz4Frames(body, maxBytes);
    case 'ZLIB':
      return inflate(body, maxBytes);
    case 'ZSTD':
      return zstdDecompress(body, maxBytes);
  }
}

/**
 * Compresses on the spot so that sends keep their order. A body that would not get shorter stays as it is.
 * @throws UnsupportedCompressionError for `zstd` where Node has none
 */
export function compressBody(body: Uint8Array, type: CompressionType = 'zlib'): { readonly body: Uint8Array; readonly sysFlag: number } {
  const compressed = type === 'zlib' ? zlib.deflateSync(body) : zstdCompress(body);
  if (compressed.length >= body.length) return { body, sysFlag: 0 };
  const typeBits = type === 'zlib' ? SYS_FLAG.COMPRESSION_ZLIB : SYS_FLAG.COMPRESSION_ZSTD;
  return { body: compressed, sysFlag: SYS_FLAG.COMPRESSED | typeBits };
}

function compressionOf(body: Buffer, sysFlag: number): Compression {
  const type = sysFlag & SYS_FLAG.COMPRESSION_TYPE_MASK;
  switch (type) {
    case SYS_FLAG.COMPRESSION_LZ4:
      return 'LZ4';
    case SYS_FLAG.COMPRESSION_ZSTD:
      return 'ZSTD';
    case SYS_FLAG.COMPRESSION_ZLIB:
      return 'ZLIB';
    case 0:
      return compressionByMagic(body);
    default:
      throw new UnsupportedCompressionError(`type ${type >> 8}`, 'known are 1 (LZ4), 2 (ZSTD) and 3 (ZLIB)');
  }
}

function compressionByMagic(body: Buffer): Compression {
  if (body.length >= 4) {
    const magic = body.readUInt32LE(0);
    if (magic === LZ4_FRAME_MAGIC) return 'LZ4';
    if (magic === ZSTD_MAGIC) return 'ZSTD';
  }
  if (body.length >= 2) {
    const head = body.readUInt16BE(0);
    if (((head >> 8) & 0x0f) === ZLIB_METHOD && head % ZLIB_CHECK === 0) return 'ZLIB';
  }
  const start = body.toString('hex', 0, 4);
  throw new MalformedDataError('compressed body', `begins with 0x${start}, which is none of LZ4, ZSTD and ZLIB`);
}

function inflate(body: Buffer, maxBytes: number): Buffer {
  try {
    return zlib.inflateSync(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DecompressedTooLargeError('ZLIB', body.length, maxBytes);
    }
    throw new MalformedDataError('compressed body', 'not ZLIB', cause);
  }
}
