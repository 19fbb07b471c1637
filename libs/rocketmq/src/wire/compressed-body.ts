import { constants } from 'node:buffer';
import * as zlib from 'node:zlib';
import {
  DecompressedTooLargeError,
  InvalidArgumentError,
  MalformedDataError,
  UnsupportedCompressionError,
} from '../errors.js';
import { decodeLz4Frames, LZ4_FRAME_MAGIC } from './lz4-frame.js';
import { SYS_FLAG } from './sys-flag.js';

const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;
const ZSTD_MAGIC = 0xfd_2f_b5_28;
/** RFC 1950: method 8 in the low half of the first byte, the first two bytes together a multiple of 31. */
const ZLIB_METHOD = 8;
const ZLIB_CHECK = 31;

type Compression = 'LZ4' | 'ZSTD' | 'ZLIB';
type Inflate = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

/**
 * @param sysFlag the stored message's; where it names no type, the body's first bytes do
 * @returns the body itself when it is not compressed or empty
 * @throws DecompressedTooLargeError, UnsupportedCompressionError, MalformedDataError, InvalidArgumentError
 */
export function decompressBody(body: Buffer, sysFlag: number, maxBytes = DEFAULT_MAX_DECOMPRESSED_BYTES): Buffer {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > constants.MAX_LENGTH) {
    const range = `[1, ${String(constants.MAX_LENGTH)}]`;
    throw new InvalidArgumentError(`maxBytes is ${String(maxBytes)}, allowed is an integer in ${range}`);
  }
  if ((sysFlag & SYS_FLAG.COMPRESSED) === 0 || body.length === 0) return body;
  const compression = compressionOf(body, sysFlag);
  switch (compression) {
    case 'LZ4':
      return decodeLz4Frames(body, maxBytes);
    case 'ZLIB':
      return inflate(zlib.inflateSync, compression, body, maxBytes);
    case 'ZSTD': {
      const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Inflate };
      if (zstdDecompressSync === undefined) {
        throw new UnsupportedCompressionError(compression, `needs Node 22.15 or later, this is ${process.version}`);
      }
      return inflate(zstdDecompressSync, compression, body, maxBytes);
    }
  }
}

/** Compresses with zlib, on the spot so that sends keep their order. A body that would not get shorter stays as it is. */
export function compressBody(body: Buffer): { readonly body: Buffer; readonly sysFlag: number } {
  const compressed = zlib.deflateSync(body);
  return compressed.length < body.length
    ? { body: compressed, sysFlag: SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB }
    : { body, sysFlag: 0 };
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
      throw new UnsupportedCompressionError(`type ${String(type >> 8)}`, 'known are 1 (LZ4), 2 (ZSTD) and 3 (ZLIB)');
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

function inflate(decompress: Inflate, compression: Compression, body: Buffer, maxBytes: number): Buffer {
  try {
    return decompress(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new DecompressedTooLargeError(compression, body.length, maxBytes);
    }
    throw new MalformedDataError('compressed body', `not ${compression}`, cause);
  }
}
