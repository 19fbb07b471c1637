import { Decimal, type JsonNumber } from '@sluice/sdk';

const INTEGER = /^[+-]?\d+$/;
/** Of a whole number of 64 bits. */
const MAX_DIGITS = 19;
const SPACE = 0x20;
const FLOATING = /^[+-]?(?:NaN|Infinity|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/;
const MIN_PLAIN = 1e-3;
const MAX_PLAIN = 1e7;
const MAX_FLOAT_DIGITS = 9;
const [MIN_INT, MAX_INT] = [-(2 ** 31), 2 ** 31 - 1];
const [MIN_LONG, MAX_LONG] = [-(2n ** 63n), 2n ** 63n - 1n];
/** Beyond the exponents of doubles; a decimal written out with such a one would fill the memory. */
const MAX_EXACT_SCALE = 400;

/** A number of a record: exact as `bigint`, `Decimal` and `JsonNumber`, a double as `number`. */
export type RecordNumber = number | bigint | Decimal | JsonNumber;

/** Reads a whole number as `Long.parseLong` of Java does, for a type of so many bits; `undefined` for what it refuses. */
export function parseInteger(text: string, bits: number): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const digits = /[1-9].*$/.exec(text)?.[0] ?? '0';
  if (digits.length > MAX_DIGITS) return undefined;
  const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
  return BigInt.asIntN(bits, value) === value ? value : undefined;
}

/** Reads a number as `Double.parseDouble` of Java does, but for hexadecimal ones; `undefined` for what it refuses. */
export function parseFloating(text: string): number | undefined {
  const trimmed = trimmedAscii(text);
  return FLOATING.test(trimmed) ? Number(trimmed.replace(/(?<=[\d.])[fFdD]$/, '')) : undefined;
}

/** Trims as `String.trim` of Java does. A pattern for it would take the square of the length. */
function trimmedAscii(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && text.charCodeAt(start) <= SPACE) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= SPACE) end -= 1;
  return text.slice(start, end);
}

/**
 * Narrows a number to a whole one of so many bits, as the conversions of Java's `Number` do. Digits behind the point are cut off, and whole
 * numbers keep their low bits. A double beyond 32 bits, or 64, becomes the nearest limit first.
 *
 * @param isDouble whether a `number` is a double; by default it is a whole number where it can be
 */
export function narrowed(value: RecordNumber, bits: 8 | 16 | 32 | 64, isDouble = !Number.isSafeInteger(value)): bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(bits, value);
  if (value instanceof Decimal) return BigInt.asIntN(bits, wholePart(value));
  const double = Number(value);
  if (Number.isNaN(double)) return 0n;
  if (!isDouble) return BigInt.asIntN(bits, BigInt(double));
  if (bits < 64) return BigInt.asIntN(bits, BigInt(Math.trunc(Math.min(Math.max(double, MIN_INT), MAX_INT))));
  if (double >= Number(MAX_LONG)) return MAX_LONG;
  return double <= Number(MIN_LONG) ? MIN_LONG : BigInt(Math.trunc(double));
}

/** Returns the double with the fewest digits that stands for the nearest float of 32 bits, so that 0.1 stays 0.1. */
export function toFloat32(value: number): number {
  const float = Math.fround(value);
  if (!Number.isFinite(float) || Math.fround(float) === 0) return float;
  for (let digits = 1; digits <= MAX_FLOAT_DIGITS; digits += 1) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return float;
}

/** Writes a double as `Double.toString` of Java: `1.0`, `1.0E10`, `1.5E-5`. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const size = Math.abs(value);
  if (size >= MIN_PLAIN && size < MAX_PLAIN) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

/** Writes a number of JSON as Java writes its double. Where a double would lose a digit, all digits are written. */
export function jsonNumberText(number: JsonNumber): string {
  const double = Number(number);
  return Number.isFinite(double) && isExact(number, double) ? doubleText(double) : number.text;
}

function isExact(number: JsonNumber, double: number): boolean {
  const exact = Decimal.parse(number.text);
  if (Math.abs(exact.scale) > MAX_EXACT_SCALE) return exact.unscaled === 0n;
  return exact.compare(Decimal.parse(String(double))) === 0;
}

/** Cuts the digits behind the point off. */
function wholePart({ unscaled, scale }: Decimal): bigint {
  return scale >= 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale);
}
