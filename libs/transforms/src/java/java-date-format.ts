import type { FieldError } from '@sluice/sdk';
import { type DateElement, parseDatePattern, unparsableReason } from './date-pattern.js';
import { parseDate } from './date-parsing.js';
import { calendarParts, type CalendarParts, dayOf } from './gregorian.js';
import { LONG_MONTHS, LONG_WEEKDAYS, SHORT_LENGTH } from './date-names.js';

const HOUR_MS = 3_600_000;

/**
 * Writes and reads dates as `java.text.SimpleDateFormat` does in UTC with English names. It is as lenient: numbers beyond their limits roll over,
 * and text behind the date is ignored.
 */
export class JavaDateFormat {
  readonly #elements: readonly DateElement[];
  /** Why {@link parse} takes no text. */
  readonly unparsable: string | undefined;

  /** @throws SyntaxError naming what the pattern must not have, and what is allowed */
  constructor(readonly pattern: string) {
    this.#elements = parseDatePattern(pattern);
    this.unparsable = unparsableReason(this.#elements);
  }

  /** Writes milliseconds since the epoch. */
  format(ms: number): string {
    const parts = calendarParts(ms);
    let out = '';
    for (const element of this.#elements) out += 'text' in element ? element.text : formatted(parts, element.letter, element.count);
    return out;
  }

  /** Returns the milliseconds since the epoch that a text begins with; `undefined` where it does not match the pattern. */
  parse(text: string): number | undefined {
    return this.unparsable === undefined ? parseDate(this.#elements, text) : undefined;
  }
}

/** Explains why a setting is no date pattern; nothing where it is one. */
export function datePatternErrors(field: string, pattern: string): readonly FieldError[] {
  try {
    new JavaDateFormat(pattern);
    return [];
  } catch (error) {
    const reason = `Must be a pattern of Java's SimpleDateFormat: ${(error as Error).message}`;
    return [{ field, message: `Invalid value ${pattern} for configuration ${field}: ${reason}` }];
  }
}

function formatted(parts: CalendarParts, letter: string, count: number): string {
  const { year, month, day, weekday, dayOfYear, msOfDay } = parts;
  const hour = Math.floor(msOfDay / HOUR_MS);
  switch (letter) {
    case 'G':
      return year > 0 ? 'AD' : 'BC';
    case 'y':
      return yearText(year > 0 ? year : 1 - year, count);
    case 'Y':
      return yearText(weekYear(parts).year, count);
    case 'M':
    case 'L':
      return count < 3 ? padded(month + 1, count) : named(LONG_MONTHS, month, count);
    case 'w':
      return padded(weekYear(parts).week, count);
    case 'W':
      return padded(Math.floor((day - 1 + weekdayFromSunday(dayOf(year, month, 1))) / 7) + 1, count);
    case 'D':
      return padded(dayOfYear, count);
    case 'd':
      return padded(day, count);
    case 'F':
      return padded(Math.floor((day - 1) / 7) + 1, count);
    case 'E':
      return named(LONG_WEEKDAYS, weekday % 7, count);
    case 'u':
      return padded(weekday, count);
    case 'a':
      return hour < 12 ? 'AM' : 'PM';
    case 'H':
      return padded(hour, count);
    case 'k':
      return padded(hour === 0 ? 24 : hour, count);
    case 'K':
      return padded(hour % 12, count);
    case 'h':
      return padded(hour % 12 === 0 ? 12 : hour % 12, count);
    case 'm':
      return padded(Math.floor(msOfDay / 60_000) % 60, count);
    case 's':
      return padded(Math.floor(msOfDay / 1000) % 60, count);
    case 'S':
      return padded(msOfDay % 1000, count);
    case 'z':
      return count < 4 ? 'UTC' : 'Coordinated Universal Time';
    case 'Z':
      return '+0000';
    default:
      return 'Z';
  }
}

function padded(value: number, count: number): string {
  return value < 0 ? `-${padded(-value, count)}` : String(value).padStart(count, '0');
}

function named(names: readonly string[], index: number, count: number): string {
  const name = names[index] ?? '';
  return count < 4 ? name.slice(0, SHORT_LENGTH) : name;
}

function yearText(year: number, count: number): string {
  return count === 2 ? padded(year % 100, 2) : padded(year, count);
}

function weekdayFromSunday(epochDay: number): number {
  return (((epochDay + 4) % 7) + 7) % 7;
}

/** Returns week and year by the rule of the United States: weeks begin on Sunday, and the one with January 1 is the first. */
function weekYear({ year, month, day }: CalendarParts): { readonly year: number; readonly week: number } {
  const today = dayOf(year, month, day);
  const nextYear = dayOf(year + 1, 0, 1);
  if (today >= nextYear - weekdayFromSunday(nextYear)) return { year: year + 1, week: 1 };
  const first = dayOf(year, 0, 1);
  return { year, week: Math.floor((today - first + weekdayFromSunday(first)) / 7) + 1 };
}
