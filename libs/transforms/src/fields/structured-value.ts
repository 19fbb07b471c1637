import { type ConnectObject, type ConnectValue, Decimal, isConnectObject, JsonNumber, type Schema, SchemaType } from '@sluice/sdk';
import { unfit } from './transform-error.js';

/** The fields of a struct or of a map with string keys, while a transform fills them. */
export type FieldsInMaking = Record<string, ConnectValue>;

/**
 * Returns a value as an object with fields: a struct where it has a schema, else a map with string keys.
 *
 * @param purpose what the transform does, for errors
 * @throws ConnectError for anything else, null included
 */
export function requireFields(value: ConnectValue, schema: Schema | undefined, purpose: string): ConnectObject {
  const isFit = isConnectObject(value) && (schema === undefined || schema.type === SchemaType.struct);
  if (isFit) return value;
  const allowed = schema === undefined ? 'Only Map objects supported in absence of schema' : 'Only Struct objects supported';
  throw unfit(`${allowed} for [${purpose}], found: ${kindOf(value, schema)}`);
}

/** Sets a field of an object in the making, whatever its name is. */
export function setField(target: FieldsInMaking, name: string, value: ConnectValue): void {
  // An assignment would set the prototype.
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** Returns a field of a value without a schema; `undefined` where it is not there. */
export function ownField(value: ConnectObject, name: string): ConnectValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/**
 * Returns what a field of a struct holds: the default where the field is left out, and where it is null if `replacesNull`.
 */
export function structField(value: ConnectObject, name: string, schema: Schema, replacesNull: boolean): ConnectValue {
  const given = ownField(value, name);
  if (given === undefined) return schema.default ?? null;
  return given === null && replacesNull ? (schema.default ?? null) : given;
}

/** Says what a value is, for errors; never the value itself. */
export function kindOf(value: ConnectValue, schema?: Schema): string {
  if (value === null) return 'null';
  if (schema !== undefined) return schema.type;
  if (value instanceof Date) return 'Date';
  if (value instanceof Decimal) return 'Decimal';
  if (value instanceof JsonNumber) return 'number';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Map) return 'a Map with keys that are no strings';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'map' : typeof value;
}
