import { isUtf8 } from 'node:buffer';
import { StringConverter } from '@sluice/converters';
import { isTraceHeader, type MessageHead, type OutgoingParts, type RawParts, rawToMessage, recordToMessage } from '@sluice/protocol';
import {
  type BytesAndHeaders,
  ConnectError,
  ConnectErrorCode,
  type ConnectRecord,
  type ConnectValue,
  type Converter,
  type MessageHeader,
  type OutgoingValue,
  type RecordHeader,
  type Schema,
} from '@sluice/sdk';
import type { EncodedParts } from '../ports/record-producer.port.js';
import { PartFailure } from '../converters/part-failure.js';
import type { Converters } from '../converters/converter.js';

type ConverterWithHeaders = Converter & Required<Pick<Converter, 'toBytesAndHeaders'>>;

const NO_HEADERS: readonly MessageHeader[] = [];
/** Half a surrogate pair: UTF-8 has no bytes for it. */
const HALF_PAIR = /\p{Surrogate}/u;

/** Turns records of a source into messages. */
export interface RecordEncoder {
  /** Present where a converter has to ask somebody before these records are encoded. */
  readonly prepare?: ((records: readonly ConnectRecord[], signal: AbortSignal) => Promise<void>) | undefined;
  /** Throws when the record cannot be converted, a {@link PartFailure} where a converter could not, or is too large for a message. */
  encode(record: ConnectRecord, stamp: string): EncodedParts;
}

/** Encodes with a connector's converters. */
export class ConvertingEncoder implements RecordEncoder {
  readonly prepare: RecordEncoder['prepare'];

  constructor(private readonly converters: Converters) {
    const { key, value, header } = converters;
    const prepares = [key, value, header].some((converter) => 'prepareToBytes' in converter);
    this.prepare = prepares ? (records, signal) => prepareParts(converters, records, signal) : undefined;
  }

  encode(record: ConnectRecord, stamp: string): OutgoingParts {
    const { key, value, header } = this.converters;
    if (record.raw !== undefined) throw mixedUp('it is raw, and its connector is not one of raw records');
    let headers: readonly MessageHeader[] | undefined;
    if (record.headers !== undefined) headers = messageHeaders(header, record.headers, record.topic);
    const keyPart = keyOf(key, record);
    let bytes: Uint8Array | null;
    if (value.toBytesAndHeaders === undefined) bytes = bytesOf(value, record);
    else ({ bytes, headers } = bytesAndHeadersOf(value as ConverterWithHeaders, record, headers ?? NO_HEADERS));
    return recordToMessage({ key: keyPart, value: bytes, headers, timestamp: record.timestamp, rocketmq: record.rocketmq }, record, stamp);
  }
}

/** Sends the messages of a connector of raw records as they are. */
export class RawEncoder implements RecordEncoder {
  #head: MessageHead | undefined;

  encode(record: ConnectRecord, stamp: string): RawParts {
    const { raw, value, key, headers } = record;
    if (raw === undefined) throw mixedUp('it is not raw, and its connector is one of raw records');
    if (value !== null || key !== undefined || headers !== undefined) {
      throw mixedUp('a raw record has the value null, no key and no headers: they would be lost');
    }
    const parts = rawToMessage(raw, record, stamp, this.#head);
    this.#head = parts.head;
    return parts;
  }
}

function mixedUp(reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.recordInvalid, reason);
}

function bytesOf(converter: Converter, { value, schema, topic }: ConnectRecord): Uint8Array | null {
  try {
    return converter.toBytes(value, schema, topic);
  } catch (error) {
    throw new PartFailure('value', converter, error);
  }
}

function bytesAndHeadersOf(
  converter: ConverterWithHeaders,
  { value, schema, topic }: ConnectRecord,
  headers: readonly MessageHeader[],
): BytesAndHeaders {
  try {
    return converter.toBytesAndHeaders(value, schema, topic, headers);
  } catch (error) {
    throw new PartFailure('value', converter, error);
  }
}

