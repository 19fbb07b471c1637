import { isBarrierBody, type LetterContext, readContext, redrivesOf, scanBarrier } from '@sluice/protocol';
import type { LogicalMessage, QueueRef } from '@sluice/rocketmq';
import { queueName } from '../queues/queue-cursor.js';

/** What of a message is read. */
export type LetterMessage = Pick<
  LogicalMessage,
  'queueOffset' | 'storeTimestamp' | 'bornTimestamp' | 'flag' | 'body' | 'bodyBytes' | 'compressed' | 'rawProperties' | 'properties'
>;

/** A message of a dead letter topic, and what it says of itself. */
export interface Letter {
  readonly queue: QueueRef;
  readonly offset: number;
  /** When it became a dead letter, in ms since the epoch. */
  readonly storedAt: number;
  readonly message: LetterMessage;
  readonly context: LetterContext;
  /** How often its record was redriven before. */
  readonly redrives: number;
}

/** Reads a message of a dead letter topic; `undefined` for one that holds no record. */
export function readLetter(queue: QueueRef, message: LetterMessage): Letter | undefined {
  if (isBarrier(message)) return undefined;
  const properties = message.properties();
  return {
    queue,
    offset: message.queueOffset,
    storedAt: message.storeTimestamp,
    message,
    context: readContext(properties),
    redrives: redrivesOf(properties),
  };
}

/** A body that cannot be decompressed is a record's. */
function isBarrier(message: LetterMessage): boolean {
  if (scanBarrier(message.rawProperties) === undefined || message.compressed !== undefined) return false;
  return isBarrierBody(message.body);
}

/** Names the place of a letter for people, as `show` takes it. */
export function placeOf({ queue, offset }: Pick<Letter, 'queue' | 'offset'>): string {
  return `${queueName(queue)} offset ${offset}`;
}
