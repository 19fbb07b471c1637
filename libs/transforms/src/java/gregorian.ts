/** A moment of UTC in the parts that Java's GregorianCalendar has. Months begin with 0. */
export interface CalendarParts {
  /** 0 is 1 BC. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** From 1, Monday, to 7. */
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
  /** Milliseconds since midnight. */
  readonly msOfDay: number;
}

const DAY_MS = 86_400_000;
/** 1582-10-15: before it Java's calendar is the Julian one. */
const CUTOVER_DAY = -141_427;
/** The Julian day number of 1970-01-01, less the half day. */
const EPOCH_JULIAN_DAY = 2_440_588;

/** Splits milliseconds since the epoch. Before 1582-10-15 the date is that of the Julian calendar, as in Java. */
export function calendarParts(ms: number): CalendarParts {
  const epochDay = Math.floor(ms / DAY_MS);
  const { year, month, day } = epochDay >= CUTOVER_DAY ? gregorianDate(epochDay) : julianDate(epochDay);
  return {
    year,
    month,
    day,
    weekday: ((((epochDay + 3) % 7) + 7) % 7) + 1,
    dayOfYear: epochDay - dayOf(year, 0, 1) + 1,
    msOfDay: ms - epochDay * DAY_MS,
  };
}

/** Returns the days since the epoch of a date. Months and days beyond their limits roll over, as in a lenient calendar. */
export function dayOf(year: number, month: number, day: number): number {
  const fullYear = year + Math.floor(month / 12);
  const monthOfYear = ((month % 12) + 12) % 12;
  const gregorian = new Date(0).setUTCFullYear(fullYear, monthOfYear, 1) / DAY_MS + day - 1;
  return gregorian >= CUTOVER_DAY ? gregorian : julianDay(fullYear, monthOfYear) + day - 1;
}

function gregorianDate(epochDay: number): Pick<CalendarParts, 'year' | 'month' | 'day'> {
  const date = new Date(epochDay * DAY_MS);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() };
}

/** Counts years from March, so that the leap day is the last one; the arithmetic is that of E. G. Richards. */
function julianDate(epochDay: number): Pick<CalendarParts, 'year' | 'month' | 'day'> {
  const e = 4 * (epochDay + EPOCH_JULIAN_DAY + 1401) + 3;
  const h = 5 * Math.floor((((e % 1461) + 1461) % 1461) / 4) + 2;
  const day = Math.floor((h % 153) / 5) + 1;
  const month = ((Math.floor(h / 153) + 2) % 12) + 1;
  return { year: Math.floor(e / 1461) - 4716 + Math.floor((14 - month) / 12), month: month - 1, day };
}

/** Returns the days since the epoch of the first day of a month of the Julian calendar. */
function julianDay(year: number, month: number): number {
  const shift = month < 2 ? 1 : 0;
  const y = year + 4800 - shift;
  const m = month + 12 * shift - 2;
  return 1 + Math.floor((153 * m + 2) / 5) + 365 * y + Math.floor(y / 4) - 32_083 - EPOCH_JULIAN_DAY;
}