/** A text stays one: it is a property of the message, and its bytes would be made a text again. */
function keyOf(converter: Converter, { key, keySchema, topic }: ConnectRecord): Uint8Array | string | null | undefined {
  if (key === undefined || isText(converter, key)) return key;
  try {
    return converter.toBytes(key, keySchema, topic);
  } catch (error) {
    throw new PartFailure('key', converter, error);
  }
}

async function prepareParts({ key, value, header }: Converters, records: readonly ConnectRecord[], signal: AbortSignal): Promise<void> {
  const keys = records.flatMap(({ topic, key: given, keySchema: schema }) => (given === undefined ? [] : [outgoing(topic, given, schema)]));
  const values = records.map(({ topic, value: given, schema }) => outgoing(topic, given, schema));
  const headers = records.flatMap(({ topic, headers: given }) =>
    listed(given)
      .filter((item) => !isPlain(header, item.value) && !isTraceText(item))
      .map(({ value: item, schema }) => outgoing(topic, item, schema)),
  );
  if (keys.length > 0) await key.prepareToBytes?.(keys, signal);
  if (values.length > 0) await value.prepareToBytes?.(values, signal);
  if (headers.length > 0) await header.prepareToBytes?.(headers, signal);
}

function outgoing(topic: string, value: ConnectValue, schema: Schema | undefined): OutgoingValue {
  return { topic, value, ...(schema === undefined ? undefined : { schema }) };
}

/** Returns whether a header's value needs no converter: bytes and nulls, and texts where headers are plain texts. */
function isPlain(converter: Converter, value: ConnectValue): value is string | Uint8Array | null {
  return value === null || value instanceof Uint8Array || isText(converter, value);
}

/** Returns whether a value is a text that a converter of texts keeps; half a surrogate pair is for the converter to refuse. */
function isText(converter: Converter, value: ConnectValue): value is string {
  return typeof value === 'string' && converter instanceof StringConverter && converter.isUtf8 && !HALF_PAIR.test(value);
}

/** A plugin may return anything: what is no list of headers, or no header, is refused where the record is encoded. */
function listed(headers: ConnectRecord['headers']): readonly RecordHeader[] {
  return Array.isArray(headers) ? (headers as readonly RecordHeader[]).filter(isHeader) : [];
}

function isHeader(header: unknown): header is RecordHeader {
  return typeof header === 'object' && header !== null;
}

/** @returns `undefined` where there is none */
function messageHeaders(
  converter: Converter,
  headers: NonNullable<ConnectRecord['headers']>,
  topic: string,
): readonly MessageHeader[] | undefined {
  if (!Array.isArray(headers)) throw noHeaders(converter, 'the headers of a record are an array', headers);
  if (headers.length === 0) return undefined;
  const converted: MessageHeader[] = [];
  for (const item of headers as readonly RecordHeader[]) {
    if (!isHeader(item)) throw noHeaders(converter, 'a header is an object with key and value', item);
    converted.push({ key: item.key, value: headerValue(converter, item, topic) });
  }
  return converted;
}

function noHeaders(converter: Converter, allowed: string, given: unknown): PartFailure {
  const type = given === null ? 'null' : typeof given;
  const message = `Headers: ${allowed}; the source gave a value of type ${type}`;
  return new PartFailure('header', converter, new ConnectError(ConnectErrorCode.conversionFailed, message));
}

/** The converter makes a text of what is not plain. The context of a trace stays what others read there. */
function headerValue(converter: Converter, header: RecordHeader, topic: string): string | Uint8Array | null {
  const { value } = header;
  if (isPlain(converter, value)) return value;
  if (isTraceText(header)) return header.value;
  try {
    return convertedHeader(converter, header, topic);
  } catch (error) {
    throw new PartFailure('header', converter, error);
  }
}

function isTraceText(header: RecordHeader): header is RecordHeader & { readonly value: string } {
  return typeof header.value === 'string' && isTraceHeader(header.key);
}

function convertedHeader(converter: Converter, { key, value, schema }: RecordHeader, topic: string): string | null {
  const bytes = converter.toBytes(value, schema, topic);
  if (bytes === null) return null;
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  throw new ConnectError(
    ConnectErrorCode.conversionFailed,
    `Header ${JSON.stringify(key)}: the header converter made bytes that are no UTF-8; a header is a text`,
  );
}
