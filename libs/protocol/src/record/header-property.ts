import type { MessageHeader } from '@sluice/sdk';
import { isReservedProperty, ROCKETMQ_CONNECT_HEADER_PREFIX, ROCKETMQ_CONNECT_TIMESTAMP, SLUICE_PREFIX } from './reserved-properties.js';
import { isPlainText, markedBase64, unmarkBase64 } from './text-value.js';

/**
 * One header as one property. A text under a harmless name is a property of that name, so that anyone can read it and filter by it.
 * Everything else is named `sluice-h.<kind><n>.<key in percent encoding>`. The kind is `t` for text, `b` for bytes and `n` for null. `n`
 * numbers headers with the same key from 2; the first has none. Texts that a property cannot hold, and bytes, are marked base64.
 */
const escapedPrefix = `${SLUICE_PREFIX}h.`;
const ESCAPED_NAME = /^sluice-h\.([tbn])(\d*)\.(.*)$/s;
const NULL_VALUE = '-';

/**
 * @param occurrence how many headers with this key came before, and this one
 * @throws {URIError} if the key is not well-formed Unicode
 */
export function headerToProperty(header: MessageHeader, occurrence: number): readonly [name: string, value: string] {
  const { key, value } = header;
  if (typeof value === 'string' && occurrence === 1 && isPlainText(value) && isPlainHeaderKey(key)) return [key, value];
  const nth = occurrence === 1 ? '' : String(occurrence);
  const escapedKey = encodeURIComponent(key);
  if (value === null) return [`${escapedPrefix}n${nth}.${escapedKey}`, NULL_VALUE];
  if (typeof value !== 'string') return [`${escapedPrefix}b${nth}.${escapedKey}`, markedBase64(value)];
  return [`${escapedPrefix}t${nth}.${escapedKey}`, isPlainText(value) ? value : markedBase64(Buffer.from(value, 'utf8'))];
}

/** Returns whether a property of this name stands for a header. */
export function isHeaderProperty(name: string): boolean {
  if (name.startsWith(SLUICE_PREFIX)) return ESCAPED_NAME.test(name);
  return !isReservedProperty(name) && name !== ROCKETMQ_CONNECT_TIMESTAMP;
}

/** Decodes the header that a property stands for, see {@link isHeaderProperty}. */
export function propertyToHeader(name: string, value: string): MessageHeader {
  const match = ESCAPED_NAME.exec(name);
  if (match === null) {
    const isForeign = name.startsWith(ROCKETMQ_CONNECT_HEADER_PREFIX);
    return { key: isForeign ? name.slice(ROCKETMQ_CONNECT_HEADER_PREFIX.length) : name, value };
  }
  const key = decodeKey(match[3] ?? '');
  if (match[1] === 'n') return { key, value: null };
  const bytes = unmarkBase64(value);
  if (match[1] === 'b') return { key, value: bytes ?? Buffer.from(value, 'utf8') };
  return { key, value: bytes?.toString('utf8') ?? value };
}

/** Returns whether a key can be the name of a property. A comma would break the list that keeps the order of headers. */
function isPlainHeaderKey(key: string): boolean {
  return (
    isPlainText(key) &&
    !key.includes(',') &&
    !key.startsWith(SLUICE_PREFIX) &&
    !key.startsWith(ROCKETMQ_CONNECT_HEADER_PREFIX) &&
    key !== ROCKETMQ_CONNECT_TIMESTAMP &&
    !isReservedProperty(key)
  );
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
