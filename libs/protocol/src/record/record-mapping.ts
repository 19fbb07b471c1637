import { asBuffer } from '../bytes/as-buffer.js';
import { ConnectError, ConnectErrorCode, type MessageHeader, type RocketMqAttributes } from '@sluice/sdk';
import { describePosition } from '../position/position-value.js';
import { headerToProperty, isHeaderProperty, propertyToHeader } from './header-property.js';
import { attributesText, isIndexableKey } from './message-attributes.js';
import { forEachProperty, noProperties, propertyText } from './property-block.js';
import { maxBodyBytes, MAX_PROPERTIES_BYTES } from './record-limits.js';
import { ROCKETMQ_CONNECT_TIMESTAMP, SluiceProperty } from './reserved-properties.js';
import { bytesToPropertyValue, isPlainText, unmarkBase64 } from './text-value.js';

/** A record whose parts a converter has made bytes. `null` is a value of its own, `undefined` means absent. */
export interface ConvertedRecord {
  /** A text stands for its bytes in UTF-8. */
  readonly key?: Uint8Array | string | null | undefined;
  readonly value: Uint8Array | null;
  readonly headers?: readonly MessageHeader[] | undefined;
  /** Milliseconds since the epoch, UTC. */
  readonly timestamp?: number | undefined;
  readonly rocketmq?: RocketMqAttributes | undefined;
}

/**
 * What of a record goes onto the wire. `properties` is empty or ends with a separator, so that more can be put behind it. It becomes UTF-8 where
 * the bytes go: bytes of its own would cost each record a copy.
 */
export interface OutgoingParts {
  readonly body: Buffer;
  readonly properties: string;
}

/** What of a message is read. */
export interface MessageParts {
  readonly body: Buffer;
  readonly properties: Buffer;
}

/** What came from a message; `headers` is empty if there are none. */
export interface DecodedRecord {
  /** A text stands for its bytes in UTF-8. */
  readonly key: Buffer | string | null | undefined;
  readonly value: Buffer | null;
  readonly headers: readonly MessageHeader[];
  readonly timestamp: number | undefined;
}

/** What distinguishes a record from others, for error messages. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition?: object;
  readonly position?: object;
}

const oneByte = Buffer.from([0]);
const [ZERO, MINUS] = [0x30, 0x2d];
const NO_HEADERS: readonly MessageHeader[] = [];

/**
 * Turns a record into body and properties of a message.
 *
 * - value → body, the same memory; an empty value is a one-byte body with `sluice-empty`, a null value one with `sluice-null`, because
 *   brokers refuse empty bodies
 * - key → `sluice-key`, as text where it is text, else `~` and base64url. A printable key without spaces, of at most 255 characters, is
 *   also in `KEYS`, so that RocketMQ's tools find it. `sluice-null` notes a null key.
 * - RocketMQ's attributes → `TAGS`, `__SHARDINGKEY`, `KEYS`; `sluice-null` notes with `a` that the keys are not the record's
 * - headers → properties of their own names where possible, see header-property.ts; with two or more, `sluice-headers` keeps their order
 * - timestamp → `sluice-ts`
 *
 * @param stamp text of `sluice-p`, see source-stamp.ts
 * @throws {ConnectError} if the record is too large, or a header's key or an attribute is not valid
 */
export function recordToMessage(record: ConvertedRecord, origin: RecordOrigin, stamp?: string): OutgoingParts {
  const { value } = record;
  const body = value === null || value.length === 0 ? oneByte : asBuffer(value);
  if (body.length > maxBodyBytes) {
    throw tooLarge(origin, `its value has ${body.length} bytes, at most ${maxBodyBytes} fit into a message.`);
  }
  const properties = propertiesOf(record, origin, stamp);
  // A UTF-16 unit takes three bytes at most.
  if (properties.length * 3 > MAX_PROPERTIES_BYTES) requireFit(properties, origin);
  return { body, properties };
}

function requireFit(properties: string, origin: RecordOrigin): void {
  const bytes = Buffer.byteLength(properties, 'utf8');
  if (bytes <= MAX_PROPERTIES_BYTES) return;
  throw tooLarge(origin, `its key and headers take ${bytes} bytes as properties, at most ${MAX_PROPERTIES_BYTES} fit into a message.`);
}

/**
 * Turns a message back into a record. Reads messages of other senders as well: `KEYS` is the key if there is no `sluice-key`. Properties of
 * Apache RocketMQ Connect (`connect-ext-…`, `connect.timestamp`) become headers and the timestamp. Omits RocketMQ's own properties, which
 * `MessageAttributes` reads.
 */
export function messageToRecord(message: MessageParts): DecodedRecord {
  const found: Found = { nulls: '', isEmpty: false };
  forEachProperty(message.properties, (name, value) => {
    collect(found, name, value);
  });
  const { key, keys, nulls, isEmpty, properties } = found;
  return {
    key: nulls.includes('k') ? null : (key ?? (nulls.includes('a') ? undefined : keys)),
    value: nulls.includes('v') ? null : isEmpty ? noProperties : message.body,
    headers: properties === undefined ? NO_HEADERS : inOrder(properties, found.order),
    timestamp: found.timestamp,
  };
}

interface Found {
  key?: Buffer | string;
  keys?: string;
  nulls: string;
  isEmpty: boolean;
  timestamp?: number;
  order?: string;
  properties?: Map<string, string>;
}

