import { inspect } from 'node:util';
import { JsonConverter, jsonConverterSpec } from '@sluice/converters';
import {
  asBuffer,
  COMPRESSION_BITS,
  contextWithoutParts,
  type ConvertedRecord,
  maxBodyBytes,
  MAX_PROPERTIES_BYTES,
  omissionProperty,
  type OutgoingParts,
  propertiesWithoutValue,
  recordToMessage,
  writtenProperties,
} from '@sluice/protocol';
import { type ConnectRecord, type ConnectValue, type MessageHeader, requireConfig, type RawRecord, type Schema } from '@sluice/sdk';
import type { RawMessage } from '../ports/queue-messages.port.js';
import type { WholeMessage } from '../ports/record-producer.port.js';

/** Adds the context to the properties of a letter; returns nothing where the user wants none. */
export type ContextOf = (written: string) => string;

/** What is shown of a value that JSON cannot hold. */
const SHOWN = { depth: 10, maxArrayLength: 1000, maxStringLength: 100_000, breakLength: Infinity } as const;

/** Brokers refuse an empty body. */
const NO_VALUE = Buffer.from([0]);

let converter: JsonConverter | undefined;

/** JSON with its schema, in Kafka Connect's envelope. */
function jsonConverter(): JsonConverter {
  const settings = { 'schemas.enable': 'true', 'replace.null.with.default': 'false', 'schemas.cache.size': '0' };
  return (converter ??= new JsonConverter(requireConfig('The converter of dead letters', jsonConverterSpec, settings)));
}

/** Makes the dead letter of a sink's message: its bytes as they are stored, compressed or not, and what its producer wrote beside them. */
export function letterOfMessage(message: RawMessage, contextOf: ContextOf): WholeMessage {
  const { compressed, rawProperties, bornTimestamp, flag = 0 } = message;
  const properties = writtenWithin(rawProperties);
  const { body, sysFlag } = compressed ?? { body: message.body, sysFlag: 0 };
  return { body, sysFlag, flag, properties: properties + contextOf(properties), bornAt: bornTimestamp };
}

/**
 * Makes the dead letter of a source's record: its value as JSON with its schema. Key, headers, tag, keys and time are as a message holds them. What no
 * message can hold is left out, and a property of the letter says so.
 */
export function letterOfRecord(record: ConnectRecord, contextOf: ContextOf): WholeMessage {
  const { raw } = record;
  if (raw !== undefined && isMessage(raw)) return letterOfRaw(raw, contextOf);
  const { body, properties } = partsOrNone(record);
  return { body, sysFlag: 0, flag: 0, properties: properties + contextOf(properties) };
}

/** Makes the dead letter of a raw record: the message itself. */
function letterOfRaw({ body, properties, flag, sysFlag, bornAt }: RawRecord, contextOf: ContextOf): WholeMessage {
  const written = writtenWithin(asBuffer(properties));
  return { body: asBuffer(body), sysFlag: sysFlag & COMPRESSION_BITS, flag, bornAt, properties: written + contextOf(written) };
}

/**
 * Returns what the producer of a message wrote beside its body. Properties that no letter has room for are left out, and one says so.
 * With them a broker would refuse the letter, which would lose its value then. Bytes that are no UTF-8 take up to three times as much
 * in a letter.
 */
function writtenWithin(properties: Buffer): string {
  const written = writtenProperties(properties);
  const bytes = Buffer.byteLength(written);
  return bytes > MAX_PROPERTIES_BYTES ? omissionProperty(`the properties, which have ${bytes} bytes`) : written;
}

/** Returns whether a record that a plugin calls raw has what a message needs. */
function isMessage({ body, properties, flag, sysFlag, bornAt }: RawRecord): boolean {
  const hasBytes = body instanceof Uint8Array && properties instanceof Uint8Array;
  return hasBytes && flag === (flag | 0) && Number.isInteger(sysFlag) && (bornAt === undefined || Number.isSafeInteger(bornAt));
}

/** Makes the dead letter of a source's record that a broker refused as a message. */
export function letterOfRefused(message: WholeMessage, contextOf: ContextOf): WholeMessage {
  const written = writtenWithin(Buffer.from(message.properties, 'utf8'));
  return { ...message, properties: written + contextOf(written) };
}

/** Returns a dead letter without the value, which the broker refuses. */
export function withoutValue(letter: WholeMessage): WholeMessage {
  const what = `the value, which has ${letter.body.length} bytes: the broker refuses it`;
  return { ...letter, body: NO_VALUE, sysFlag: 0, properties: propertiesWithoutValue(letter.properties, what) };
}

