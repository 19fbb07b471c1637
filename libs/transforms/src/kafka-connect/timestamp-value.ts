import { type ConnectValue, LogicalType, logicalTypeOf, scalarOf, type Schema, schemas, SchemaType } from '@sluice/sdk';
import { kindOf } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';
import type { JavaDateFormat } from '../java/java-date-format.js';

export const TIMESTAMP_TYPES = ['string', 'unix', 'Date', 'Time', 'Timestamp'] as const;
export type TimestampType = (typeof TIMESTAMP_TYPES)[number];

export const UNIX_PRECISIONS = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'] as const;
export type UnixPrecision = (typeof UNIX_PRECISIONS)[number];

const DAY_MS = 86_400_000n;
const MAX_LONG = 2n ** 63n - 1n;
const MIN_LONG = -(2n ** 63n);
/** JavaScript has no dates beyond it, either side of the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000n;
/** How many units there are in a millisecond, or milliseconds in a unit. */
const PER_MS = { milliseconds: 1n, microseconds: 1000n, nanoseconds: 1_000_000n } as const;
const SECOND_MS = 1000n;

export interface TimestampConversion {
  readonly target: TimestampType;
  readonly precision: UnixPrecision;
  /** How texts are read and written; without one there are none. */
  readonly format: JavaDateFormat | undefined;
}

/** Returns the schema of converted timestamps. */
export function timestampSchema(target: TimestampType, isOptional: boolean): Schema {
  const schema = { string: schemas.string, unix: schemas.int64, Date: schemas.date, Time: schemas.time, Timestamp: schemas.timestamp }[
    target
  ];
  return isOptional ? OPTIONAL[target] : schema;
}

const OPTIONAL: Readonly<Record<TimestampType, Schema>> = {
  string: { ...schemas.string, optional: true },
  unix: { ...schemas.int64, optional: true },
  Date: { ...schemas.date, optional: true },
  Time: { ...schemas.time, optional: true },
  Timestamp: { ...schemas.timestamp, optional: true },
};

/**
 * Converts a timestamp; null stays null. What a millisecond does not hold is cut off, as in Kafka Connect.
 *
 * @param schema of the value; without one a whole number is a Unix time
 * @throws ConnectError for a value that is no timestamp
 */
export function convertTimestamp(value: ConnectValue, schema: Schema | undefined, conversion: TimestampConversion): ConnectValue {
  if (schema !== undefined) requireTimestamp(schema);
  if (value === null) return null;
  const given = schema === undefined ? value : scalarOf(schema, value, 'timestamp');
  return fromMs(msOf(given, conversion), schema !== undefined, conversion);
}

function requireTimestamp({ type, name }: Schema): void {
  const logical = logicalTypeOf(name);
  if (logical !== undefined && logical !== LogicalType.decimal) return;
  if (type === SchemaType.string || type === SchemaType.int64) return;
  const what = name === undefined ? type : `${type} named ${name}`;
  throw unfit(`Schema ${what} does not correspond to a known timestamp type format; allowed are string, int64, Date, Time and Timestamp`);
}

function msOf(value: ConnectValue, { precision, format }: TimestampConversion): bigint {
  if (value instanceof Date) {
    const ms = value.getTime();
    if (Number.isNaN(ms)) throw unfit('an invalid date given as timestamp');
    return BigInt(ms);
  }
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    const unix = BigInt(value);
    return precision === 'seconds' ? limited(unix * SECOND_MS) : unix / PER_MS[precision];
  }
  if (typeof value !== 'string') {
    throw unfit(`TimestampConverter does not support ${kindOf(value)} as timestamp; allowed are texts, whole numbers and dates`);
  }
  if (format === undefined) throw unfit('the timestamp is a text, and the setting format does not say how it is read');
  const ms = format.parse(value);
  if (ms !== undefined) return BigInt(ms);
  throw unfit(format.unparsable ?? `Could not parse timestamp: the value does not match pattern (${format.pattern})`);
}

function fromMs(ms: bigint, hasSchema: boolean, { target, precision, format }: TimestampConversion): ConnectValue {
  switch (target) {
    case 'string':
      return format?.format(Number(withinDates(ms))) ?? null;
    case 'unix': {
      const unix = precision === 'seconds' ? ms / SECOND_MS : limited(ms * PER_MS[precision]);
      return hasSchema || BigInt.asIntN(53, unix) !== unix ? unix : Number(unix);
    }
    case 'Date':
      return new Date(Number(withinDates(ms) - msOfDay(ms)));
    case 'Time':
      return new Date(Number(msOfDay(ms)));
    case 'Timestamp':
      return new Date(Number(withinDates(ms)));
    default:
      return target satisfies never;
  }
}

function msOfDay(ms: bigint): bigint {
  return ((ms % DAY_MS) + DAY_MS) % DAY_MS;
}

/** Java keeps what is beyond 64 bits at the limit. */
function limited(value: bigint): bigint {
  if (value > MAX_LONG) return MAX_LONG;
  return value < MIN_LONG ? MIN_LONG : value;
}

function withinDates(ms: bigint): bigint {
  if (ms <= MAX_DATE_MS && ms >= -MAX_DATE_MS) return ms;
  throw unfit(`a timestamp of ${ms} ms since the epoch given; allowed are -${MAX_DATE_MS} to ${MAX_DATE_MS}. Look at unix.precision`);
}
