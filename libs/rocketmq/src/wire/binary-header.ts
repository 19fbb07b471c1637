import { MalformedDataError } from '../errors.js';

/** The fields of a remoting header that both serializations carry. */
export interface RemotingHeader {
  readonly code: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark: string;
  readonly ext: Readonly<Record<string, string>>;
}

const FIXED_BYTES = 21;
const MAX_INT16 = 0x7f_ff;
const MIN_INT16 = -0x80_00;
/** `LanguageCode.OTHER` of the servers. */
const LANGUAGE_OTHER = 7;

/** Returns whether the binary header can carry this one: codes and the lengths of names are signed 16-bit integers there. */
export function fitsBinaryHeader(header: RemotingHeader): boolean {
  if (header.code < MIN_INT16 || header.code > MAX_INT16) return false;
  return Object.keys(header.ext).every((name) => name.length > 0 && Buffer.byteLength(name) <= MAX_INT16);
}

/**
 * Encodes a header in the servers' ROCKETMQ serialization. It is int16 code, int8 language, int16 version, int32 opaque,
 * int32 flag, int32 length + remark, int32 length + fields. Each field is an int16 length + name and an int32 length +
 * value. Servers read an empty value as a missing field.
 */
export function encodeBinaryHeader(header: RemotingHeader, version: number): Buffer {
  const fields = Object.entries(header.ext);
  const remarkBytes = Buffer.byteLength(header.remark);
  let extBytes = 0;
  for (const [name, value] of fields) extBytes += 6 + Buffer.byteLength(name) + Buffer.byteLength(value);
  const bytes = Buffer.allocUnsafe(FIXED_BYTES + remarkBytes + extBytes);
  let at = bytes.writeInt16BE(header.code, 0);
  at = bytes.writeInt8(LANGUAGE_OTHER, at);
  at = bytes.writeInt16BE(version, at);
  at = bytes.writeInt32BE(header.opaque, at);
  at = bytes.writeInt32BE(header.flag, at);
  at = bytes.writeInt32BE(remarkBytes, at);
  at += bytes.write(header.remark, at, 'utf8');
  at = bytes.writeInt32BE(extBytes, at);
  for (const [name, value] of fields) {
    at = bytes.writeInt16BE(Buffer.byteLength(name), at);
    at += bytes.write(name, at, 'utf8');
    at = bytes.writeInt32BE(Buffer.byteLength(value), at);
    at += bytes.write(value, at, 'utf8');
  }
  return bytes;
}

/** Reads what `encodeBinaryHeader` describes. @throws MalformedDataError */
export function decodeBinaryHeader(header: Buffer): RemotingHeader {
  const cursor = { at: 0 };
  const code = header.readInt16BE(take(header, cursor, 2));
  take(header, cursor, 3);
  const opaque = header.readInt32BE(take(header, cursor, 4));
  const flag = header.readInt32BE(take(header, cursor, 4));
  const remark = takeText(header, cursor, header.readInt32BE(take(header, cursor, 4)));
  const extBytes = header.readInt32BE(take(header, cursor, 4));
  const extEnd = cursor.at + extBytes;
  if (extBytes < 0 || extEnd > header.length) throw new MalformedDataError('header', 'fields longer than the header');
  const entries: [string, string][] = [];
  while (cursor.at < extEnd) {
    const name = takeText(header, cursor, header.readInt16BE(take(header, cursor, 2)));
    entries.push([name, takeText(header, cursor, header.readInt32BE(take(header, cursor, 4)))]);
  }
  if (cursor.at > extEnd) throw new MalformedDataError('header', `fields end at ${cursor.at}, not at ${extEnd}`);
  return { code, opaque, flag, remark, ext: Object.fromEntries(entries) };
}

function take(header: Buffer, cursor: { at: number }, bytes: number): number {
  const start = cursor.at;
  if (bytes < 0 || start + bytes > header.length) throw new MalformedDataError('header', `cut at ${start}`);
  cursor.at = start + bytes;
  return start;
}

function takeText(header: Buffer, cursor: { at: number }, bytes: number): string {
  const start = take(header, cursor, bytes);
  return header.toString('utf8', start, start + bytes);
}