/** Returns a dead letter with its context alone: the broker refuses it without the value, too. */
export function withoutParts(letter: WholeMessage): WholeMessage {
  return {
    ...letter,
    body: NO_VALUE,
    sysFlag: 0,
    properties: contextWithoutParts(letter.properties, 'all parts: the broker refuses them'),
  };
}

/** A record may be anything that a plugin returns: one that cannot be read must not stop those behind it. */
function partsOrNone(record: ConnectRecord): OutgoingParts {
  try {
    return partsOf(record);
  } catch {
    return { body: NO_VALUE, properties: contextWithoutParts('', 'all parts: the record cannot be read') };
  }
}

function partsOf(record: ConnectRecord): OutgoingParts {
  const { key, keySchema, value, schema, headers, timestamp, rocketmq } = record;
  const origin = { topic: record.topic };
  const omitted: string[] = [];
  let bytes = record.value === null ? null : jsonOf(value, schema);
  if (bytes !== null && bytes.length > maxBodyBytes) {
    omitted.push(`the value, which has ${bytes.length} bytes as JSON`);
    bytes = null;
  }
  /** Adds a part of the record, unless no message can hold it beside the parts before. */
  const adding = (kept: ConvertedRecord, name: string, part: () => Partial<ConvertedRecord>): ConvertedRecord => {
    try {
      const more = { ...kept, ...part() };
      recordToMessage(more, origin);
      return more;
    } catch {
      omitted.push(name);
      return kept;
    }
  };
  let kept: ConvertedRecord = { value: bytes };
  if (timestamp !== undefined) kept = adding(kept, 'the timestamp', () => ({ timestamp }));
  if (key !== undefined) kept = adding(kept, 'the key', () => ({ key: keyOf(key, keySchema) }));
  if (rocketmq !== undefined) {
    kept = adding(kept, 'tag, keys and sharding key', () => {
      const { tag, keys, shardingKey } = rocketmq;
      return { rocketmq: { tag, keys, shardingKey } };
    });
  }
  if (headers !== undefined) kept = adding(kept, 'the headers', () => (headers.length === 0 ? {} : { headers: headers.map(headerOf) }));
  const { body, properties } = recordToMessage(kept, origin);
  return { body, properties: omitted.length === 0 ? properties : properties + omissionProperty(omitted.join('; ')) };
}

function keyOf(key: ConnectValue, schema: Schema | undefined): Uint8Array | string | null {
  return key === null || typeof key === 'string' || key instanceof Uint8Array ? key : jsonOf(key, schema);
}

function headerOf({ key, value, schema }: NonNullable<ConnectRecord['headers']>[number]): MessageHeader {
  const isPlain = value === null || typeof value === 'string' || value instanceof Uint8Array;
  return { key, value: isPlain ? value : jsonOf(value, schema).toString('utf8') };
}

/** A value that does not fit its schema is written without, and one that JSON cannot hold as a text that describes it. */
function jsonOf(value: ConnectValue, schema: Schema | undefined): Buffer {
  for (const known of schema === undefined ? [undefined] : [schema, undefined]) {
    try {
      const bytes = jsonConverter().toBytes(value, known);
      if (bytes !== null) return Buffer.from(bytes);
    } catch {
      // The next form takes more.
    }
  }
  return Buffer.from(JSON.stringify({ schema: { type: 'string', optional: false }, payload: inspect(value, SHOWN) }), 'utf8');
}

/** Describes what a log may show of a message: not its body. */
export function describeMessage({ bodyBytes, bornTimestamp, rawProperties }: RawMessage): string {
  return `It was made at ${timeText(bornTimestamp)}, has ${bodyBytes} bytes, and these properties: ${readable(writtenProperties(rawProperties))}`;
}

/** Describes a record of a source with its contents, for a log. */
export function describeRecord(record: ConnectRecord): string {
  const { raw } = record;
  if (raw !== undefined && isMessage(raw)) {
    const made = raw.bornAt === undefined ? '' : `was made at ${timeText(raw.bornAt)}, `;
    return `It ${made}has ${raw.body.length} bytes, and these properties: ${readable(writtenProperties(asBuffer(raw.properties)))}`;
  }
  const { key, keySchema, value, schema, headers, timestamp } = record;
  const parts = [`value ${jsonOf(value, schema).toString('utf8')}`];
  if (key !== undefined) parts.unshift(`key ${jsonOf(key, keySchema).toString('utf8')}`);
  if (headers !== undefined) parts.push(`headers ${headers.map((each) => `${each.key}=${String(headerOf(each).value)}`).join(', ')}`);
  if (timestamp !== undefined) parts.push(`timestamp ${timestamp}`);
  return `It has ${parts.join(', ')}`;
}

function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? String(ms) : time.toISOString();
}

function readable(properties: string): string {
  return properties.replaceAll('\u0001', '=').replaceAll('\u0002', ' ').trim();
}
