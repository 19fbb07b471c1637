import { parseBarrier, parseStamp, queueTag, scanBarrier, scanStamp, streamId } from '@sluice/protocol';
import type { QueueRef } from '@sluice/sdk';
import { parsePosition, partitionOf } from '../messages/read-position.js';

interface EntryBase {
  readonly offset: number;
  /** When the broker stored the message, ms since the epoch. */
  readonly storedAt: number;
}

/** A message of one source queue, which the flow has copied. */
export interface CopiedEntry extends EntryBase {
  readonly kind: 'copy';
  /** Of the task that copied it, see `taskId`. */
  readonly task: string;
  readonly generation: number;
  readonly seq: number;
  /** Where the source queue continues behind the message: its offset there and one. */
  readonly next: number;
}

/** Where a generation of a task began, see `Barrier`. */
export interface BarrierEntry extends EntryBase {
  readonly kind: 'barrier';
  readonly task: string;
  readonly generation: number;
}

/** Written at the target, or copied from elsewhere. */
export interface OtherEntry extends EntryBase {
  readonly kind: 'other';
}

/** What a message of a target queue is to the stream of one source queue. */
export type QueueEntry = CopiedEntry | BarrierEntry | OtherEntry;

/** Which copies count: those of one stream in one queue. */
export interface CopyStream {
  /** See `streamId`. */
  readonly stream: string;
  /** See `queueTag`: of the queue that is read. */
  readonly tag: string;
}

/** Returns the stream of what a connector copies from one queue, whose cluster has that identity, into another one. */
export function copyStream(connectorName: string, clusterIdentity: string, source: QueueRef, target: QueueRef): CopyStream {
  return { stream: streamId(connectorName, partitionOf(clusterIdentity, source)), tag: queueTag(target) };
}

/** Classifies a stored message by its stamp. What has no valid one of the stream is `other`. Pure. */
export function entryOf(
  message: { readonly queueOffset: number; readonly storeTimestamp: number; readonly rawProperties: Buffer },
  { stream, tag }: CopyStream,
): QueueEntry {
  const { queueOffset: offset, storeTimestamp: storedAt, rawProperties } = message;
  const stampText = scanStamp(rawProperties);
  if (stampText !== undefined) {
    const stamp = parseStamp(stampText, tag);
    const next = stamp?.stream === stream ? parsePosition(stamp.position)?.offset : undefined;
    if (stamp === undefined || next === undefined) return { kind: 'other', offset, storedAt };
    const { task, generation, seq } = stamp;
    return { kind: 'copy', offset, storedAt, task, generation, seq, next };
  }
  const barrierText = scanBarrier(rawProperties);
  const barrier = barrierText === undefined ? undefined : parseBarrier(barrierText, tag);
  if (barrier === undefined) return { kind: 'other', offset, storedAt };
  return { kind: 'barrier', offset, storedAt, task: barrier.task, generation: barrier.generation };
}
