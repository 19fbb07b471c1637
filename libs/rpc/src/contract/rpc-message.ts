import { RPC_ERROR_CODES, RpcError } from './rpc-error.js';
import { type RpcErrorPayload, toErrorPayload } from './rpc-error-payload.js';
import type { InboundMessage, OutboundMessage } from './rpc-link.port.js';

/** User properties of a message on the rpc topic. The proxy refuses values with control characters and RocketMQ's own names. */
const PROPERTY = {
  version: 'rpc-version',
  kind: 'rpc-kind',
  correlationId: 'rpc-correlation-id',
  pattern: 'rpc-pattern',
  replyTo: 'rpc-reply-to',
  deadline: 'rpc-deadline',
  metadata: 'rpc-metadata',
} as const;

const VERSION = '1';
/** The proxy allows 16 KiB for all properties, tag and keys together. */
const MAX_PROPERTIES_BYTES = 12 * 1024;
// eslint-disable-next-line no-control-regex -- finding control characters is the point
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/;

export type RpcMetadata = Readonly<Record<string, string>>;

interface Envelope {
  readonly correlationId: string;
  /** Epoch milliseconds; a message read later is acknowledged and never handled. */
  readonly deadlineMs: number;
}

export interface RpcCall extends Envelope {
  readonly kind: 'request' | 'event';
  readonly pattern: string;
  /** Tag of the asking node; empty for events. */
  readonly replyTo: string;
  readonly metadata: RpcMetadata;
  readonly data: unknown;
}

export interface RpcReply extends Envelope {
  readonly kind: 'reply';
  readonly outcome: RpcOutcome;
}

export type RpcOutcome = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'error'; readonly error: RpcErrorPayload };

/** Says nothing; its arrival is the message. A node sends it to itself. */
export interface RpcProbe extends Envelope {
  readonly kind: 'probe';
}

export type RpcMessage = RpcCall | RpcReply | RpcProbe;

/**
 * Body: JSON `{"data": …}` for calls, `{"value": …}` or `{"error": {code, message, retriable?, details?}}` for replies; an
 * undefined value is left out, so a body is never empty (which RocketMQ refuses).
 *
 * @throws RpcError RPC_INVALID_REQUEST for a pattern with control characters or a value that is not JSON,
 *   RPC_TOO_LARGE when the body exceeds `maxBodyBytes` or the properties 12 KiB.
 */
export function encodeRpcMessage(message: RpcMessage, tag: string, maxBodyBytes: number): OutboundMessage {
  const properties = new Map<string, string>([
    [PROPERTY.version, VERSION],
    [PROPERTY.kind, message.kind],
    [PROPERTY.correlationId, message.correlationId],
    [PROPERTY.deadline, String(message.deadlineMs)],
  ]);
  let subject: string;
  let content: unknown;
  if (message.kind === 'probe') {
    subject = 'probe';
    content = {};
  } else if (message.kind === 'reply') {
    subject = 'reply';
    content = message.outcome.kind === 'value' ? { value: message.outcome.value } : { error: message.outcome.error };
  } else {
    subject = `${message.kind} '${message.pattern}'`;
    content = { data: message.data };
    if (message.pattern === '' || CONTROL_CHARACTERS.test(message.pattern)) {
      throw new RpcError(RPC_ERROR_CODES.invalidRequest, `Pattern ${JSON.stringify(message.pattern)} is empty or holds control characters`);
    }
    properties.set(PROPERTY.pattern, message.pattern);
    // An empty value is lost in RocketMQ's storage format, so an absent one is not written at all.
    if (message.replyTo !== '') properties.set(PROPERTY.replyTo, message.replyTo);
    const metadata = JSON.stringify(message.metadata);
    if (metadata !== '{}') properties.set(PROPERTY.metadata, escapeControlCharacters(metadata));
  }
  const body = encodeBody(content, subject);
  if (body.length > maxBodyBytes) {
    throw new RpcError(RPC_ERROR_CODES.tooLarge, `The ${subject} has ${body.length} bytes; at most ${maxBodyBytes} are allowed`);
  }
  let propertiesBytes = tag.length;
  for (const [key, value] of properties) propertiesBytes += key.length + Buffer.byteLength(value);
  if (propertiesBytes > MAX_PROPERTIES_BYTES) {
    throw new RpcError(
      RPC_ERROR_CODES.tooLarge,
      `Pattern and metadata of the ${subject} have ${propertiesBytes} bytes; at most ${MAX_PROPERTIES_BYTES} are allowed`,
    );
  }
  return { tag, properties, body };
}

