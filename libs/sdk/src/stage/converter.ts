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

/** Turns one part of a record (key, value or a header's value) into bytes and back. */
export interface Converter {
  /**
   * Asks others, such as a schema registry, for what these values need; {@link toBytes} is called for each of them afterwards. What is wrong
   * with one value is for `toBytes` to throw. An error marked `retriable` repeats the call after a backoff; any other fails the task.
   */
  prepareToBytes?(values: readonly OutgoingValue[], signal: AbortSignal): Promise<void>;

  /** Returns the bytes of a value; `null` stays `null`. @throws ConnectError with code `CONNECT_CONVERSION_FAILED` */
  toBytes(value: ConnectValue, schema: Schema | undefined, topic: string): Uint8Array | null;

  /** The same as {@link prepareToBytes}, before {@link fromBytes}. */
  prepareFromBytes?(messages: readonly IncomingBytes[], signal: AbortSignal): Promise<void>;

  /** Returns the value of bytes; `null` stays `null`. @throws ConnectError with code `CONNECT_CONVERSION_FAILED` */
  fromBytes(bytes: Buffer | null, topic: string): SchemaAndValue;
}

/** What of a record a converter is for; of headers, their values. */
export type RecordPart = 'key' | 'value' | 'header';

/** A converter that connectors can name. */
export interface ConverterPlugin extends PluginDescription {
  readonly kind: 'converter';
  /** Finds what is wrong with settings that each fit the `spec`; fields have no prefix here. */
  readonly validate?: (settings: RawConfig) => readonly FieldError[];
  /** Makes one for a part of a connector's records. Settings that it does not know are ignored. @throws ConfigError */
  readonly create: (settings: RawConfig, part: RecordPart) => Converter;
}
