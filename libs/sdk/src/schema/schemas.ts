import { LogicalType } from './logical-type.js';
import { type Schema, SchemaType } from './schema.js';

/** Schemas of plain values, shared so that records need not carry copies. A `SchemaBuilder` makes all others. */
export const schemas = {
  int8: { type: SchemaType.int8 },
  int16: { type: SchemaType.int16 },
  int32: { type: SchemaType.int32 },
  int64: { type: SchemaType.int64 },
  float32: { type: SchemaType.float32 },
  float64: { type: SchemaType.float64 },
  boolean: { type: SchemaType.boolean },
  string: { type: SchemaType.string },
  bytes: { type: SchemaType.bytes },
  /** A day, as the `Date` of its midnight in UTC. */
  date: { type: SchemaType.int32, name: LogicalType.date, version: 1 },
  /** A time of day, as a `Date` on 1970-01-01 in UTC. */
  time: { type: SchemaType.int32, name: LogicalType.time, version: 1 },
  /** A moment, in milliseconds. */
  timestamp: { type: SchemaType.int64, name: LogicalType.timestamp, version: 1 },
} as const satisfies Readonly<Record<string, Schema>>;
