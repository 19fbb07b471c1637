import { randomUUID } from 'node:crypto';
import { JsonNumber } from './json-number.js';

/** What JSON can hold, to the digit: see {@link parseJson} for the three forms of a number. */
export type JsonValue =
  null | boolean | number | bigint | JsonNumber | string | readonly JsonValue[] | { readonly [field: string]: JsonValue };

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** Matches wherever a number stands whose digits a double may change; a text that it does not match needs no second look. */
const RISKY = /[\d.]{16}|\d[eE][+-]?\d|-0(?![\d.])|-0\.0*(?!\d)|\.\d*0(?!\d)|0\.000000/;
/** Nobody who writes a text can know it, so no text holds it by chance or on purpose. */
const mark = `number:${randomUUID()}:`;

/**
 * Parses JSON without changing a digit. A number is a `number` where that has the same digits, and a `bigint` where it is a larger whole
 * number. Otherwise it is a {@link JsonNumber}: `1.50`, `1e400`, `-0.0`, `12345678901234567.89`. Throws a `SyntaxError`.
 *
 * @param exact - makes something else of a number that a double would change
 */
export function parseJson(text: string, exact: (digits: string) => JsonValue = exactNumber): JsonValue {
  const value = JSON.parse(text) as JsonValue;
  if (!RISKY.test(text)) return value;
  let changed = 0;
  const marked = text.replaceAll(TOKEN, (part) => {
    if (part.startsWith('"') || String(Number(part)) === part) return part;
    changed += 1;
    return `"${mark}${part}"`;
  });
  if (changed === 0) return value;
  return JSON.parse(marked, (_, part: unknown) =>
    typeof part === 'string' && part.startsWith(mark) ? exact(part.slice(mark.length)) : part,
  ) as JsonValue;
}

function exactNumber(text: string): bigint | JsonNumber {
  return /^-?\d+$/.test(text) && text !== '-0' ? BigInt(text) : new JsonNumber(text);
}

export function isJsonObject(value: JsonValue | undefined): value is { readonly [field: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);
}
