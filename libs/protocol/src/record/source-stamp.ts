import type { SourcePartition, SourcePosition } from '@sluice/sdk';
import { propertyNeedle, scanProperty } from './property-block.js';
import { SluiceProperty } from './reserved-properties.js';
import { canonicalJson, stableId } from './stable-id.js';

/**
 * Where a record came from, as the property `sluice-p`: `<task>.<stream>.<generation>.<seq>.<position>`.
 *
 * - task: {@link taskId}; first, so that a reader sees which streams a barrier of that task closes
 * - stream: {@link streamId}; does not change when a partition moves to another task
 * - generation, seq: base36
 * - position: the position after the record; base36 if it is a single non-negative whole number named `position`, else `~` and the
 *   base64url of its canonical JSON
 *
 * A stamp of a file that is read for days takes about 32 bytes.
 */
export interface Stamp {
  readonly task: string;
  readonly stream: string;
  readonly generation: number;
  /** Counts the records of one stream within one generation, from 0. */
  readonly seq: number;
  readonly position: SourcePosition;
}

const stampNeedle = propertyNeedle(SluiceProperty.stamp);
const id = /^[0-9a-z]{8}$/;
const base36Number = /^(0|[1-9a-z][0-9a-z]*)$/;

/** The id of a task: eight base36 characters of a hash of its connector's name and its index. */
export function taskId(connector: string, taskIndex: number): string {
  return stableId('task', connector, String(taskIndex));
}

/** The id of a stream: eight base36 characters of a hash of the connector's name and the canonical JSON of the source partition. */
export function streamId(connector: string, partition: SourcePartition): string {
  return stableId('stream', connector, canonicalJson(partition));
}

export function encodeStamp(stamp: Stamp): string {
  return stampPrefix(stamp.task, stamp.stream, stamp.generation) + stampSuffix(stamp.seq, stamp.position);
}

/** What all stamps of a stream within a generation begin with: `stampPrefix(…) + stampSuffix(…)` is `encodeStamp(…)`. */
export function stampPrefix(task: string, stream: string, generation: number): string {
  return `${task}.${stream}.${generation.toString(36)}.`;
}

export function stampSuffix(seq: number, position: SourcePosition): string {
  return `${seq.toString(36)}.${encodePosition(position)}`;
}

/** Reads a stamp; `undefined` if the text is none. */
export function parseStamp(text: string): Stamp | undefined {
  const [task, stream, generationText, seqText, positionText, ...rest] = text.split('.');
  if (task === undefined || stream === undefined || positionText === undefined || rest.length > 0) return undefined;
  const generation = parseBase36(generationText);
  const seq = parseBase36(seqText);
  const position = parsePosition(positionText);
  if (!id.test(task) || !id.test(stream) || generation === undefined || seq === undefined) return undefined;
  return position === undefined ? undefined : { task, stream, generation, seq, position };
}

/** The text of a message's stamp, without looking at its other properties. */
export function scanStamp(properties: Buffer): string | undefined {
  return scanProperty(properties, stampNeedle);
}

/** A whole number from 0 in base36; `undefined` for any other text. */
export function parseBase36(text: string | undefined): number | undefined {
  if (text === undefined || !base36Number.test(text)) return undefined;
  const value = parseInt(text, 36);
  return Number.isSafeInteger(value) ? value : undefined;
}

function encodePosition(position: SourcePosition): string {
  const single = position['position'];
  if (typeof single === 'number' && single >= 0 && Number.isSafeInteger(single) && hasOneKey(position)) {
    return single.toString(36);
  }
  return `~${Buffer.from(canonicalJson(position), 'utf8').toString('base64url')}`;
}

function hasOneKey(object: object): boolean {
  return Object.keys(object).length === 1;
}

function parsePosition(text: string): SourcePosition | undefined {
  if (!text.startsWith('~')) {
    const position = parseBase36(text);
    return position === undefined ? undefined : { position };
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(text.slice(1), 'base64url').toString('utf8'));
    return isPosition(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): value is SourcePosition {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => ['string', 'number', 'boolean'].includes(typeof item));
}
