import type { QueueRef } from '@sluice/sdk';
import { parseBase36 } from './base36.js';
import { propertyNeedle, propertyText, scanProperty } from './property-block.js';
import { isTag, queueTag, QUEUE_TAG_LENGTH } from './queue-tag.js';
import type { OutgoingParts } from './record-mapping.js';
import { SluiceProperty } from './reserved-properties.js';
import { ID_LENGTH, isId } from './stable-id.js';

/**
 * Marks that a task has a new owner: after it, readers ignore what the task stamped with a smaller generation. It is a message of its own
 * with a body of one zero byte and the property `sluice-b`: `<task>.<queue>.<generation in base36>`. It is no record: sinks never see it.
 * In another queue readers skip a copy of it.
 */
export interface Barrier {
  /** See `taskId`. */
  readonly task: string;
  readonly generation: number;
}

const barrierNeedle = propertyNeedle(SluiceProperty.barrier);
const barrierBody = Buffer.from([0]);

export function encodeBarrier(barrier: Barrier, queue: string): string {
  return `${barrier.task}.${queue}.${barrier.generation.toString(36)}`;
}

/** Reads the barrier of a message in the queue with the tag `queue`; `undefined` if the text is none, or was written for another queue. */
export function parseBarrier(text: string, queue: string): Barrier | undefined {
  const queueStart = ID_LENGTH + 1;
  const generation = parseBase36(text, queueStart + QUEUE_TAG_LENGTH + 1, text.length);
  if (generation === undefined || !isId(text, 0) || !isTag(text, queueStart, queue)) return undefined;
  return { task: text.slice(0, ID_LENGTH), generation };
}

export function barrierMessage(barrier: Barrier, queue: QueueRef): OutgoingParts {
  const text = encodeBarrier(barrier, queueTag(queue));
  return { body: barrierBody, properties: propertyText(SluiceProperty.barrier, text) };
}

/** Returns whether a body is the one that every barrier has. */
export function isBarrierBody(body: Uint8Array): boolean {
  return body.length === 1 && body[0] === 0;
}

/** Finds the text of a message's barrier without looking at its other properties. */
export function scanBarrier(properties: Buffer): string | undefined {
  return scanProperty(properties, barrierNeedle);
}