/** @throws RpcError RPC_MALFORMED_MESSAGE, naming what is missing; the message is of no use to anybody then. */
export function decodeRpcMessage(message: InboundMessage): RpcMessage {
  const { problem, properties } = message;
  if (problem !== undefined) throw malformed(problem);
  const version = properties.get(PROPERTY.version);
  if (version !== VERSION) throw malformed(`its version is '${version ?? 'missing'}', expected '${VERSION}'`);
  const correlationId = required(properties, PROPERTY.correlationId);
  const deadlineMs = Number(required(properties, PROPERTY.deadline));
  if (!Number.isSafeInteger(deadlineMs)) throw malformed(`its ${PROPERTY.deadline} is not a whole number of milliseconds`);
  const kind = required(properties, PROPERTY.kind);
  switch (kind) {
    case 'probe':
      return { kind, correlationId, deadlineMs };
    case 'reply': {
      const content = decodeBody(message);
      const outcome: RpcOutcome =
        content['error'] === undefined
          ? { kind: 'value', value: content['value'] }
          : { kind: 'error', error: toErrorPayload(content['error']) };
      return { kind, correlationId, deadlineMs, outcome };
    }
    case 'request':
    case 'event':
      return {
        kind,
        correlationId,
        deadlineMs,
        pattern: required(properties, PROPERTY.pattern),
        replyTo: kind === 'request' ? required(properties, PROPERTY.replyTo) : '',
        metadata: decodeMetadata(properties.get(PROPERTY.metadata)),
        data: decodeBody(message)['data'],
      };
    default:
      throw malformed(`its kind is '${kind}', expected request, event, reply or probe`);
  }
}

function encodeBody(content: unknown, subject: string): Buffer {
  try {
    return Buffer.from(JSON.stringify(content));
  } catch (cause) {
    throw new RpcError(RPC_ERROR_CODES.invalidRequest, `The ${subject} is not representable as JSON`, { cause });
  }
}

function decodeBody(message: InboundMessage): Record<string, unknown> {
  if (message.body === undefined) throw malformed('its body could not be read');
  let content: unknown;
  try {
    content = JSON.parse(message.body.toString('utf8'));
  } catch (cause) {
    throw malformed('its body is not JSON', cause);
  }
  if (typeof content !== 'object' || content === null) throw malformed('its body is not a JSON object');
  return content as Record<string, unknown>;
}

function decodeMetadata(text: string | undefined): RpcMetadata {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw malformed(`its ${PROPERTY.metadata} is not JSON`, cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed(`its ${PROPERTY.metadata} is not a JSON object`);
  return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
}

function required(properties: ReadonlyMap<string, string>, name: string): string {
  const value = properties.get(name);
  if (value === undefined || value === '') throw malformed(`property ${name} is missing`);
  return value;
}

function malformed(problem: string, cause?: unknown): RpcError {
  return new RpcError(RPC_ERROR_CODES.malformedMessage, `Message cannot be read: ${problem}`, { cause });
}

/** JSON escapes U+0000 to U+001F by itself; the proxy also refuses U+007F to U+009F. */
function escapeControlCharacters(json: string): string {
  return json.replaceAll(/[\u007f-\u009f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
