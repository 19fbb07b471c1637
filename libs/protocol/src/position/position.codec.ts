import type { QueueRef, SourcePartition, SourcePosition } from '@sluice/sdk';
import { decodeEnvelope, encodeEnvelope } from '../control/envelope.codec.js';
import { MalformedMessageError } from '../protocol-error.js';
import { bigintAsObject, positionJson } from './position-value.js';

/** One life of a source task. Generations are numbers of log entries: within a connector a later owner always has the higher one. */
export interface SourceGeneration {
  readonly index: number;
  readonly generation: number;
}

/** How far one source partition is known to be stored, and where its records go. Stored as JSON; see `position-value.ts` for bigints. */
export interface PartitionPosition {
  readonly partition: SourcePartition;
  /** After the last stored record; absent when a route was given and nothing was stored yet. */
  readonly position?: SourcePosition;
  /** The seq that the next record of this partition gets. The first is 1. */
  readonly nextSeq: number;
  /**
   * One queue per topic that the partition writes to; where keys choose the queues, up to two of those that it has written to. Another one takes
   * the place of a queue that takes no messages any more.
   */
  readonly routes: readonly QueueRef[];
  /**
   * Records that are in their queues although the one with `nextSeq` is not, of a partition that writes to several queues. Only after an
   * unclean hand-over, or the end of a task whose keys need a queue that stopped, until the hole is filled.
   */
  readonly ahead?: readonly { readonly seq: number; readonly position: SourcePosition }[];
  /** Who sent the partition's last records. */
  readonly owner: SourceGeneration;
  /** Grows with every version of this position by the same owner. */
  readonly revision: number;
}

/** What `owner` sent to the queue and its positions do not cover lies at `scanFrom` or later. */
export interface QueueScan {
  readonly owner: SourceGeneration;
  readonly queue: QueueRef;
  readonly scanFrom: number;
}

/** A generation whose positions cover all that it sent, or all that it sent to `queue`. Nobody has to scan that. */
export interface SettledGeneration extends SourceGeneration {
  readonly queue?: QueueRef;
}

/**
 * Written before generations that start read what is stored: of the connector's generations up to `asOf` only those in `live` may still write. Its
 * writer is no task of the connector: the node that runs the tasks.
 */
export interface PositionBarrier extends SourceGeneration {
  readonly kind: 'barrier';
  readonly connector: string;
  /** The number of the log entry up to which the writer knows who runs what. */
  readonly asOf: number;
  /** The generation of each task that a node holds, with those that start now. */
  readonly live: readonly SourceGeneration[];
}

/** A change of a connector's positions, by a generation of one of its tasks. What it does not name stays as it was. */
export interface PositionWrite extends SourceGeneration {
  readonly kind: 'write';
  readonly connector: string;
  readonly partitions: readonly PartitionPosition[];
  readonly scans: readonly QueueScan[];
  readonly settled: readonly SettledGeneration[];
}

export type PositionMessage = PositionBarrier | PositionWrite;

const WHAT = 'position';

export function encodePosition(message: PositionMessage): Buffer {
  return encodeEnvelope(message, bigintAsObject);
}

/** @throws MalformedMessageError */
export function decodePosition(body: Uint8Array): PositionMessage {
  const head = { kind: 'string', connector: 'string', index: 'number', generation: 'number' } as const;
  const message = decodeEnvelope<PositionMessage>(WHAT, body, head);
  switch (message.kind) {
    case 'barrier':
      if (typeof message.asOf !== 'number') throw new MalformedMessageError(WHAT, 'its field "asOf" is not a number');
      requireItems('live', message.live, isGeneration);
      return message;
    case 'write':
      requireItems('partitions', message.partitions, isPartitionPosition);
      requireItems('scans', message.scans, isQueueScan);
      requireItems('settled', message.settled, isSettled);
      return message;
    default:
      throw new MalformedMessageError(WHAT, `its kind is "${(message as PositionMessage).kind}"; allowed are barrier and write`);
  }
}

function requireItems(field: string, items: unknown, isItem: (item: unknown) => boolean): void {
  if (!Array.isArray(items)) throw new MalformedMessageError(WHAT, `its field "${field}" is not a list`);
  const bad = items.findIndex((item) => !isItem(item));
  if (bad >= 0) throw new MalformedMessageError(WHAT, `item ${bad} of its field "${field}" has another shape`);
}

function isGeneration(item: unknown): boolean {
  return isObject(item) && Number.isSafeInteger(item['index']) && Number.isSafeInteger(item['generation']);
}

function isSettled(item: unknown): boolean {
  return isObject(item) && isGeneration(item) && (item['queue'] === undefined || isQueue(item['queue']));
}

function isPartitionPosition(item: unknown): boolean {
  return (
    isObject(item) &&
    isStorable(item['partition']) &&
    Number.isSafeInteger(item['nextSeq']) &&
    Number.isSafeInteger(item['revision']) &&
    isGeneration(item['owner']) &&
    Array.isArray(item['routes']) &&
    item['routes'].every(isQueue)
  );
}

function isStorable(item: unknown): boolean {
  try {
    return isObject(item) && positionJson(item as SourcePartition) !== '';
  } catch {
    return false;
  }
}

function isQueueScan(item: unknown): boolean {
  return isObject(item) && isGeneration(item['owner']) && isQueue(item['queue']) && Number.isSafeInteger(item['scanFrom']);
}

function isQueue(item: unknown): boolean {
  return (
    isObject(item) && typeof item['topic'] === 'string' && typeof item['brokerName'] === 'string' && Number.isSafeInteger(item['queueId'])
  );
}

function isObject(item: unknown): item is Readonly<Record<string, unknown>> {
  return typeof item === 'object' && item !== null;
}
