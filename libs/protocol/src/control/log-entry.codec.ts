import { hash } from 'node:crypto';
import { encodeEnvelope, parseEnvelope } from './envelope.codec.js';

/** What stands around an event in the log; the event itself is the control plane's. */
export interface LogEnvelope<Event extends { readonly kind: string }> {
  readonly logId: string;
  readonly epoch: number;
  readonly claimId: string;
  readonly seq: number;
  readonly prevDigest: string;
  readonly at: number;
  readonly event: Event;
}

export interface EncodedEntry {
  readonly body: Buffer;
  readonly digest: string;
}

/** Computes the digest of an entry's bytes: the first 128 bits of SHA-256 as hexadecimal text. It chains every entry to the one before. */
export function entryDigest(body: Uint8Array): string {
  return hash('sha256', body, 'hex').slice(0, 32);
}

export function encodeLogEntry<Event extends { readonly kind: string }>(entry: LogEnvelope<Event>): EncodedEntry {
  const { logId, epoch, claimId, seq, prevDigest, at, event } = entry;
  const body = encodeEnvelope({ logId, epoch, claimId, seq, prevDigest, at, event });
  return { body, digest: entryDigest(body) };
}

/**
 * Encodes events that follow each other as a chain that starts after `after`.
 *
 * @returns one encoded entry per event, in order.
 */
export function encodeLogChain<Event extends { readonly kind: string }>(
  head: { readonly logId: string; readonly epoch: number; readonly claimId: string; readonly at: number },
  after: { readonly seq: number; readonly digest: string },
  events: readonly Event[],
): readonly EncodedEntry[] {
  const encoded: EncodedEntry[] = [];
  let { seq, digest } = after;
  for (const event of events) {
    seq += 1;
    const entry = encodeLogEntry({ ...head, seq, prevDigest: digest, event });
    digest = entry.digest;
    encoded.push(entry);
  }
  return encoded;
}

const required = {
  logId: 'string',
  epoch: 'number',
  claimId: 'string',
  seq: 'number',
  prevDigest: 'string',
  at: 'number',
  event: 'object',
} as const;

/** @throws MalformedMessageError */
export function decodeLogEntry<Event extends { readonly kind: string }>(body: Uint8Array): LogEnvelope<Event> {
  const { logId, epoch, claimId, seq, prevDigest, at, event } = parseEnvelope<LogEnvelope<Event>>('log', body, required);
  return { logId, epoch, claimId, seq, prevDigest, at, event };
}
