import type { ConnectValue } from './connect-value.js';
import { Decimal } from './decimal.js';
import { LogicalType, SCALE_PARAMETER, scaleOf } from './logical-type.js';
import { type Schema, SchemaType } from './schema.js';
import { isConnectArray } from './value-parts.js';

/** Each holds those before it, as in Kafka Connect's `Values`; an int64 in a float may lose digits. */
const NUMBERS: readonly SchemaType[] = [
  SchemaType.int8,
  SchemaType.int16,
  SchemaType.int32,
  SchemaType.int64,
  SchemaType.float32,
  SchemaType.float64,
];

/** Returns the schema that holds values of all schemas; `undefined` where there is none. Values without a schema are left out. */
export function commonSchema(schemas: readonly (Schema | undefined)[]): Schema | undefined {
  let common: Schema | undefined;
  for (const schema of schemas) {
    if (schema === undefined) continue;
    common = common === undefined ? schema : merged(common, schema);
    if (common === undefined) return undefined;
  }
  return common;
}

/** Returns a value in the form that a schema of {@link commonSchema} has. */
export function withSchema(value: ConnectValue, schema: Schema): ConnectValue {
  const { type, valueSchema } = schema;
  if (type === SchemaType.int64) return typeof value === 'number' && schema.name === undefined ? BigInt(value) : value;
  if (type === SchemaType.float32) return Math.fround(Number(value));
  if (type === SchemaType.float64) return Number(value);
  if (value instanceof Decimal) return value.withScale(scaleOf(schema) ?? value.scale);
  if (isConnectArray(value)) return valueSchema === undefined ? value : value.map((item) => withSchema(item, valueSchema));
  return type === SchemaType.map ? mapWithSchema(value, schema) : value;
}

function mapWithSchema(value: ConnectValue, { keySchema, valueSchema }: Schema): ConnectValue {
  if (keySchema === undefined || valueSchema === undefined || typeof value !== 'object' || value === null) return value;
  if (!(value instanceof Map)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSchema(item as ConnectValue, valueSchema)]));
  }
  const pairs = [...(value as ReadonlyMap<ConnectValue, ConnectValue>)];
  return new Map(pairs.map(([key, item]) => [withSchema(key, keySchema), withSchema(item, valueSchema)]));
}

function merged(one: Schema, other: Schema): Schema | undefined {
  if (one.name === LogicalType.decimal && other.name === LogicalType.decimal) {
    const scale = Math.max(scaleOf(one) ?? 0, scaleOf(other) ?? 0);
    return { ...one, parameters: { [SCALE_PARAMETER]: String(scale) } };
  }
  if (one.name !== other.name) return undefined;
  if (one.type !== other.type) {
    const [own, others] = [NUMBERS.indexOf(one.type), NUMBERS.indexOf(other.type)];
    return own < 0 || others < 0 ? undefined : own > others ? one : other;
  }
  if (one.type !== SchemaType.array && one.type !== SchemaType.map) return one;
  const valueSchema = commonSchema([one.valueSchema, other.valueSchema]);
  const keySchema = commonSchema([one.keySchema, other.keySchema]);
  if (valueSchema === undefined || (one.type === SchemaType.map && keySchema === undefined)) return undefined;
  return { type: one.type, valueSchema, ...(keySchema === undefined ? undefined : { keySchema }) };
}
