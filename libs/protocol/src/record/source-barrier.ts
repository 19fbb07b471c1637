import { parseBase36 } from './base36.js';
import { encodeProperties, propertyNeedle, scanProperty } from './property-block.js';
import type { MessageParts } from './record-mapping.js';
import { SluiceProperty } from './reserved-properties.js';
import { idLength, isId } from './stable-id.js';

/**
 * Says that a task has a new owner: after it, nothing that the task stamped with a smaller generation counts. A message of its own with a
 * body of one zero byte and the property `sluice-b`: `<task>.<generation in base36>`. It is no record; sinks never see it.
 */
export interface Barrier {
  /** See `taskId`. */
  readonly task: string;
  readonly generation: number;
}

const barrierNeedle = propertyNeedle(SluiceProperty.barrier);
const barrierBody = Buffer.from([0]);

export function encodeBarrier(barrier: Barrier): string {
  return `${barrier.task}.${barrier.generation.toString(36)}`;
}

/** Reads a barrier; `undefined` if the text is none. */
export function parseBarrier(text: string): Barrier | undefined {
  const generation = parseBase36(text, idLength + 1, text.length);
  return generation === undefined || !isId(text, 0) ? undefined : { task: text.slice(0, idLength), generation };
}

export function barrierMessage(barrier: Barrier): MessageParts {
  return { body: barrierBody, properties: encodeProperties([[SluiceProperty.barrier, encodeBarrier(barrier)]]) };
}

/** The text of a message's barrier, without looking at its other properties. */
export function scanBarrier(properties: Buffer): string | undefined {
  return scanProperty(properties, barrierNeedle);
}
