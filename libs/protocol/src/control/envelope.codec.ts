import { asBuffer } from '../bytes/as-buffer.js';
import { MalformedMessageError } from '../protocol-error.js';

/**
 * The newest version of the messages on the control topics that this build reads. A feature level of the cluster brings it: see
 * `protocolVersionAt` of the core.
 */
export const PROTOCOL_VERSION = 1;

/**
 * The version that this build writes: that of the first feature level, which nodes of every level read. Encoders do not know the level of the
 * cluster.
 */
export const WRITTEN_VERSION = 1;

/** Encodes a control message as JSON with its version in front. `replacer` is that of `JSON.stringify`. */
export function encodeEnvelope(payload: object, replacer?: (key: string, value: unknown) => unknown): Buffer {
  return Buffer.from(JSON.stringify({ v: WRITTEN_VERSION, ...payload }, replacer), 'utf8');
}

/** Fields that a message must have, and their types. */
export type RequiredFields = Readonly<Record<string, 'string' | 'number' | 'boolean' | 'object'>>;

/**
 * Decodes what {@link encodeEnvelope} wrote and checks the fields that `required` lists.
 *
 * @throws MalformedMessageError
 */
export function decodeEnvelope<T extends object>(what: string, body: Uint8Array, required: RequiredFields): T {
  // Taking the version out of the object itself would make it slow to read from.
  const { v: _, ...fields } = parseEnvelope<T & { readonly v?: unknown }>(what, body, required);
  return fields as unknown as T;
}

/**
 * As {@link decodeEnvelope}, with the version left in: for callers that pick the fields they need.
 *
 * @throws MalformedMessageError
 */
export function parseEnvelope<T extends object>(what: string, body: Uint8Array, required: RequiredFields): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(asBuffer(body).toString('utf8'));
  } catch (error) {
    throw new MalformedMessageError(what, 'it is not JSON', { cause: error });
  }
  if (typeof parsed !== 'object' || parsed === null) throw new MalformedMessageError(what, 'it is not an object');
  const { v } = parsed as { readonly v?: unknown };
  if (!(Number.isInteger(v) && Number(v) >= WRITTEN_VERSION && Number(v) <= PROTOCOL_VERSION)) {
    throw new MalformedMessageError(
      what,
      `its version is ${String(v)}, this node reads versions up to ${PROTOCOL_VERSION}`,
      undefined,
      parsed as Record<string, unknown>,
    );
  }
  requireFields(what, parsed, required);
  return parsed as T;
}

/** @throws MalformedMessageError */
export function requireFields(what: string, message: object, required: RequiredFields): void {
  const fields = message as Readonly<Record<string, unknown>>;
  for (const field in required) {
    const value = fields[field];
    if (typeof value === required[field] && value !== null) continue;
    throw new MalformedMessageError(what, `its field "${field}" is not a ${String(required[field])}`, undefined, fields);
  }
}
