import { forEachProperty, propertyText } from './property-block.js';
import { MAX_PROPERTIES_BYTES } from './record-limits.js';
import { isReservedProperty, SluiceProperty } from './reserved-properties.js';

/** Where a record failed: Kafka Connect's names, with RocketMQ in the place of Kafka. */
export const ERROR_STAGES = [
  'TASK_POLL',
  'TRANSFORMATION',
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
  'ROCKETMQ_PRODUCE',
  'ROCKETMQ_CONSUME',
  'TASK_PUT',
] as const;

export type ErrorStage = (typeof ERROR_STAGES)[number];

/** Every property of the context begins so. The names are Kafka Connect's and Apache RocketMQ Connect's; those of source, broker and cut are ours. */
export const CONTEXT_PREFIX = '__connect.errors.';

/** Why a record became a dead letter, without secrets. Texts may be of any length. */
export interface DeadLetterContext {
  /** A sink: that of the message. A source: that which the record was for, if it had one. */
  readonly topic: string | undefined;
  /** A sink's message. */
  readonly brokerName?: string | undefined;
  readonly queueId?: number | undefined;
  readonly offset?: number | undefined;
  /** A source's record: its partition and position, as JSON. */
  readonly sourcePartition?: string | undefined;
  readonly sourcePosition?: string | undefined;
  readonly connector: string;
  readonly taskIndex: number;
  readonly stage: ErrorStage;
  /** What failed: the class of a converter, a transform or a connector. */
  readonly className: string;
  readonly exceptionClass: string;
  readonly exceptionMessage: string;
  readonly stackTrace: string;
}

/** Those of RocketMQ's own properties that are part of what a producer wrote. Brokers act on the others, or add them themselves. */
const KEPT_PROPERTIES: ReadonlySet<string> = new Set(['KEYS', 'TAGS', '__SHARDINGKEY', 'UNIQ_KEY']);
/** Kept free, so that the names of values without room can be listed. */
const CUT_BYTES = 512;
export const CUT_NAME = `${CONTEXT_PREFIX}cut`;
export const OMITTED_NAME = `${CONTEXT_PREFIX}omitted`;
// eslint-disable-next-line no-control-regex -- a property block separates its parts by them
const SEPARATORS = /[\u0001\u0002]/g;

/** Returns the properties of a message as its producer wrote them: without stamps of Sluice, what brokers add, and the context of a dead letter. */
export function writtenProperties(properties: Buffer): string {
  let text = '';
  forEachProperty(properties, (name, value) => {
    if (isWritten(name)) text += propertyText(name, value);
  });
  return text;
}

/**
 * Returns the properties of a record that is made of a dead letter: what its producer wrote, and how often it was redriven.
 *
 * @param redrives with this one
 */
export function redrivenProperties(properties: Buffer, redrives: number): string {
  let text = '';
  forEachProperty(properties, (name, value) => {
    if (isWritten(name) && name !== SluiceProperty.redriven) text += propertyText(name, value);
  });
  return text + propertyText(SluiceProperty.redriven, String(redrives));
}

function isWritten(name: string): boolean {
  if (name === SluiceProperty.stamp || name === SluiceProperty.barrier || name.startsWith(CONTEXT_PREFIX)) return false;
  return !isReservedProperty(name) || KEPT_PROPERTIES.has(name);
}

/**
 * Writes the context of a dead letter as properties behind those that it has, within what a message may have. What has no room is cut, the end of
 * the stack trace first; `__connect.errors.cut` names it then.
 *
 * @param written the properties that the letter has already
 */
export function contextProperties(context: DeadLetterContext, written: string): string {
  let left = MAX_PROPERTIES_BYTES - CUT_BYTES - Buffer.byteLength(written);
  const cut: string[] = [];
  let text = '';
  for (const [name, given] of valuesOf(context)) {
    const value = given.replace(SEPARATORS, ' ');
    if (value === '') continue;
    const frame = propertyText(CONTEXT_PREFIX + name, '').length;
    const shown = shortened(value, left - frame);
    if (shown !== value) cut.push(name);
    if (shown === '') continue;
    text += propertyText(CONTEXT_PREFIX + name, shown);
    left -= frame + Buffer.byteLength(shown);
  }
  const names = cut.length === 0 ? '' : propertyText(CUT_NAME, cut.join(','));
  return names.length > left + CUT_BYTES ? text : text + names;
}

/** Returns the properties of a message whose value is left out: they say so, and that the value is null now. */
export function propertiesWithoutValue(properties: string, what: string): string {
  let text = '';
  let nulls = 'v';
  forEachProperty(Buffer.from(properties, 'utf8'), (name, value) => {
    if (name === SluiceProperty.null) nulls = value.includes('v') ? value : `v${value}`;
    else if (name !== SluiceProperty.empty) text += propertyText(name, value);
  });
  return text + propertyText(SluiceProperty.null, nulls) + omissionProperty(what);
}

/** Returns the context among the properties of a dead letter whose parts are all left out. It says so, and that the value is null. */
export function contextWithoutParts(properties: string, what: string): string {
  let text = '';
  forEachProperty(Buffer.from(properties, 'utf8'), (name, value) => {
    if (name.startsWith(CONTEXT_PREFIX) && name !== OMITTED_NAME) text += propertyText(name, value);
  });
  return text + propertyText(SluiceProperty.null, 'v') + omissionProperty(what);
}

/** Writes as a property what of a record its dead letter lacks. */
export function omissionProperty(what: string): string {
  return propertyText(OMITTED_NAME, what.replace(SEPARATORS, ' '));
}

/** The shortest values first: what is last is cut first. */
function valuesOf(context: DeadLetterContext): readonly (readonly [name: string, value: string])[] {
  const { topic, brokerName, queueId, offset, sourcePartition, sourcePosition } = context;
  return [
    ['topic', topic ?? ''],
    // Kafka's word for it; tools that read the one look for no other.
    ['partition', queueId === undefined ? '' : String(queueId)],
    ['offset', offset === undefined ? '' : String(offset)],
    ['broker.name', brokerName ?? ''],
    ['queue.id', queueId === undefined ? '' : String(queueId)],
    ['connector.name', context.connector],
    ['task.id', String(context.taskIndex)],
    ['stage', context.stage],
    ['class.name', context.className],
    ['exception.class.name', context.exceptionClass],
    ['source.partition', sourcePartition ?? ''],
    ['source.position', sourcePosition ?? ''],
    ['exception.message', context.exceptionMessage],
    ['exception.stacktrace', context.stackTrace],
  ];
}

/** Returns as much of a text as fits, with how much is missing; nothing where not even that has room. */
function shortened(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= maxBytes) return text;
  const note = ` ... cut, it has ${bytes.length} bytes`;
  let end = maxBytes - note.length;
  if (end <= 0) return '';
  // Not in the middle of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end) + note;
}
