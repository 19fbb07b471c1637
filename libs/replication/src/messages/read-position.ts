import { parseBase36 } from '@sluice/protocol';
import type { QueueRef, SourcePartition, SourcePosition } from '@sluice/sdk';

/** What is remembered of the last message that was copied from a queue, to know the queue again. */
export interface LastCopied {
  /** When the source's broker stored it, in ms since the epoch. */
  readonly storeTime: number;
  /** {@link idHash} of its id. */
  readonly idHash: string;
}

/** Where a flow reads on in a queue of the source. */
export interface ReadPosition {
  /** The offset of the next message. */
  readonly offset: number;
  /** The message before it, at `offset - 1`; absent where the flow begins, or has left something out there. */
  readonly last?: LastCopied | undefined;
}

/** Returns the source partition of a queue: `{cluster, topic, broker, queue}`. The cluster is its identity, so that a new address changes nothing. */
export function partitionOf(clusterIdentity: string, { topic, brokerName, queueId }: QueueRef): SourcePartition {
  return { cluster: clusterIdentity, topic, broker: brokerName, queue: queueId };
}

/** Reads what {@link partitionOf} has made; `undefined` for anything else. */
export function parsePartition(partition: SourcePartition): { readonly cluster: string; readonly queue: QueueRef } | undefined {
  const { cluster, topic, broker, queue } = partition;
  if (typeof cluster !== 'string' || typeof topic !== 'string' || typeof broker !== 'string') return undefined;
  if (typeof queue !== 'number' || !Number.isSafeInteger(queue) || queue < 0) return undefined;
  return { cluster, queue: { topic, brokerName: broker, queueId: queue } };
}

/**
 * Writes a position as `{at: '<offset>.<store time>.<hash>'}`, numbers in base 36; `{at: '<offset>'}` without a last message. It stands in the
 * stamp of every message: about 30 bytes there.
 */
export function encodePosition({ offset, last }: ReadPosition): SourcePosition {
  const start = offset.toString(36);
  return { at: last === undefined ? start : `${start}.${last.storeTime.toString(36)}.${last.idHash}` };
}

/** Reads what {@link encodePosition} has written; `undefined` for anything else. */
export function parsePosition(position: SourcePosition): ReadPosition | undefined {
  const { at } = position;
  if (typeof at !== 'string') return undefined;
  const dot = at.indexOf('.');
  if (dot < 0) {
    const offset = parseBase36(at, 0, at.length);
    return offset === undefined ? undefined : { offset };
  }
  const second = at.indexOf('.', dot + 1);
  const offset = parseBase36(at, 0, dot);
  const storeTime = parseBase36(at, dot + 1, second);
  const idHash = at.slice(second + 1);
  if (offset === undefined || storeTime === undefined || !isIdHash(idHash)) return undefined;
  return { offset, last: { storeTime, idHash } };
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const HASH_LENGTH = 7;

/**
 * Returns the 32-bit FNV-1a hash of a message's id in seven base36 characters. The id is the UNIQ_KEY; a message without one has the id that its
 * broker made of address and place. Two messages of equal store time and hash are taken for the same one.
 * Source: http://www.isthe.com/chongo/tech/comp/fnv/, over the UTF-16 units of the text, of which ids use the lower byte only.
 */
export function idHash(id: string): string {
  let hash = FNV_OFFSET;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), FNV_PRIME);
  return (hash >>> 0).toString(36).padStart(HASH_LENGTH, '0');
}

function isIdHash(text: string): boolean {
  return text.length === HASH_LENGTH && /^[0-9a-z]+$/.test(text);
}
