import { isUtf8 } from 'node:buffer';
import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { JsonNumber } from '../json/json-number.js';
import type { ConnectValue } from './connect-value.js';
import { Decimal } from './decimal.js';
import { dateToNumber, LogicalType, logicalTypeOf, numberToDate, scaleOf } from './logical-type.js';
import { type Schema, SchemaType } from './schema.js';

/** A value of any type but array, map and struct. */
export type ScalarValue = boolean | number | bigint | string | Uint8Array | Date | Decimal;

const BITS = { [SchemaType.int8]: 8, [SchemaType.int16]: 16, [SchemaType.int32]: 32, [SchemaType.int64]: 64 } as const;
type IntegerType = keyof typeof BITS;

const MAX_FLOAT32 = 3.4028234663852886e38;

/**
 * Returns a value in the one form that records have for its type, see `ConnectValue`; a {@link Decimal} has the schema's scale.
 *
 * - Takes other forms only where they are exact: a safe integer for int64, the number that holds a date, UTF-8 bytes for a string.
 * - A Decimal may be a whole number or a `JsonNumber`; a float may be a bigint or a `JsonNumber`.
 * - The schema must be valid, and of no array, map or struct.
 *
 * @param path where the value is, for errors
 * @throws ConnectError naming the path, what was given and what is allowed
 */
export function scalarOf(schema: Schema, value: ConnectValue, path: string): ScalarValue {
  switch (schema.type) {
    case SchemaType.int8:
    case SchemaType.int16:
    case SchemaType.int32:
    case SchemaType.int64:
      return schema.name === undefined ? integer(schema.type, value, path) : namedInteger(schema.type, schema.name, value, path);
    case SchemaType.float32:
    case SchemaType.float64:
      return float(schema.type, value, path);
    case SchemaType.boolean:
      if (typeof value === 'boolean') return value;
      throw refusal(path, value, 'boolean allows true and false');
    case SchemaType.string:
      if (typeof value === 'string') return value;
      if (value instanceof Uint8Array && isUtf8(value)) {
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
      }
      throw refusal(path, value, 'string allows texts, and bytes that are UTF-8');
    case SchemaType.bytes:
      if (schema.name !== undefined && logicalTypeOf(schema.name) === LogicalType.decimal) return decimal(schema, value, path);
      if (value instanceof Uint8Array) return value;
      throw refusal(path, value, 'bytes allows a Uint8Array');
    case SchemaType.array:
    case SchemaType.map:
    case SchemaType.struct:
      throw new TypeError(`${path}: ${schema.type} is no scalar`);
    default:
      return schema.type satisfies never;
  }
}

/** Describes a value in an error: numbers by their digits, everything else by its kind, because contents may be secret. */
export function describeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (value === null) return 'null';
  if (value instanceof JsonNumber) return value.text;
  const { constructor } = value as { readonly constructor?: { readonly name: string } };
  return `a value of class ${constructor?.name ?? 'Object'}`;
}

export function refusal(path: string, given: unknown, allowed: string): ConnectError {
  return new ConnectError(ConnectErrorCode.recordInvalid, `${path}: ${describeValue(given)} given; ${allowed}`);
}

function integer(type: IntegerType, value: ConnectValue, path: string): number | bigint {
  const bits = BITS[type];
  if (bits === 64) {
    if (typeof value === 'bigint' && BigInt.asIntN(bits, value) === value) return value;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
    throw refusal(path, value, 'int64 allows bigints of 64 bits, and whole numbers within 2^53');
  }
  const limit = 2 ** (bits - 1);
  if (typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit) return value === 0 ? 0 : value;
  if (typeof value === 'bigint' && BigInt.asIntN(bits, value) === value) return Number(value);
  throw refusal(path, value, `${type} allows whole numbers from ${-limit} to ${limit - 1}`);
}

function namedInteger(type: IntegerType, name: string, value: ConnectValue, path: string): number | bigint | Date {
  const logical = logicalTypeOf(name);
  if (logical === undefined) return integer(type, value, path);
  if (!(value instanceof Date)) {
    if (typeof value !== 'number' && typeof value !== 'bigint') throw refusal(path, value, `${name} allows a Date, and its ${type}`);
    return numberToDate(integer(type, value, path), logical, path);
  }
  integer(type, dateToNumber(value, logical, path), path);
  return value;
}

function float(type: SchemaType, value: ConnectValue, path: string): number {
  const number = typeof value === 'bigint' || value instanceof JsonNumber ? Number(value) : value;
  if (typeof number !== 'number') throw refusal(path, value, `${type} allows numbers`);
  if (typeof value !== 'number' && !Number.isFinite(number)) throw refusal(path, value, `${type} allows what a double can hold`);
  // A number beyond the largest float may still stand for it, as the 3.4028235E38 that Java writes.
  if (type === SchemaType.float32 && Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
    throw refusal(path, value, `float32 allows numbers from -${MAX_FLOAT32} to ${MAX_FLOAT32}`);
  }
  return number;
}

function decimal(schema: Schema, value: ConnectValue, path: string): Decimal {
  const scale = scaleOf(schema) ?? 0;
  const given = value instanceof JsonNumber ? Decimal.parse(value.text) : isWhole(value) ? new Decimal(BigInt(value), 0) : value;
  if (!(given instanceof Decimal)) {
    throw refusal(
      path,
      value,
      'Decimal allows a Decimal, a JsonNumber, bigints and whole numbers within 2^53: other numbers have no exact digits',
    );
  }
  try {
    return given.withScale(scale);
  } catch (error) {
    throw new ConnectError(ConnectErrorCode.recordInvalid, `${path}: ${(error as Error).message}`, { cause: error });
  }
}

function isWhole(value: ConnectValue): value is bigint | number {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
}
