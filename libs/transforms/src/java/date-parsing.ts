import type { DateElement } from './date-pattern.js';
import { LONG_MONTHS, LONG_WEEKDAYS, SHORT_LENGTH, ZONE_MINUTES } from './date-names.js';
import { dayOf } from './gregorian.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** A year of two digits is at most this many years ago. */
const CENTURY_YEARS_BACK = 80;

/** What a text says, by the letter of the pattern; `offset` in minutes. */
type Fields = Partial<Record<'G' | 'y' | 'M' | 'd' | 'D' | 'a' | 'H' | 'K' | 'm' | 's' | 'S' | 'offset', number>>;

/** What was read of a text, and where it ends. */
interface Read {
  readonly value: number;
  readonly end: number;
}

/**
 * Reads a text by the elements of a pattern, as `SimpleDateFormat.parse` does leniently in UTC. Text behind the date is ignored.
 *
 * @returns milliseconds since the epoch; `undefined` where the text does not match
 */
export function parseDate(elements: readonly DateElement[], text: string): number | undefined {
  const fields: Fields = {};
  let at = 0;
  for (const [index, element] of elements.entries()) {
    if ('text' in element) {
      if (!text.startsWith(element.text, at)) return undefined;
      at += element.text.length;
      continue;
    }
    while (text.charAt(at) === ' ' || text.charAt(at) === '\t') at += 1;
    const end = readField(fields, element, text, at, isNumeric(elements[index + 1]));
    if (end === undefined) return undefined;
    at = end;
  }
  const ms = millisOf(fields);
  const mayBeLater = fields.y === centuryStartYear() && hasShortYear(elements);
  return mayBeLater && ms < centuryStart() ? millisOf({ ...fields, y: (fields.y ?? 0) + 100 }) : ms;
}

/** Returns whether a number stands in a text here: one before it then has as many digits as the pattern says. */
function isNumeric(element: DateElement | undefined): boolean {
  if (element === undefined || 'text' in element) return false;
  const { letter, count } = element;
  return letter === 'M' || letter === 'L' ? count < 3 : 'yYdHkKhmsSDwWFu'.includes(letter);
}

function hasShortYear(elements: readonly DateElement[]): boolean {
  return elements.some((element) => 'letter' in element && element.letter === 'y' && element.count <= 2);
}

function millisOf(fields: Fields): number {
  const era = fields.G ?? 1;
  const year = fields.y ?? 1970;
  const fullYear = era === 1 ? year : 1 - year;
  // The day of the year is what the text says only where it has no month and day.
  const day =
    fields.D !== undefined && fields.d === undefined ? dayOf(fullYear, 0, fields.D) : dayOf(fullYear, fields.M ?? 0, fields.d ?? 1);
  const hour = fields.H ?? (fields.K ?? 0) + (fields.a ?? 0) * 12;
  const { m = 0, s = 0, S = 0, offset = 0 } = fields;
  return day * DAY_MS + hour * HOUR_MS + (m - offset) * MINUTE_MS + s * 1000 + S;
}

function readField(
  fields: Fields,
  { letter, count }: { readonly letter: string; readonly count: number },
  text: string,
  at: number,
  obeysCount: boolean,
): number | undefined {
  switch (letter) {
    case 'G':
      return put(fields, 'G', nameAt(['BC', 'AD'], text, at));
    case 'a':
      return put(fields, 'a', nameAt(['AM', 'PM'], text, at));
    case 'E':
      return weekdayAt(text, at)?.end;
    case 'M':
    case 'L': {
      const month = count < 3 ? numberAt(text, at, count, obeysCount) : monthAt(text, at);
      return put(fields, 'M', month && { ...month, value: month.value - 1 });
    }
    case 'z':
    case 'Z':
      return put(fields, 'offset', zoneAt(text, at));
    case 'X':
      return put(fields, 'offset', isoZoneAt(text, at, count));
    case 'y': {
      const year = numberAt(text, at, count, obeysCount);
      const hasTwoDigits = count <= 2 && year !== undefined && /^\d\d$/.test(text.slice(at, year.end));
      return put(fields, 'y', hasTwoDigits ? { ...year, value: centuryYear(year.value) } : year);
    }
    default:
      return putNumber(fields, letter, numberAt(text, at, count, obeysCount));
  }
}

