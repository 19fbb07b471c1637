import type { SourcePartition, SourcePosition } from '@sluice/sdk';
import { propertyNeedle, scanProperty, valueStart } from './property-block.js';
import { SluiceProperty } from './reserved-properties.js';
import { parseBase36 } from './base36.js';
import { parsePositionJson, positionJson } from '../position/position-value.js';
import { isTag, QUEUE_TAG_LENGTH } from './queue-tag.js';
import { ID_LENGTH, isId, stableId } from './stable-id.js';

/**
 * Where a record came from, as the property `sluice-p`: `<task>.<stream>.<queue>.<generation>.<seq>.<position>`.
 *
 * - task: {@link taskId}; first, so that a reader sees which streams a barrier of that task closes
 * - stream: {@link streamId}; does not change when a partition moves to another task
 * - queue: the `queueTag` of the queue that it was sent to; in any other queue the text is no stamp
 * - generation, seq: base36
 * - position: the position after the record; base36 if it is a single non-negative whole number named `position`, else its
 *   canonical JSON
 *
 * With a single number as position a stamp takes about 38 bytes, with the position of a file about 80.
 */
export interface Stamp {
  readonly task: string;
  readonly stream: string;
  readonly generation: number;
  /** Counts the records of one stream, from 1; a later generation continues where the one before ended. */
  readonly seq: number;
  readonly position: SourcePosition;
}

const streamStart = ID_LENGTH + 1;
const queueStart = streamStart + ID_LENGTH + 1;
const stampNeedle = propertyNeedle(SluiceProperty.stamp);

/** Returns the id of a task: eight base36 characters of a hash of its connector's name and its index. */
export function taskId(connector: string, taskIndex: number): string {
  return stableId('task', connector, String(taskIndex));
}

/** Returns the id of a stream: eight base36 characters of a hash of the connector's name and the canonical JSON of the source partition. */
export function streamId(connector: string, partition: SourcePartition): string {
  return stableId('stream', connector, positionJson(partition));
}

export function encodeStamp(stamp: Stamp, queue: string): string {
  return stampPrefix(stamp.task, stamp.stream, queue, stamp.generation) + stampSuffix(stamp.seq, stamp.position);
}

/**
 * Returns what all stamps of a stream in one queue begin with, within a generation: `stampPrefix(…) + stampSuffix(…)` is `encodeStamp(…)`.
 */
export function stampPrefix(task: string, stream: string, queue: string, generation: number): string {
  return `${task}.${stream}.${queue}.${generation.toString(36)}.`;
}

export function stampSuffix(seq: number, position: SourcePosition): string {
  return `${seq.toString(36)}.${encodePosition(position)}`;
}

/** The part of a stamp that shows duplicates. */
export type StampCoordinates = Omit<Stamp, 'position'>;

/** Reads the stamp of a message in the queue with the tag `queue`; `undefined` if the text is none, or was written for another queue. */
export function parseStamp(text: string, queue: string): Stamp | undefined {
  const coordinates = parseStampCoordinates(text, queue);
  if (coordinates === undefined) return undefined;
  const position = parsePosition(text, positionStart(text));
  return position === undefined ? undefined : { ...coordinates, position };
}

/** Reads a stamp as {@link parseStamp} does, without parsing its position. */
export function parseStampCoordinates(text: string, queue: string): StampCoordinates | undefined {
  const generationStart = queueStart + QUEUE_TAG_LENGTH + 1;
  const generationEnd = text.indexOf('.', generationStart);
  const seqEnd = text.indexOf('.', generationEnd + 1);
  if (generationEnd < 0 || seqEnd < 0 || !isId(text, 0) || !isId(text, streamStart)) return undefined;
  if (!isTag(text, queueStart, queue)) return undefined;
  const generation = parseBase36(text, generationStart, generationEnd);
  const seq = parseBase36(text, generationEnd + 1, seqEnd);
  if (generation === undefined || seq === undefined || !mayBePosition(text, seqEnd + 1)) return undefined;
  return {
    task: text.slice(0, ID_LENGTH),
    stream: text.slice(streamStart, streamStart + ID_LENGTH),
    generation,
    seq,
  };
}

/** Reads the stamps of one queue in their order: most follow one of the same stream and generation, of which only the rest is read. */
export class StampReader {
  #prefix = '';
  #last: StampCoordinates | undefined;

  constructor(
    /** The tag of the queue. */
    readonly queue: string,
  ) {}

  /** Reads a stamp as {@link parseStampCoordinates} does. */
  read(text: string): StampCoordinates | undefined {
    const last = this.#last;
    if (last === undefined || !text.startsWith(this.#prefix)) return this.#begin(text);
    const seqStart = this.#prefix.length;
    const seqEnd = text.indexOf('.', seqStart);
    const seq = parseBase36(text, seqStart, seqEnd);
    if (seq === undefined || !mayBePosition(text, seqEnd + 1)) return undefined;
    return { task: last.task, stream: last.stream, generation: last.generation, seq };
  }

  #begin(text: string): StampCoordinates | undefined {
    const coordinates = parseStampCoordinates(text, this.queue);
    if (coordinates === undefined) return undefined;
    const { task, stream, generation } = coordinates;
    this.#prefix = stampPrefix(task, stream, this.queue, generation);
    return (this.#last = coordinates);
  }
}

function positionStart(text: string): number {
  return text.indexOf('.', text.indexOf('.', queueStart + QUEUE_TAG_LENGTH + 1) + 1) + 1;
}

function mayBePosition(text: string, start: number): boolean {
  return text[start] === '{' ? text.endsWith('}') : parseBase36(text, start, text.length) !== undefined;
}

/** Finds the text of a message's stamp without looking at its other properties. */
export function scanStamp(properties: Buffer): string | undefined {
  return scanProperty(properties, stampNeedle);
}

/** Returns a copy of a message's properties in which the stamp is one for the queue with the tag `queue`. The properties must have a stamp. */
export function rebindStamp(properties: Buffer, queue: string): Buffer {
  // One character for each byte: the others may be no UTF-8.
  const start = valueStart(properties.toString('latin1'), stampNeedle);
  if (start < 0) throw new TypeError('The properties have no stamp');
  const rebound = Buffer.from(properties);
  rebound.write(queue, start + queueStart, 'latin1');
  return rebound;
}

function encodePosition(position: SourcePosition): string {
  const single = position['position'];
  if (typeof single === 'number' && single >= 0 && Number.isSafeInteger(single) && hasOneKey(position)) {
    return single.toString(36);
  }
  return positionJson(position);
}

function hasOneKey(object: object): boolean {
  return Object.keys(object).length === 1;
}

function parsePosition(text: string, start: number): SourcePosition | undefined {
  if (text[start] !== '{') {
    const position = parseBase36(text, start, text.length);
    return position === undefined ? undefined : { position };
  }
  try {
    const value = parsePositionJson(text.slice(start));
    // The text of a bigint alone is an object in JSON.
    return typeof value === 'object' ? (value as SourcePosition) : undefined;
  } catch {
    return undefined;
  }
}
