import { ConnectError, ConnectErrorCode, type ConnectRecord, type NamedQueue, type QueueRef } from '@sluice/sdk';
import type { Converters } from '../converters/converter.js';
import { describeStop, type QueueStop } from './writable-queues.js';

/** What chooses the queue of a record, as the settings say; `undefined` where its source partition does. */
export type QueueBy = { readonly kind: 'key' } | { readonly kind: 'record' } | { readonly kind: 'header'; readonly header: string };

/** Finds what chooses the queue of a record. */
export interface QueueKeys {
  readonly by: QueueBy;
  /** Returns bytes that are equal for records of one queue; `undefined` where the record has none. Throws where they cannot be converted. */
  bytesOf(record: ConnectRecord): Uint8Array | undefined;
}

/** Reports that a queue takes no messages, where the queue of a record follows from its key: only a new generation may choose others. */
export class KeyedQueueStoppedError extends ConnectError {
  constructor(stop: QueueStop, { kind }: QueueBy) {
    const what = `${describeStop(stop)}. With queue.by=${kind} a record has one queue while the task runs`;
    super(ConnectErrorCode.unavailable, `${what}: the task restarts with the queues that take messages then`, { retriable: true });
  }
}

/** Returns what chooses queues by what the converters make of keys or headers. */
export function convertedQueueKeys(by: QueueBy, { key, header }: Converters): QueueKeys {
  if (by.kind === 'record') return { by, bytesOf: () => undefined };
  if (by.kind === 'key') {
    return {
      by,
      bytesOf: (record) => {
        if (record.key === undefined || record.key === null) return undefined;
        return key.toBytes(record.key, record.keySchema, record.topic) ?? undefined;
      },
    };
  }
  return {
    by,
    bytesOf: ({ headers, topic }) => {
      const found = headers?.find((each) => each.key === by.header);
      if (found === undefined || found.value === null) return undefined;
      const { value, schema } = found;
      if (value instanceof Uint8Array) return value;
      return typeof value === 'string' ? Buffer.from(value) : (header.toBytes(value, schema, topic) ?? undefined);
    },
  };
}

/** Returns the queues of a topic in the order in which keys choose among them. */
export function inKeyOrder(queues: readonly QueueRef[]): readonly QueueRef[] {
  return [...queues].sort((a, b) => (a.brokerName === b.brokerName ? a.queueId - b.queueId : a.brokerName < b.brokerName ? -1 : 1));
}

/**
 * Returns the queue that a record names; `undefined` where `queues` do not have it.
 *
 * @param queues in the order in which keys choose among them
 */
export function queueNamed(queues: readonly QueueRef[], named: NamedQueue): QueueRef | undefined {
  if (typeof named === 'number') return queues[named];
  return queues.find(({ brokerName, queueId }) => queueId === named.queueId && brokerName === named.brokerName);
}

/** Returns whether a record names that queue by broker and number. */
export function isQueueNamed({ brokerName, queueId }: QueueRef, named: NamedQueue | undefined): boolean {
  return typeof named === 'object' && named.queueId === queueId && named.brokerName === brokerName;
}

/** Returns why a record may not name its queue so; `undefined` where it may. */
export function namedQueueProblem(named: unknown, by: QueueBy | undefined): string | undefined {
  if (by?.kind !== 'record') return `it names queue ${describeNamed(named)}, which needs queue.by=record`;
  if (typeof named === 'number' ? isPlace(named) : isQueue(named)) return undefined;
  return `it names queue ${describeNamed(named)}; expected is a whole number from 0, or brokerName and queueId`;
}

/** Returns why a record may not name the only queue of its partition so; `undefined` where it may. */
export function ownQueueProblem(named: unknown): string | undefined {
  if (named === undefined)
    return 'it names no queue; a raw record names that of its partition in rocketmq.queue, as brokerName and queueId';
  return isQueue(named) ? undefined : `it names queue ${describeNamed(named)}; expected of a raw record are brokerName and queueId`;
}

function isQueue(named: unknown): boolean {
  if (typeof named !== 'object' || named === null) return false;
  const { brokerName, queueId } = named as Readonly<Record<string, unknown>>;
  return typeof brokerName === 'string' && brokerName !== '' && isPlace(queueId);
}

function isPlace(number: unknown): boolean {
  return Number.isSafeInteger(number) && Number(number) >= 0;
}

/** Returns how an error names what a record names. */
export function describeNamed(named: unknown): string {
  return typeof named === 'object' && named !== null ? JSON.stringify(named) : String(named);
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Returns the place of the bytes' queue among `count`: FNV-1a of 32 bits, mixed once more with the length, because few of its bits decide. */
export function placeOf(bytes: Uint8Array, count: number): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}
