import type { ConnectValue } from './connect-value.js';

/** Kinds of values, as in Kafka Connect and OpenMessaging Connect. */
export const SchemaType = {
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float32: 'float32',
  float64: 'float64',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
  array: 'array',
  map: 'map',
  struct: 'struct',
} as const;
export type SchemaType = (typeof SchemaType)[keyof typeof SchemaType];

export interface SchemaField {
  readonly name: string;
  readonly schema: Schema;
}

/**
 * Describes a value. `name` with `version` marks a logical type, for example a timestamp kept in an int64. Records share schemas:
 * a connector makes one once, with a `SchemaBuilder`, and never changes it.
 */
export interface Schema {
  readonly type: SchemaType;
  /** Whether `null` is allowed. */
  readonly optional?: boolean;
  /** What a field means that a struct leaves out. Converters also put it in the place of a `null`. */
  readonly default?: ConnectValue;
  readonly name?: string;
  readonly version?: number;
  readonly doc?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of a struct. */
  readonly fields?: readonly SchemaField[];
  /** Of a map. */
  readonly keySchema?: Schema;
  /** Of a map or an array. */
  readonly valueSchema?: Schema;
}
