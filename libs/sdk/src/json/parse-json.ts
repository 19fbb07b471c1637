import { randomUUID } from 'node:crypto';

/** What JSON can hold. Whole numbers that a double cannot keep are `bigint`. */
export type JsonValue =
  null | boolean | number | bigint | string | readonly JsonValue[] | { readonly [field: string]: JsonValue };

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
/** Nobody who writes a text can know it, so no text holds it by chance or on purpose. */
const mark = `integer:${randomUUID()}:`;

/** Like `JSON.parse`, but keeps every digit of whole numbers. Throws a `SyntaxError`. */
export function parseJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue;
  if (!/\d{16}/.test(text)) return value;
  const marked = text.replaceAll(token, (part) =>
    /^-?\d{16,}$/.test(part) && !Number.isSafeInteger(Number(part)) ? `"${mark}${part}"` : part,
  );
  if (marked.length === text.length) return value;
  return JSON.parse(marked, (_, part: unknown) =>
    typeof part === 'string' && part.startsWith(mark) ? BigInt(part.slice(mark.length)) : part,
  ) as JsonValue;
}

export function isJsonObject(value: JsonValue | undefined): value is { readonly [field: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