function collect(found: Found, name: string, value: string): void {
  switch (name) {
    case SluiceProperty.key:
      found.key = unmarkBase64(value) ?? value;
      break;
    case 'KEYS':
      found.keys = value;
      break;
    case SluiceProperty.null:
      found.nulls = value;
      break;
    case SluiceProperty.empty:
      found.isEmpty = true;
      break;
    case SluiceProperty.timestamp:
    case ROCKETMQ_CONNECT_TIMESTAMP: {
      const timestamp = wholeNumber(value);
      if (timestamp !== undefined) found.timestamp = timestamp;
      break;
    }
    case SluiceProperty.headerOrder:
      found.order = value;
      break;
    default:
      if (isHeaderProperty(name)) (found.properties ??= new Map()).set(name, value);
  }
}

/** One text: it costs a third of a list of properties, and every record of a source passes here. */
function propertiesOf(record: ConvertedRecord, origin: RecordOrigin, stamp: string | undefined): string {
  const { key, value, headers, timestamp, rocketmq } = record;
  let text = stamp === undefined ? '' : propertyText(SluiceProperty.stamp, stamp);
  if (rocketmq !== undefined) {
    text += attributesText(rocketmq, (reason) => unsendable(ConnectErrorCode.recordInvalid, origin, reason));
  }
  if (key !== undefined && key !== null) {
    const keyText = keyTextOf(key);
    text += propertyText(SluiceProperty.key, keyText);
    if (rocketmq?.keys === undefined && !keyText.startsWith('~') && isIndexableKey(keyText)) text += propertyText('KEYS', keyText);
  }
  const areKeysOthers = key === undefined && rocketmq?.keys !== undefined && rocketmq.keys.length > 0;
  const nulls = (value === null ? 'v' : '') + (key === null ? 'k' : '') + (areKeysOthers ? 'a' : '');
  if (nulls !== '') text += propertyText(SluiceProperty.null, nulls);
  if (value?.length === 0) text += propertyText(SluiceProperty.empty, '1');
  if (timestamp !== undefined) text += propertyText(SluiceProperty.timestamp, timestampText(timestamp, origin));
  return headers === undefined || headers.length === 0 ? text : text + headersText(headers, origin);
}

function keyTextOf(key: Uint8Array | string): string {
  if (typeof key !== 'string') return bytesToPropertyValue(key);
  return isPlainText(key) ? key : bytesToPropertyValue(Buffer.from(key, 'utf8'));
}

function headersText(headers: readonly MessageHeader[], origin: RecordOrigin): string {
  const occurrences = new Map<string, number>();
  const names: string[] = [];
  let text = '';
  for (const header of headers) {
    const occurrence = (occurrences.get(header.key) ?? 0) + 1;
    occurrences.set(header.key, occurrence);
    const [name, value] = checkedHeaderProperty(header, occurrence, origin);
    names.push(name);
    text += propertyText(name, value);
  }
  return names.length > 1 ? text + propertyText(SluiceProperty.headerOrder, names.join(',')) : text;
}

function checkedHeaderProperty(header: MessageHeader, occurrence: number, origin: RecordOrigin): readonly [string, string] {
  try {
    return headerToProperty(header, occurrence);
  } catch {
    throw unsendable(
      ConnectErrorCode.recordInvalid,
      origin,
      `the key of its header ${JSON.stringify(header.key)} is not well-formed Unicode.`,
    );
  }
}

function timestampText(timestamp: number, origin: RecordOrigin): string {
  if (Number.isSafeInteger(timestamp)) return String(timestamp);
  throw unsendable(
    ConnectErrorCode.recordInvalid,
    origin,
    `its timestamp is ${timestamp}, a timestamp is a whole number of milliseconds since the epoch.`,
  );
}

function inOrder(properties: Map<string, string>, order: string | undefined): readonly MessageHeader[] {
  const headers: MessageHeader[] = [];
  const add = (name: string, value: string): void => {
    headers.push(propertyToHeader(name, value));
  };
  for (const name of order?.split(',') ?? []) {
    const value = properties.get(name);
    if (value === undefined) continue;
    add(name, value);
    properties.delete(name);
  }
  for (const [name, value] of properties) add(name, value);
  return headers;
}

/** By hand, because most messages have a timestamp. */
function wholeNumber(text: string): number | undefined {
  const first = text.charCodeAt(0) === MINUS ? 1 : 0;
  if (first === text.length) return undefined;
  let value = 0;
  for (let at = first; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  if (!Number.isSafeInteger(value)) return undefined;
  return first === 1 ? -value : value;
}

/** Makes the error of a record that is too large for a message. */
export function tooLarge(origin: RecordOrigin, reason: string): ConnectError {
  return unsendable(ConnectErrorCode.recordTooLarge, origin, reason);
}

/** Makes the error of a record that no message can carry. */
export function unsendable(code: ConnectErrorCode, origin: RecordOrigin, reason: string): ConnectError {
  const place = origin.partition === undefined ? '' : ` from ${describePosition(origin.partition)}`;
  const position = origin.position === undefined ? '' : ` before ${describePosition(origin.position)}`;
  return new ConnectError(code, `The record for topic ${origin.topic}${place}${position} cannot be sent: ${reason}`);
}
