import { Decimal } from './decimal.js';
import { commonSchema, withSchema } from './common-schema.js';
import type { ConnectValue } from './connect-value.js';
import { LogicalType, SCALE_PARAMETER } from './logical-type.js';
import { type Schema, SchemaType } from './schema.js';
import { schemas } from './schemas.js';

/** What a text means; without a schema where the value has no common one: null, an empty list, a list of different types. */
export interface Literal {
  readonly value: ConnectValue;
  readonly schema?: Schema;
}

/** Lists and maps inside of each other; a text with more is a string. */
const MAX_LEVELS = 100;
/** A number with a larger exponent is a string: written out it would fill the memory. */
const MAX_EXPONENT = 100_000;
/** A longer number is a string: reading it takes more than the time of its length. */
const MAX_NUMBER_LENGTH = 10_000;
const LONG_DIGITS = 19;

const LAST_SPACE = 0x20;
const SPACE = /[\0-\x20]*/y;
/** What stands between delimiters; a backslash takes the meaning of the character behind it. */
const RUN = /(?:[^:,{}[\]"\\]|\\[^]?)+/y;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
const NUMBER = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,10}))?$/;
const TEMPORAL = /(?:\d{4}-\d{2}-\d{2}(?:T\d{2}\\?:\d{2}\\?:\d{2}\.\d{3}Z)?|\d{2}\\?:\d{2}\\?:\d{2}\.\d{3}Z)(?=[\0-\x20:,{}[\]"]|$)/y;
const DATE_LENGTH = 10;
const TIME_LENGTH = 13;

const NULL: Literal = { value: null };
const TRUE: Literal = { value: true, schema: schemas.boolean };
const FALSE: Literal = { value: false, schema: schemas.boolean };

/**
 * Reads what a text means, as Kafka Connect's `Values.parseString` does: `null`, `true`, numbers, `[1,2]`, `{"a":1}`, dates and times such
 * as `2019-08-23` and `2019-08-23T14:34:54.346Z`. Everything else is a string.
 *
 * - A whole number is an int8 to int64, a larger one a Decimal; one with a fraction or an exponent is a float32 or float64.
 * - A string inside of a list or map is quoted, and keeps its backslashes.
 * - Kafka Connect drops what follows a number, list or map, as in `1:2`, and takes months above 12. Here such a text is a string.
 */
export function parseLiteral(text: string): Literal {
  const trimmed = trimmedAscii(text);
  const first = trimmed.charCodeAt(0);
  if (first === 0x5b || first === 0x7b) {
    const reader = new LiteralReader(trimmed);
    const found = reader.read(1);
    if (found !== undefined && reader.isAtEnd) return found;
  } else {
    const found = scalar(trimmed);
    if (found !== undefined) return found;
  }
  return { value: text, schema: schemas.string };
}

/** Reads values inside of lists and maps. Each method returns `undefined` where the text has another form. */
class LiteralReader {
  #at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.#at === this.text.length;
  }

  read(level: number): Literal | undefined {
    this.#skipSpace();
    if (level > MAX_LEVELS) return undefined;
    const first = this.text[this.#at];
    if (first === '[') return this.#list(level);
    if (first === '{') return this.#map(level);
    if (first === '"') return this.#string();
    const moment = this.#take(TEMPORAL);
    const found = moment === undefined ? undefined : temporal(moment);
    return found ?? scalar(trimmedAscii(this.#take(RUN) ?? ''));
  }

  #string(): Literal | undefined {
    const quoted = this.#take(QUOTED);
    if (quoted === undefined) return undefined;
    const content = quoted.slice(1, -1);
    return temporal(content) ?? { value: content, schema: schemas.string };
  }

  #list(level: number): Literal | undefined {
    const items: Literal[] = [];
    this.#at += 1;
    for (;;) {
      if (this.#takes(']')) return listOf(items);
      const item = this.read(level + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (!this.#takes(',') && !this.#isNext(']')) return undefined;
    }
  }

  #map(level: number): Literal | undefined {
    const entries: (readonly [Literal, Literal])[] = [];
    this.#at += 1;
    for (;;) {
      if (this.#takes('}')) return mapOf(entries);
      const key = this.read(level + 1);
      if (key === undefined || key.value === null || !this.#takes(':')) return undefined;
      const value = this.read(level + 1);
      if (value === undefined) return undefined;
      entries.push([key, value]);
      this.#takes(',');
    }
  }

  #isNext(delimiter: string): boolean {
    this.#skipSpace();
    return this.text[this.#at] === delimiter;
  }

  #takes(delimiter: string): boolean {
    const isNext = this.#isNext(delimiter);
    if (isNext) this.#at += 1;
    return isNext;
  }

  #skipSpace(): void {
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }
}

/** Trims control characters and blanks. A pattern for it would take the square of the length. */
function trimmedAscii(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text.charCodeAt(start) <= LAST_SPACE) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= LAST_SPACE) end -= 1;
  return text.slice(start, end);
}

function scalar(token: string): Literal | undefined {
  if (token === 'null') return NULL;
  if (token === 'true') return TRUE;
  if (token === 'false') return FALSE;
  const first = token.charCodeAt(0);
  const isDigit = first >= 0x30 && first <= 0x39;
  if (!isDigit && first !== 0x2b && first !== 0x2d) return undefined;
  return (isDigit ? temporal(token) : undefined) ?? number(token);
}

function temporal(token: string): Literal | undefined {
  TEMPORAL.lastIndex = 0;
  const [found] = TEMPORAL.exec(token) ?? [];
  if (found !== token) return undefined;
  const text = token.replaceAll('\\:', ':');
  const schema = text.length === DATE_LENGTH ? schemas.date : text.length === TIME_LENGTH ? schemas.time : schemas.timestamp;
  const full = schema === schemas.date ? `${text}T00:00:00.000Z` : schema === schemas.time ? `1970-01-01T${text}` : text;
  const value = new Date(full);
  // `new Date` takes 31 February, and 24:00.
  return !Number.isNaN(value.getTime()) && value.toISOString() === full ? { value, schema } : undefined;
}

function number(token: string): Literal | undefined {
  if (token.length > MAX_NUMBER_LENGTH) return undefined;
  const [, mantissa, exponent = '0'] = NUMBER.exec(token) ?? [];
  if (mantissa === undefined) return undefined;
  const point = mantissa.indexOf('.');
  const scale = (point < 0 ? 0 : mantissa.length - point - 1) - Number(exponent);
  if (Math.abs(scale) > MAX_EXPONENT) return undefined;
  const digits = mantissa.replace('.', '').replace(/^0+/, '');
  const isNegative = token.startsWith('-');
  const whole = wholeNumber(digits, scale, isNegative);
  if (whole !== undefined) return whole;
  if (scale !== 0) {
    const double = Number(token);
    const float = Math.fround(double);
    if (float !== 0 && Number.isFinite(float)) return { value: float, schema: schemas.float32 };
    if (double !== 0 && Number.isFinite(double)) return { value: double, schema: schemas.float64 };
  }
  const unscaled = BigInt(digits);
  return {
    value: new Decimal(isNegative ? -unscaled : unscaled, scale),
    schema: { type: SchemaType.bytes, name: LogicalType.decimal, version: 1, parameters: { [SCALE_PARAMETER]: String(scale) } },
  };
}

/** Returns `undefined` for what has a fraction, or needs more than 64 bits. */
function wholeNumber(digits: string, scale: number, isNegative: boolean): Literal | undefined {
  if (digits === '') return { value: 0, schema: schemas.int8 };
  const count = digits.length - scale;
  if (count <= 0 || count > LONG_DIGITS) return undefined;
  if (scale > 0 && /[^0]/.test(digits.slice(count))) return undefined;
  const magnitude = BigInt(scale > 0 ? digits.slice(0, count) : digits + '0'.repeat(-scale));
  const value = isNegative ? -magnitude : magnitude;
  if (BigInt.asIntN(32, value) !== value) return BigInt.asIntN(64, value) === value ? { value, schema: schemas.int64 } : undefined;
  const schema = BigInt.asIntN(8, value) === value ? schemas.int8 : BigInt.asIntN(16, value) === value ? schemas.int16 : schemas.int32;
  return { value: Number(value), schema };
}

/** Returns `undefined` where a null stands among values: Kafka Connect takes such a text as a string. */
function listOf(items: readonly Literal[]): Literal | undefined {
  const valueSchema = schemaOf(items);
  if (valueSchema === undefined) return { value: items.map(({ value }) => value) };
  if (items.some(({ value }) => value === null)) return undefined;
  return { value: items.map(({ value }) => withSchema(value, valueSchema)), schema: { type: SchemaType.array, valueSchema } };
}

/** See {@link listOf}. */
function mapOf(entries: readonly (readonly [Literal, Literal])[]): Literal | undefined {
  const keySchema = schemaOf(entries.map(([key]) => key));
  const valueSchema = schemaOf(entries.map(([, item]) => item));
  if (keySchema !== undefined && valueSchema !== undefined && entries.some(([, { value }]) => value === null)) return undefined;
  const pairs = entries.map(
    ([key, value]) =>
      [
        keySchema === undefined ? key.value : withSchema(key.value, keySchema),
        valueSchema === undefined || keySchema === undefined ? value.value : withSchema(value.value, valueSchema),
      ] as const,
  );
  const hasTexts = pairs.every(([key]) => typeof key === 'string');
  const value = hasTexts ? Object.fromEntries(pairs as readonly (readonly [string, ConnectValue])[]) : new Map(pairs);
  if (keySchema === undefined || valueSchema === undefined) return { value };
  return { value, schema: { type: SchemaType.map, keySchema, valueSchema } };
}

/** Nulls, empty lists and empty maps fit every schema. */
function schemaOf(items: readonly Literal[]): Schema | undefined {
  const fitsOnlyNone = ({ value, schema }: Literal): boolean => schema === undefined && value !== null && !isEmpty(value);
  return items.some(fitsOnlyNone) ? undefined : commonSchema(items.map(({ schema }) => schema));
}

function isEmpty(value: ConnectValue): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Map && value.size > 0) && Object.keys(value).length === 0;
}
