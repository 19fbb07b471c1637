import { MalformedDataError } from '../errors.js';
import { decodeBinaryHeader, encodeBinaryHeader, fitsBinaryHeader, type RemotingHeader } from './binary-header.js';
import type { RequestCode } from './request-code.js';

/** `flag` bits of a remoting header. */
export const HEADER_FLAG = { RESPONSE: 1, ONEWAY: 2 } as const;

const SERIALIZE_JSON = 0;
const SERIALIZE_ROCKETMQ = 1;
/**
 * V5_5_0. Servers give standard JSON in routes to clients of 401 and later. Only clients above V5_3_1 get GO_AWAY for a
 * request that the server refused unprocessed. Older servers take a version that they do not know for their own.
 */
const PROTOCOL_VERSION = 513;
const LANGUAGE = 'OTHER';
const PREFIX_BYTES = 8;
const MAX_HEADER_BYTES = 0xff_ff_ff;
/** Copying a body of up to this length costs less than a system call with two buffers. */
const SHORT_BODY_BYTES = 8 * 1024;
const NO_BODY = Buffer.alloc(0);

export type ExtFields = Readonly<Record<string, string>>;

export interface RemotingRequest {
  readonly code: RequestCode;
  readonly ext: ExtFields;
  readonly body?: Uint8Array;
  /** Gives the memory of `body` with room for the head in front of it, at most once (`EncodedBatch.claimHeadRoom`). */
  readonly claimHeadRoom?: ((headBytes: number) => Buffer | undefined) | undefined;
  /** Asked right before it is written: where it says no, nothing is sent. */
  readonly maySend?: (() => boolean) | undefined;
}

/** A frame from a server: the answer to one of our requests, or a request of its own. */
export interface RemotingCommand extends RemotingHeader {
  readonly body: Buffer;
}

/** How a header is written; both are always read. Servers answer in the form of the request. */
export type HeaderFormat = 'json' | 'rocketmq';

/**
 * Returns the frame up to its body, which follows on the wire as it is. A header that the binary format cannot carry (a code
 * beyond 16 bits) is written as JSON.
 */
export function encodeRequestHead(request: RemotingRequest, opaque: number, format: HeaderFormat): Buffer {
  const header = { code: request.code, opaque, flag: 0, remark: '', ext: request.ext };
  return encodeHead(header, format, request.body?.length ?? 0);
}

/** Returns the whole frame in one piece where `claimHeadRoom` gives room for that or the body is short; else head and body. */
export function encodeRequest(request: RemotingRequest, opaque: number, format: HeaderFormat): readonly Uint8Array[] {
  const head = encodeRequestHead(request, opaque, format);
  const { body } = request;
  if (body === undefined) return [head];
  const whole = request.claimHeadRoom?.(head.length);
  if (whole !== undefined) {
    whole.set(head);
    return [whole];
  }
  return body.length <= SHORT_BODY_BYTES ? [Buffer.concat([head, body])] : [head, body];
}

/** Returns the whole frame of an answer without a body. */
export function encodeResponse(code: number, opaque: number, remark: string, format: HeaderFormat): Buffer {
  return encodeHead({ code, opaque, flag: HEADER_FLAG.RESPONSE, remark, ext: {} }, format, 0);
}

function encodeHead(header: RemotingHeader, format: HeaderFormat, bodyBytes: number): Buffer {
  const isBinary = format === 'rocketmq' && fitsBinaryHeader(header);
  const encoded = isBinary ? encodeBinaryHeader(header, PROTOCOL_VERSION) : jsonOf(header);
  const headerBytes = Buffer.byteLength(encoded);
  if (headerBytes > MAX_HEADER_BYTES) throw new MalformedDataError('header', `${headerBytes} bytes`);
  const head = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes);
  head.writeInt32BE(4 + headerBytes + bodyBytes, 0);
  head.writeInt32BE(((isBinary ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON) << 24) | headerBytes, 4);
  if (typeof encoded === 'string') head.write(encoded, PREFIX_BYTES, 'utf8');
  else encoded.copy(head, PREFIX_BYTES);
  return head;
}

function jsonOf({ code, opaque, flag, remark, ext }: RemotingHeader): string {
  return JSON.stringify({
    code,
    language: LANGUAGE,
    version: PROTOCOL_VERSION,
    opaque,
    flag,
    remark: remark === '' ? undefined : remark,
    extFields: ext,
    serializeTypeCurrentRPC: 'JSON',
  });
}

/**
 * Decodes a frame as `FrameReader` cuts it. The body is a view on the frame, or a copy where the frame's memory is lent.
 * @throws MalformedDataError
 */
export function decodeRemotingCommand(frame: Buffer, isLent = false): RemotingCommand {
  if (frame.length < 4) throw new MalformedDataError('frame', `${frame.length} bytes`);
  const mark = frame.readUInt32BE(0);
  const type = mark >>> 24;
  const headerEnd = 4 + (mark & MAX_HEADER_BYTES);
  if (headerEnd > frame.length) {
    throw new MalformedDataError('frame', `header ends at ${headerEnd} of ${frame.length} bytes`);
  }
  const body = bodyOf(frame, headerEnd, isLent);
  if (type === SERIALIZE_JSON) return decodeJsonHeader(frame.toString('utf8', 4, headerEnd), body);
  if (type === SERIALIZE_ROCKETMQ) return { ...decodeBinaryHeader(frame.subarray(4, headerEnd)), body };
  throw new MalformedDataError('frame', `serialization type ${type}, known are 0 (JSON) and 1 (ROCKETMQ)`);
}

function bodyOf(frame: Buffer, start: number, isLent: boolean): Buffer {
  if (start === frame.length) return NO_BODY;
  const body = frame.subarray(start);
  return isLent ? Buffer.from(body) : body;
}

function decodeJsonHeader(json: string, body: Buffer): RemotingCommand {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw new MalformedDataError('header', 'not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw new MalformedDataError('header', 'not a JSON object');
  const header = parsed as Record<string, unknown>;
  const { code, opaque, flag, remark, extFields } = header;
  if (!isInt32(code) || !isInt32(opaque) || !isInt32(flag)) {
    throw new MalformedDataError('header', 'code, opaque and flag must be integers');
  }
  return { code, opaque, flag, remark: typeof remark === 'string' ? remark : '', ext: extOf(extFields), body };
}

function extOf(value: unknown): ExtFields {
  if (typeof value !== 'object' || value === null) return {};
  for (const field of Object.values(value)) {
    if (typeof field !== 'string') return stringFieldsOf(value);
  }
  return value as ExtFields;
}

function stringFieldsOf(value: object): ExtFields {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]: [string, unknown]) =>
      typeof field === 'string' || typeof field === 'number' || typeof field === 'boolean' ? [[key, String(field)]] : [],
    ),
  );
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}
