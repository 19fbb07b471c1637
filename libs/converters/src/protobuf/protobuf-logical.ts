import { Decimal, LogicalType, SchemaType } from '@sluice/sdk';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const HOURS = 24;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;
const UINT32 = 2 ** 32;
/** From the first day of year 1 to the last of year 9999, as google/protobuf/timestamp.proto has it. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const MAX_YEAR = 9999;

/** The messages that stand for logical types, and the files that declare them. */
export const LOGICAL_MESSAGES: Readonly<Record<LogicalType, { readonly name: string; readonly file: string }>> = {
  [LogicalType.timestamp]: { name: 'google.protobuf.Timestamp', file: 'google/protobuf/timestamp.proto' },
  [LogicalType.date]: { name: 'google.type.Date', file: 'google/type/date.proto' },
  [LogicalType.time]: { name: 'google.type.TimeOfDay', file: 'google/type/timeofday.proto' },
  [LogicalType.decimal]: { name: 'confluent.type.Decimal', file: 'confluent/type/decimal.proto' },
};
export const LOGICAL_BY_MESSAGE: ReadonlyMap<string, LogicalType> = new Map(
  (Object.entries(LOGICAL_MESSAGES) as [LogicalType, { readonly name: string }][]).map(([type, { name }]) => [`.${name}`, type]),
);

export const WRAPPER_FILE = 'google/protobuf/wrappers.proto';
/** The messages that hold one scalar. */
export const WRAPPERS: Partial<Record<SchemaType, string>> = {
  [SchemaType.int8]: 'Int32Value',
  [SchemaType.int16]: 'Int32Value',
  [SchemaType.int32]: 'Int32Value',
  [SchemaType.int64]: 'Int64Value',
  [SchemaType.float32]: 'FloatValue',
  [SchemaType.float64]: 'DoubleValue',
  [SchemaType.boolean]: 'BoolValue',
  [SchemaType.string]: 'StringValue',
  [SchemaType.bytes]: 'BytesValue',
};
const WRAPPER_NAMES: ReadonlySet<string> = new Set(
  [...Object.values(WRAPPERS), 'UInt32Value', 'UInt64Value'].map((name) => `.google.protobuf.${name}`),
);

export function isWrapper(fullName: string): boolean {
  return WRAPPER_NAMES.has(fullName);
}

/** What the library has for a 64-bit number. */
export interface Long {
  readonly low: number;
  readonly high: number;
}

export function longOf(value: bigint): Long {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}

export function bigintOf({ low, high }: Long, isUnsigned: boolean): bigint {
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
  return isUnsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
}

/** Makes the message of a value of a logical type. @throws TypeError for a date that the message cannot hold */
export function toLogicalMessage(value: Date | Decimal, logical: LogicalType, path: string): object {
  if (value instanceof Decimal) {
    const digits = String(value.unscaled).replace('-', '').length;
    return { value: Buffer.from(value.toBytes()), precision: digits, scale: value.scale };
  }
  const ms = value.getTime();
  if (logical === LogicalType.time) {
    return {
      hours: value.getUTCHours(),
      minutes: value.getUTCMinutes(),
      seconds: value.getUTCSeconds(),
      nanos: value.getUTCMilliseconds() * NANOS_PER_MS,
    };
  }
  const seconds = Math.floor(ms / SECOND_MS);
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) throw new TypeError(`${path}: the date is outside of the years 1 to ${MAX_YEAR}`);
  if (logical === LogicalType.date) return { year: value.getUTCFullYear(), month: value.getUTCMonth() + 1, day: value.getUTCDate() };
  return { seconds: longOf(BigInt(seconds)), nanos: (ms - seconds * SECOND_MS) * NANOS_PER_MS };
}

interface LogicalFields {
  readonly value: Uint8Array;
  readonly scale: number;
  readonly seconds: Long | number;
  readonly nanos: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
}

/**
 * Returns the value that a message of a logical type stands for. Parts of a millisecond are cut off.
 *
 * @param scale of a decimal's schema
 * @throws TypeError for a message that stands for no value
 */
export function fromLogicalMessage(message: object, logical: LogicalType, scale: number): Date | Decimal {
  const fields = message as LogicalFields;
  switch (logical) {
    case LogicalType.decimal:
      return decimalOf(fields, scale);
    case LogicalType.date:
      return dateOf(fields);
    case LogicalType.time:
      return timeOf(fields);
    case LogicalType.timestamp: {
      const seconds = typeof fields.seconds === 'number' ? fields.seconds : fields.seconds.high * UINT32 + (fields.seconds.low >>> 0);
      if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && isNanos(fields.nanos))
        return new Date(seconds * SECOND_MS + Math.floor(fields.nanos / NANOS_PER_MS));
      throw new TypeError(`The google.protobuf.Timestamp is outside of the years 1 to ${MAX_YEAR}`);
    }
    default:
      return logical satisfies never;
  }
}

function decimalOf({ value, scale: given }: LogicalFields, scale: number): Decimal {
  const decimal = value.length === 0 ? new Decimal(0n, given) : Decimal.fromBytes(value, given);
  try {
    return decimal.withScale(scale);
  } catch (error) {
    const reason = `A decimal of scale ${given} loses digits in the scale ${scale} that the field's option confluent.field_meta has`;
    throw new TypeError(reason, { cause: error });
  }
}

function dateOf({ year, month, day }: LogicalFields): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1 && year <= MAX_YEAR;
  if (isDay) return date;
  throw new TypeError('The google.type.Date is no day of the years 1 to 9999');
}

function timeOf({ hours, minutes, seconds, nanos }: LogicalFields & { readonly seconds: Long | number }): Date {
  const second = seconds as number;
  const isTime = isBelow(hours, HOURS) && isBelow(minutes, 60) && isBelow(second, 60) && isNanos(nanos);
  if (!isTime) throw new TypeError('The google.type.TimeOfDay is no time of a day');
  return new Date(hours * HOUR_MS + minutes * MINUTE_MS + second * SECOND_MS + Math.floor(nanos / NANOS_PER_MS));
}

function isBelow(value: number, limit: number): boolean {
  return value >= 0 && value < limit;
}

function isNanos(nanos: number): boolean {
  return isBelow(nanos, NANOS_PER_SECOND);
}
