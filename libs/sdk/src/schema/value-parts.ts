import { JsonNumber } from '../json/json-number.js';
import type { ConnectObject, ConnectValue } from './connect-value.js';
import { Decimal } from './decimal.js';
import { refusal } from './scalar-value.js';
import { type Schema, SchemaType } from './schema.js';

/** Returns whether a value is an object with fields: a struct, or a map with string keys. */
export function isConnectObject(value: ConnectValue | undefined): value is ConnectObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date) &&
    !(value instanceof Map) &&
    !(value instanceof Set) &&
    !(value instanceof Decimal) &&
    !(value instanceof JsonNumber)
  );
}

export function isConnectArray(value: ConnectValue | undefined): value is readonly ConnectValue[] {
  return Array.isArray(value);
}

/** @throws ConnectError when the value is no array */
export function arrayItems(value: ConnectValue, path: string): readonly ConnectValue[] {
  if (isConnectArray(value)) return value;
  throw refusal(path, value, 'array allows arrays');
}

/** @throws ConnectError when the value is no plain object, or has a field that the schema has not */
export function structOf(schema: Schema, value: ConnectValue, path: string): Readonly<Record<string, ConnectValue | undefined>> {
  if (!isConnectObject(value)) throw refusal(path, value, 'struct allows an object with fields');
  const fields = schema.fields ?? [];
  let known = 0;
  for (const { name } of fields) if (Object.hasOwn(value, name)) known += 1;
  const names = Object.keys(value);
  if (names.length === known) return value;
  const unknown = names.find((name) => !fields.some((field) => field.name === name));
  throw refusal(`${path}.${unknown}`, value[unknown ?? ''], `the schema has ${fields.map(({ name }) => name).join(', ') || 'no fields'}`);
}

/** Returns whether maps of this schema are plain objects; others are instances of `Map`. */
export function isObjectMap(schema: Schema): boolean {
  return schema.keySchema?.type === SchemaType.string;
}

/** @throws ConnectError when the value is no plain object */
export function objectMapOf(value: ConnectValue, path: string): Readonly<Record<string, ConnectValue | undefined>> {
  if (isConnectObject(value)) return value;
  throw refusal(path, value, 'a map with string keys allows a plain object');
}

/** @throws ConnectError when the value is no `Map` */
export function mapOf(schema: Schema, value: ConnectValue, path: string): ReadonlyMap<ConnectValue, ConnectValue> {
  if (value instanceof Map) return value as ReadonlyMap<ConnectValue, ConnectValue>;
  throw refusal(path, value, `a map with ${schema.keySchema?.type} keys allows a Map`);
}
