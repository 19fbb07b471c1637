/**
 * Reads a whole number from 0, written in lower case without leading zeros, from `text[start, end)`; `undefined` for anything else.
 * By hand, because it runs several times for each message that is read.
 */
export function parseBase36(text: string, start: number, end: number): number | undefined {
  if (start >= end || (text.charCodeAt(start) === 48 && end - start > 1)) return undefined;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 122 ? code - 87 : -1;
    if (digit < 0) return undefined;
    value = value * 36 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}
