import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { type Schema, SchemaType } from './schema.js';

/** The logical types that converters know, by the names that Kafka Connect has for them. Sluice writes these names. */
export const LogicalType = {
  decimal: 'org.apache.kafka.connect.data.Decimal',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
} as const;
export type LogicalType = (typeof LogicalType)[keyof typeof LogicalType];

/** The parameter of a Decimal's schema that holds the number of digits after the point. */
export const SCALE_PARAMETER = 'scale';

/** The types that hold the values of logical types. */
export const BASE_TYPES: Readonly<Record<LogicalType, SchemaType>> = {
  [LogicalType.decimal]: SchemaType.bytes,
  [LogicalType.date]: SchemaType.int32,
  [LogicalType.time]: SchemaType.int32,
  [LogicalType.timestamp]: SchemaType.int64,
};

const OPEN_MESSAGING_PREFIX = 'io.openmessaging.connector.api.data.logical.';
const BY_NAME: ReadonlyMap<string, LogicalType> = new Map(
  Object.values(LogicalType).flatMap((type) => [
    [type, type],
    [OPEN_MESSAGING_PREFIX + type.slice(type.lastIndexOf('.') + 1), type],
  ]),
);

const DAY_MS = 86_400_000;
/** Beyond it, either side of the epoch, JavaScript has no dates. */
const MAX_DATE_MS = 8.64e15;

/** Returns the logical type that a schema of this name has, under Kafka Connect's or OpenMessaging Connect's name. */
export function logicalTypeOf(name: string | undefined): LogicalType | undefined {
  return name === undefined ? undefined : BY_NAME.get(name);
}

/**
 * Returns the number that stands for a date: milliseconds since the epoch, days since the epoch, or milliseconds since midnight.
 * @throws ConnectError when the date has a part that the type cannot hold
 */
export function dateToNumber(date: Date, type: LogicalType, path: string): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw invalid(path, 'an invalid date given; a date needs a time');
  switch (type) {
    case LogicalType.timestamp:
      return ms;
    case LogicalType.date:
      if (ms % DAY_MS === 0) return ms / DAY_MS;
      throw invalid(path, `${date.toISOString()} given; a Date must have no time of day`);
    case LogicalType.time:
      if (ms >= 0 && ms < DAY_MS) return ms;
      throw invalid(path, `${date.toISOString()} given; a Time must be on 1970-01-01`);
    case LogicalType.decimal:
      throw invalid(path, 'a date given; a Decimal is a number');
    default:
      return type satisfies never;
  }
}

/**
 * Returns the date that a number stands for, see {@link dateToNumber}.
 * @throws ConnectError for a number that no date can hold
 */
export function numberToDate(value: number | bigint, type: LogicalType, path: string): Date {
  const unitMs = type === LogicalType.date ? DAY_MS : 1;
  const date = new Date(Number(value) * unitMs);
  const isHeld = type === LogicalType.time ? date.getTime() >= 0 && date.getTime() < DAY_MS : !Number.isNaN(date.getTime());
  if (isHeld) return date;
  const [min, max] = type === LogicalType.time ? [0, DAY_MS - 1] : [-MAX_DATE_MS / unitMs, MAX_DATE_MS / unitMs];
  throw invalid(path, `${value} given; ${type.slice(type.lastIndexOf('.') + 1)} allows ${min} to ${max}`);
}

/** Returns the digits after the point that a Decimal's schema prescribes; `undefined` where it has no valid number. */
export function scaleOf({ parameters }: Schema): number | undefined {
  const text = parameters?.[SCALE_PARAMETER];
  return text !== undefined && /^-?\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function invalid(path: string, reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.recordInvalid, `${path}: ${reason}`);
}
