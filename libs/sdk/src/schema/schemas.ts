import { type Schema, type SchemaField, SchemaType } from './schema.js';

/** Schemas of plain values, shared so that records need not carry copies. */
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
  /** Days since the epoch. */
  date: { type: SchemaType.int32, name: 'org.apache.kafka.connect.data.Date', version: 1 },
  /** Milliseconds since midnight. */
  time: { type: SchemaType.int32, name: 'org.apache.kafka.connect.data.Time', version: 1 },
  /** Milliseconds since the epoch, UTC. */
  timestamp: { type: SchemaType.int64, name: 'org.apache.kafka.connect.data.Timestamp', version: 1 },
} as const satisfies Readonly<Record<string, Schema>>;

/** Returns the schema with `null` allowed. */
export function optionalSchema(schema: Schema): Schema {
  return schema.optional === true ? schema : { ...schema, optional: true };
}

export function arraySchema(valueSchema: Schema): Schema {
  return { type: SchemaType.array, valueSchema };
}

export function mapSchema(keySchema: Schema, valueSchema: Schema): Schema {
  return { type: SchemaType.map, keySchema, valueSchema };
}

/** Makes a struct with its fields in the order given. */
export function structSchema(name: string, fields: Readonly<Record<string, Schema>>): Schema {
  const list: SchemaField[] = Object.entries(fields).map(([field, schema]) => ({ name: field, schema }));
  return { type: SchemaType.struct, name, fields: list };
}

/** Makes the schema of a decimal: an unscaled integer in big-endian bytes, with `scale` digits after the point. */
export function decimalSchema(scale: number): Schema {
  return {
    type: SchemaType.bytes,
    name: 'org.apache.kafka.connect.data.Decimal',
    version: 1,
    parameters: { scale: String(scale) },
  };
}
