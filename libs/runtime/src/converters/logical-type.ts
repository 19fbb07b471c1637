import { ConversionError } from './conversion-error.js';

/** Kafka Connect's names of the logical types that converters know. */
export const LogicalType = {
  timestamp: 'org.apache.kafka.connect.data.Timestamp',
  date: 'org.apache.kafka.connect.data.Date',
  time: 'org.apache.kafka.connect.data.Time',
  decimal: 'org.apache.kafka.connect.data.Decimal',
} as const;

const DAY_MS = 86_400_000;
/** Beyond it, either side of the epoch, JavaScript has no dates. */
const MAX_DATE_MS = 8.64e15;
/** Milliseconds of one unit of the number that stands for a date. */
const UNITS_MS: ReadonlyMap<string | undefined, number> = new Map([
  [LogicalType.timestamp, 1],
  [LogicalType.time, 1],
  [LogicalType.date, DAY_MS],
]);

/**
 * The number that stands for a date in a schema of that name: milliseconds since the epoch, days since the epoch, or milliseconds since
 * midnight. Throws a {@link ConversionError} when the date has a part that the type cannot hold.
 */
export function dateToNumber(converter: string, date: Date, schemaName: string | undefined, path: string): number {
  const ms = date.getTime();
  if (Number.isNaN(ms)) throw new ConversionError(converter, `${path}: the date is invalid`);
  switch (schemaName) {
    case undefined:
    case LogicalType.timestamp:
      return ms;
    case LogicalType.date:
      if (ms % DAY_MS === 0) return ms / DAY_MS;
      throw new ConversionError(converter, `${path}: a Date must have no time of day, given ${date.toISOString()}`);
    case LogicalType.time:
      if (ms >= 0 && ms < DAY_MS) return ms;
      throw new ConversionError(converter, `${path}: a Time must be on 1970-01-01, given ${date.toISOString()}`);
    default:
      throw new ConversionError(converter, `${path}: a date does not fit the type ${schemaName}`);
  }
}

/** Returns the date that a number stands for, or `undefined` if the type is none of dates. Throws a {@link ConversionError} for a number that no date
 * can hold.
 */
export function numberToDate(converter: string, value: number | bigint, schemaName: string | undefined, path: string): Date | undefined {
  const unitMs = UNITS_MS.get(schemaName);
  if (unitMs === undefined) return undefined;
  const date = new Date(Number(value) * unitMs);
  if (!Number.isNaN(date.getTime())) return date;
  throw new ConversionError(converter, `${path}: ${value} is not a date; allowed are -${MAX_DATE_MS / unitMs} to ${MAX_DATE_MS / unitMs}`);
}
