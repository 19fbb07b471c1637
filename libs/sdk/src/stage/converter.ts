import type { FieldError } from '../config/config-fields.js';
import type { RawConfig } from '../config/parse-config.js';
import type { ConnectValue } from '../schema/connect-value.js';
import type { Schema } from '../schema/schema.js';
import type { PluginDescription } from '../plugin.js';

export interface SchemaAndValue {
  readonly value: ConnectValue;
  readonly schema?: Schema;
}

/** A value on its way to bytes, with the topic of its record. */
export interface OutgoingValue extends SchemaAndValue {
  readonly topic: string;
}

/** Bytes on their way to a value, with the topic of their message. */
export interface IncomingBytes {
  readonly topic: string;
  readonly bytes: Buffer | null;
}

/** A header as a message holds it: texts are texts, everything else is bytes. */
export interface MessageHeader {
  readonly key: string;
  readonly value: string | Uint8Array | null;
}

/** What a converter makes of a value that it writes into headers too. */
export interface BytesAndHeaders {
  readonly bytes: Uint8Array | null;
  /** All headers of the message, in order. */
  readonly headers: readonly MessageHeader[];
}

/** What a converter makes of bytes and headers. */
export interface ValueAndHeaders extends SchemaAndValue {
  /** The headers that are left for the record; the converter of headers reads them. */
  readonly headers: readonly MessageHeader[];
}

/** Turns one part of a record (key, value or a header's value) into bytes and back. */
export interface Converter {
  /**
   * Asks others, such as a schema registry, for what these values need; {@link toBytes} is called for each of them afterwards. What is wrong
   * with one value is for `toBytes` to throw. An error marked `retriable` repeats the call after a backoff; any other fails the task.
   */
  prepareToBytes?(values: readonly OutgoingValue[], signal: AbortSignal): Promise<void>;

  /** Returns the bytes of a value; `null` stays `null`. @throws ConnectError with code `CONNECT_CONVERSION_FAILED` */
  toBytes(value: ConnectValue, schema: Schema | undefined, topic: string): Uint8Array | null;

  /**
   * Returns the bytes of a record's value, and the headers of its message. The runtime calls it for values in place of {@link toBytes} where a
   * converter has it; keys and headers have only `toBytes`.
   *
   * @param headers those that the converter of headers made
   * @throws ConnectError with code `CONNECT_CONVERSION_FAILED`
   */
  toBytesAndHeaders?(value: ConnectValue, schema: Schema | undefined, topic: string, headers: readonly MessageHeader[]): BytesAndHeaders;

  /** The same as {@link prepareToBytes}, before {@link fromBytes}. */
  prepareFromBytes?(messages: readonly IncomingBytes[], signal: AbortSignal): Promise<void>;

  /** Returns the value of bytes; `null` stays `null`. @throws ConnectError with code `CONNECT_CONVERSION_FAILED` */
  fromBytes(bytes: Buffer | null, topic: string): SchemaAndValue;

  /** The same as {@link toBytesAndHeaders}, in place of {@link fromBytes}. @param headers all headers of the message */
  fromBytesAndHeaders?(bytes: Buffer | null, topic: string, headers: readonly MessageHeader[]): ValueAndHeaders;
}

/** What of a record a converter is for; of headers, their values. */
export type RecordPart = 'key' | 'value' | 'header';

/** A converter that connectors can name. */
export interface ConverterPlugin extends PluginDescription {
  readonly kind: 'converter';
  /** Finds what is wrong with settings that each fit the `spec`, for a part of records; fields have no prefix here. */
  readonly validate?: (settings: RawConfig, part?: RecordPart) => readonly FieldError[];
  /** Makes one for a part of a connector's records. Settings that it does not know are ignored. @throws ConfigError */
  readonly create: (settings: RawConfig, part: RecordPart) => Converter;
}
