import {
  type ConnectValue,
  Decimal,
  JsonNumber,
  LogicalType,
  logicalTypeOf,
  scalarOf,
  dateToNumber,
  type Schema,
  SchemaType,
} from '@sluice/sdk';
import { kindOf } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import { doubleText, jsonNumberText, narrowed, parseFloating, parseInteger, type RecordNumber, toFloat32 } from '../java/java-numbers.js';

/** The types that values are cast to. */
export const CAST_TYPES = [
  SchemaType.int8,
  SchemaType.int16,
  SchemaType.int32,
  SchemaType.int64,
  SchemaType.float32,
  SchemaType.float64,
  SchemaType.boolean,
  SchemaType.string,
] as const;
export type CastType = (typeof CAST_TYPES)[number];

const BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const;
const DAY_MS = 86_400_000;

/**
 * Casts a value to a type, as Kafka Connect does with one of Java; null stays null.
 *
 * @param schema of the value; without one its form says the type: a whole number is an int64, any other a float64
 * @throws ConnectError for a value that has no such form
 */
export function castValue(schema: Schema | undefined, value: ConnectValue, target: CastType): ConnectValue {
  if (value === null) return null;
  if (schema !== undefined && isStructured(schema.type)) throw unsupported(schema.type);
  const given = schema === undefined ? value : scalarOf(schema, value, 'value');
  if (target === SchemaType.string) return textOf(given, schema);
  const plain = given instanceof Date ? numberOf(given, schema) : schema?.type === SchemaType.float32 ? Math.fround(Number(given)) : given;
  if (typeof plain === 'string') return fromText(plain, target);
  if (typeof plain === 'boolean') return fromBoolean(plain, target);
  if (!isNumber(plain)) throw unsupported(kindOf(plain, schema));
  return fromNumber(plain, target, schema === undefined ? undefined : isFloating(schema.type));
}

function isStructured(type: SchemaType): boolean {
  return type === SchemaType.array || type === SchemaType.map || type === SchemaType.struct;
}

function isNumber(value: ConnectValue): value is RecordNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal || value instanceof JsonNumber;
}

function numberOf(date: Date, schema: Schema | undefined): number {
  const logical = logicalTypeOf(schema?.name);
  if (logical === undefined) throw unsupported('Date');
  return dateToNumber(date, logical, 'value');
}

function fromText(text: string, target: Exclude<CastType, 'string'>): ConnectValue {
  if (target === SchemaType.boolean) return text.toLowerCase() === 'true';
  if (target === SchemaType.float32 || target === SchemaType.float64) {
    const double = parseFloating(text);
    if (double === undefined) throw outOfRange(target);
    return target === SchemaType.float32 ? toFloat32(double) : double;
  }
  const value = parseInteger(text, BITS[target]);
  if (value === undefined) throw outOfRange(target);
  return target === SchemaType.int64 ? value : Number(value);
}

function fromBoolean(value: boolean, target: Exclude<CastType, 'string'>): ConnectValue {
  if (target === SchemaType.boolean) return value;
  const number = value ? 1 : 0;
  return target === SchemaType.int64 ? BigInt(number) : number;
}

function fromNumber(value: RecordNumber, target: Exclude<CastType, 'string'>, isDouble: boolean | undefined): ConnectValue {
  switch (target) {
    case SchemaType.boolean:
      return narrowed(value, 64, isDouble) !== 0n;
    case SchemaType.float32:
      return toFloat32(Number(value));
    case SchemaType.float64:
      return Number(value);
    case SchemaType.int64:
      return narrowed(value, 64, isDouble);
    case SchemaType.int8:
    case SchemaType.int16:
    case SchemaType.int32:
      return Number(narrowed(value, BITS[target], isDouble));
    default:
      return target satisfies never;
  }
}

function textOf(value: ConnectValue, schema: Schema | undefined): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (value instanceof Date) return dateText(value, schema);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof JsonNumber) return jsonNumberText(value);
  if (typeof value !== 'number') throw unsupported(kindOf(value, schema));
  const isFloat = schema === undefined ? !Number.isSafeInteger(value) : isFloating(schema.type);
  if (!isFloat) return String(value);
  return doubleText(schema?.type === SchemaType.float32 ? toFloat32(value) : value);
}

function isFloating(type: SchemaType): boolean {
  return type === SchemaType.float32 || type === SchemaType.float64;
}

/** As Kafka Connect writes a date, but before 1970 by the type of its schema: Kafka Connect writes the time of day alone there. */
function dateText(date: Date, schema: Schema | undefined): string {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw unfit('Cast transformation was passed an invalid date');
  const text = date.toISOString();
  const [day = '', time = ''] = text.split('T');
  const logical = logicalTypeOf(schema?.name);
  if (ms < 0) return logical === LogicalType.date ? day : text;
  if (ms < DAY_MS) return time;
  return ms % DAY_MS === 0 ? day : text;
}

function unsupported(kind: string): Error {
  const allowed = [...CAST_TYPES, SchemaType.bytes].join(', ');
  return unfit(`Cast transformation does not support casting from ${kind}; supported types are ${allowed}, bytes to string alone`);
}

function outOfRange(target: CastType): Error {
  return unfit(`The text was out of range for requested data type ${target}, or is no number`);
}
