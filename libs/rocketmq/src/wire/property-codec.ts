import { InvalidArgumentError } from '../errors.js';

const NAME_VALUE_SEPARATOR = 1;
const PROPERTY_SEPARATOR = 2;
/** The format's separators, and halves of surrogate pairs. */
// eslint-disable-next-line no-control-regex -- the separators are control characters
const FORBIDDEN = /[\u0001\u0002\p{Cs}]/u;

/**
 * Encodes message properties as the broker stores them: `name \u0001 value \u0002 name \u0001 value`.
 * @throws InvalidArgumentError for an empty name or value (the format loses them), a separator inside one, or half of a
 * surrogate pair. UTF-8 cannot carry the half: it would become U+FFFD.
 */
export function encodeProperties(properties: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [name, value] of properties) {
    if (name.length === 0 || value.length === 0) {
      throw new InvalidArgumentError(`property '${name}' with value '${value}': neither may be empty`);
    }
    if (FORBIDDEN.test(name) || FORBIDDEN.test(value)) {
      throw new InvalidArgumentError(
        `property ${JSON.stringify(name)}: U+0001, U+0002 and halves of surrogate pairs are allowed in neither name nor value`,
      );
    }
    text += text.length === 0 ? `${name}\u0001${value}` : `\u0002${name}\u0001${value}`;
  }
  return text;
}

/**
 * Returns the value of one property, found by scanning `bytes[start, end)` without decoding the others.
 * As in the brokers' own decoder an entry without a name or a value does not count, and the last of several wins.
 */
export function findProperty(bytes: Buffer, start: number, end: number, name: string): string | undefined {
  const nameLength = name.length;
  let valueStart = -1;
  let valueEnd = -1;
  let at = start;
  while (at < end) {
    let matched = 0;
    while (matched < nameLength && at + matched < end) {
      const char = name.charCodeAt(matched);
      if (char >= 0x80) return decodeProperties(bytes, start, end).get(name);
      if (bytes[at + matched] !== char) break;
      matched += 1;
    }
    const isMatch = matched > 0 && matched === nameLength && bytes[at + matched] === NAME_VALUE_SEPARATOR;
    let entryEnd = at + matched;
    while (entryEnd < end && bytes[entryEnd] !== PROPERTY_SEPARATOR) entryEnd += 1;
    if (isMatch && entryEnd > at + nameLength + 1) {
      valueStart = at + nameLength + 1;
      valueEnd = entryEnd;
    }
    at = entryEnd + 1;
  }
  return valueStart < 0 ? undefined : bytes.toString('utf8', valueStart, valueEnd);
}

/**
 * Returns the values of several properties, found in one pass; same rules as `findProperty`.
 * @returns in the order of `names`
 */
export function findProperties(bytes: Buffer, start: number, end: number, names: readonly string[]): (string | undefined)[] {
  const found = new Array<string | undefined>(names.length).fill(undefined);
  for (let at = start; at < end;) {
    let separator = -1;
    let entryEnd = at;
    for (; entryEnd < end; entryEnd += 1) {
      const byte = bytes[entryEnd];
      if (byte === PROPERTY_SEPARATOR) break;
      if (byte === NAME_VALUE_SEPARATOR && separator < 0) separator = entryEnd;
    }
    if (separator > at && separator + 1 < entryEnd) {
      for (const [index, name] of names.entries()) {
        if (isName(bytes, at, separator, name)) found[index] = bytes.toString('utf8', separator + 1, entryEnd);
      }
    }
    at = entryEnd + 1;
  }
  return found;
}

function isName(bytes: Buffer, start: number, end: number, name: string): boolean {
  if (name.length > end - start) return false;
  for (let at = 0; at < name.length; at += 1) {
    const char = name.charCodeAt(at);
    if (char >= 0x80) return bytes.toString('utf8', start, end) === name;
    if (bytes[start + at] !== char) return false;
  }
  return name.length === end - start;
}

/** Returns all properties in the order of their first appearance; same rules as `findProperty`. */
export function decodeProperties(bytes: Buffer, start: number, end: number): Map<string, string> {
  const properties = new Map<string, string>();
  for (const entry of bytes.toString('utf8', start, end).split('\u0002')) {
    const separator = entry.indexOf('\u0001');
    if (separator > 0 && separator < entry.length - 1) {
      properties.set(entry.slice(0, separator), entry.slice(separator + 1));
    }
  }
  return properties;
}