function putNumber(fields: Fields, letter: string, read: Read | undefined): number | undefined {
  if (read === undefined) return undefined;
  const { value, end } = read;
  switch (letter) {
    case 'k':
      return put(fields, 'H', { value: value === 24 ? 0 : value, end });
    case 'h':
      return put(fields, 'K', { value: value === 12 ? 0 : value, end });
    case 'H':
    case 'K':
    case 'm':
    case 's':
    case 'S':
    case 'd':
    case 'D':
      return put(fields, letter, read);
    default:
      return end;
  }
}

function put(fields: Fields, field: keyof Fields, read: Read | undefined): number | undefined {
  if (read === undefined) return undefined;
  fields[field] = read.value;
  return read.end;
}

function numberAt(text: string, at: number, count: number, obeysCount: boolean): Read | undefined {
  if (obeysCount && at + count > text.length) return undefined;
  const [digits] = /^-?\d+/.exec(obeysCount ? text.slice(at, at + count) : text.slice(at)) ?? [];
  // Java keeps the low 32 bits of a longer number.
  return digits === undefined ? undefined : { value: Number(BigInt.asIntN(32, BigInt(digits))), end: at + digits.length };
}

function nameAt(names: readonly string[], text: string, at: number): Read | undefined {
  let best: Read | undefined;
  for (const [value, name] of names.entries()) {
    const end = at + name.length;
    if (text.slice(at, end).toLowerCase() === name.toLowerCase() && end > (best?.end ?? 0)) best = { value, end };
  }
  return best;
}

function monthAt(text: string, at: number): Read | undefined {
  const found = nameAt(LONG_MONTHS, text, at) ?? nameAt(shortNames(LONG_MONTHS), text, at);
  return found && { ...found, value: found.value + 1 };
}

function weekdayAt(text: string, at: number): Read | undefined {
  return nameAt(LONG_WEEKDAYS, text, at) ?? nameAt(shortNames(LONG_WEEKDAYS), text, at);
}

function shortNames(names: readonly string[]): readonly string[] {
  return names.map((name) => name.slice(0, SHORT_LENGTH));
}

function centuryYear(value: number): number {
  const start = centuryStartYear();
  const century = Math.floor(start / 100) * 100;
  return value + century + (value < start % 100 ? 100 : 0);
}

function centuryStartYear(): number {
  return new Date().getUTCFullYear() - CENTURY_YEARS_BACK;
}

function centuryStart(): number {
  const now = new Date();
  return now.setUTCFullYear(now.getUTCFullYear() - CENTURY_YEARS_BACK);
}

/** Reads a zone by its name, by `GMT+1:00`, or by `+0100`. */
function zoneAt(text: string, at: number): Read | undefined {
  const rest = text.slice(at);
  const [numeric, sign = '', hours = '', minutes = ''] = /^([+-])(\d\d)([0-5]\d)/.exec(rest) ?? [];
  if (numeric !== undefined) return offset(sign, hours, minutes, at + numeric.length);
  const [custom, gmtSign = '', gmtHours = '', gmtMinutes = ''] = /^GMT([+-])(\d\d?):([0-5]\d)/i.exec(rest) ?? [];
  if (custom !== undefined) return offset(gmtSign, gmtHours, gmtMinutes, at + custom.length);
  const names = Object.keys(ZONE_MINUTES);
  const found = nameAt(names, text, at);
  return found && { ...found, value: ZONE_MINUTES[names[found.value] ?? ''] ?? 0 };
}

/** Reads `Z`, or an offset in as many parts as the pattern has letters: `+01`, `+0100` or `+01:00`. */
function isoZoneAt(text: string, at: number, count: number): Read | undefined {
  if (text.charAt(at) === 'Z') return { value: 0, end: at + 1 };
  const form = count === 1 ? /^([+-])(\d\d)/ : count === 2 ? /^([+-])(\d\d)([0-5]\d)/ : /^([+-])(\d\d):([0-5]\d)/;
  const [found, sign = '', hours = '', minutes = '0'] = form.exec(text.slice(at)) ?? [];
  return found === undefined ? undefined : offset(sign, hours, minutes, at + found.length);
}

function offset(sign: string, hours: string, minutes: string, end: number): Read | undefined {
  if (Number(hours) > 23) return undefined;
  return { value: (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1), end };
}
