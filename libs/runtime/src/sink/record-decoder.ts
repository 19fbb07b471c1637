import { StringConverter } from '@sluice/converters';
import { type DecodedRecord, isTraceHeader, MessageAttributes, messageToRecord } from '@sluice/protocol';
import type { Converter, MessageHeader, QueueRef, RecordHeader, SchemaAndValue, SinkRecord, ValueAndHeaders } from '@sluice/sdk';
import { PartFailure } from '../converters/part-failure.js';
import type { Converters } from '../converters/converter.js';
import type { RawMessage } from '../ports/queue-messages.port.js';

/** Turns messages into records for a sink. */
export interface RecordDecoder {
  /**
   * Present where a converter has to ask somebody before these messages are decoded. Resolves with what was read of each, from which it is decoded;
   * with `undefined` for one that cannot be read, which fails there.
   */
  readonly prepare?:
    | ((queue: QueueRef, messages: readonly RawMessage[], signal: AbortSignal) => Promise<readonly (DecodedRecord | undefined)[]>)
    | undefined;
  /**
   * Turns a message into a record. Throws when the message cannot be converted; a {@link PartFailure} where a converter could not.
   *
   * @param parts what `prepare` read of it
   */
  decode(queue: QueueRef, message: RawMessage, parts?: DecodedRecord): SinkRecord;
  /** Present where records have their bodies as they are stored: nothing decompresses them. */
  readonly takesStored?: true;
}

/** Hands messages to a sink of raw records as they are stored: views on the answer of the broker. */
export class RawDecoder implements RecordDecoder {
  readonly takesStored = true;

  decode(queue: QueueRef, message: RawMessage): SinkRecord {
    const { rawProperties: properties, flag = 0, bornTimestamp: bornAt, storeTimestamp: storedAt, compressed } = message;
    const { body, sysFlag } = compressed ?? { body: message.body, sysFlag: 0 };
    return {
      topic: queue.topic,
      value: null,
      timestamp: bornAt,
      rocketmq: new MessageAttributes(properties, bornAt),
      raw: { body, properties, flag, sysFlag, bornAt, storedAt },
      queue,
      offset: message.queueOffset,
    };
  }
}

type ConverterWithHeaders = Converter & Required<Pick<Converter, 'fromBytesAndHeaders'>>;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Decodes with a connector's converters. A record without a timestamp of its own has the message's. */
export class ConvertingDecoder implements RecordDecoder {
  readonly prepare: RecordDecoder['prepare'];

  constructor(private readonly converters: Converters) {
    const { key, value, header } = converters;
    const prepares = [key, value, header].some((converter) => 'prepareFromBytes' in converter);
    this.prepare = prepares ? ({ topic }, messages, signal) => prepareParts(converters, topic, messages, signal) : undefined;
  }

  decode(queue: QueueRef, message: RawMessage, decoded = partsOf(message)): SinkRecord {
    const { key: keyConverter, value: valueConverter, header: headerConverter } = this.converters;
    let { headers } = decoded;
    let read: SchemaAndValue;
    if (valueConverter.fromBytesAndHeaders === undefined) read = valueOf(valueConverter, decoded.value, queue.topic);
    else {
      const all = valueAndHeadersOf(valueConverter as ConverterWithHeaders, decoded, queue.topic);
      read = all;
      headers = all.headers;
    }
    const { value, schema } = read;
    const key = decoded.key === undefined ? undefined : keyOf(keyConverter, decoded.key, queue.topic);
    // Fields that are set one by one cost a third of objects that are spread, and every record of a sink passes here.
    const record: Mutable<SinkRecord> = {
      topic: queue.topic,
      value,
      timestamp: decoded.timestamp ?? message.bornTimestamp,
      rocketmq: new MessageAttributes(message.rawProperties, message.bornTimestamp),
      queue,
      offset: message.queueOffset,
    };
    if (schema !== undefined) record.schema = schema;
    if (key !== undefined) record.key = key.value;
    if (key?.schema !== undefined) record.keySchema = key.schema;
    if (headers.length > 0) record.headers = headers.map((header) => recordHeader(headerConverter, header, queue.topic));
    return record;
  }
}

function valueOf(converter: Converter, bytes: Buffer | null, topic: string): SchemaAndValue {
  try {
    return converter.fromBytes(bytes, topic);
  } catch (error) {
    throw new PartFailure('value', converter, error);
  }
}

function valueAndHeadersOf(converter: ConverterWithHeaders, { value, headers }: DecodedRecord, topic: string): ValueAndHeaders {
  try {
    return converter.fromBytesAndHeaders(value, topic, headers);
  } catch (error) {
    throw new PartFailure('value', converter, error);
  }
}

/** A text stays one for a converter of texts. */
function keyOf(converter: Converter, key: Buffer | string | null, topic: string): SchemaAndValue {
  try {
    if (typeof key !== 'string') return converter.fromBytes(key, topic);
    return converter instanceof StringConverter && converter.isUtf8
      ? converter.fromText(key)
      : converter.fromBytes(Buffer.from(key, 'utf8'), topic);
  } catch (error) {
    throw new PartFailure('key', converter, error);
  }
}

async function prepareParts(
  { key, value, header }: Converters,
  topic: string,
  messages: readonly RawMessage[],
  signal: AbortSignal,
): Promise<readonly (DecodedRecord | undefined)[]> {
  const parts = messages.map(readable);
  const decoded = parts.filter((each) => each !== undefined);
  const keys = decoded.flatMap(({ key: bytes }) => (bytes === undefined ? [] : [{ topic, bytes }]));
  const values = decoded.map(({ value: bytes }) => ({ topic, bytes }));
  const headers = decoded.flatMap(({ headers: all }) =>
    all.flatMap(({ key: name, value: text }) =>
      typeof text === 'string' && !isTraceHeader(name) ? [{ topic, bytes: Buffer.from(text, 'utf8') }] : [],
    ),
  );
  if (keys.length > 0) await key.prepareFromBytes?.(keys, signal);
  if (values.length > 0) await value.prepareFromBytes?.(values, signal);
  if (headers.length > 0) await header.prepareFromBytes?.(headers, signal);
  return parts;
}

function partsOf({ body, rawProperties }: RawMessage): DecodedRecord {
  return messageToRecord({ body, properties: rawProperties });
}

/**
 * Returns the parts with the bytes that a converter is asked about. Returns `undefined` for a message whose body or properties cannot be read: it fails
 * where it is decoded.
 */
function readable(message: RawMessage): (DecodedRecord & { readonly key: Buffer | null | undefined }) | undefined {
  try {
    const { key, ...parts } = partsOf(message);
    return { ...parts, key: typeof key === 'string' ? Buffer.from(key, 'utf8') : key };
  } catch {
    return undefined;
  }
}

function recordHeader(converter: Converter, { key, value }: MessageHeader, topic: string): RecordHeader {
  // The context of a trace is a text in whatever form a converter expects others: messages of any producer may carry it.
  if (typeof value !== 'string' || isTraceHeader(key)) return { key, value };
  try {
    const converted = converter.fromBytes(Buffer.from(value, 'utf8'), topic);
    return { key, value: converted.value, ...(converted.schema === undefined ? undefined : { schema: converted.schema }) };
  } catch (error) {
    throw new PartFailure('header', converter, error);
  }
}
