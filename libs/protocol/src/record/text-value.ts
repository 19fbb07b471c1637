import { asBuffer } from '../bytes/as-buffer.js';
import { isUtf8 } from 'node:buffer';

/**
 * Texts inside property values. A property cannot hold an empty text, control characters, bytes that are no UTF-8, or a leading `~`. Such a
 * text becomes `~` and base64url.
 */

const CONTROL_OR_LONE_SURROGATE = /[\p{Cc}\p{Cs}]/u;
const MARK = '~';

export function isPlainText(text: string): boolean {
  return text !== '' && !text.startsWith(MARK) && !CONTROL_OR_LONE_SURROGATE.test(text);
}

export function markedBase64(bytes: Uint8Array): string {
  return MARK + asBuffer(bytes).toString('base64url');
}

/** Decodes the bytes of {@link markedBase64}; `undefined` for any other text. */
export function unmarkBase64(text: string): Buffer | undefined {
  return text.startsWith(MARK) ? Buffer.from(text.slice(1), 'base64url') : undefined;
}

/** Writes bytes as a property value, as text where they are plain text. */
export function bytesToPropertyValue(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) return markedBase64(bytes);
  const text = asBuffer(bytes).toString('utf8');
  return isPlainText(text) ? text : markedBase64(bytes);
}
