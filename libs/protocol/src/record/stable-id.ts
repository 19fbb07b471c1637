import { createHash } from 'node:crypto';

export const ID_LENGTH = 8;
const ID_SPACE = 36 ** ID_LENGTH;

/** Returns eight base36 characters from the first 48 bits of SHA-256 over the parts, which are joined by a zero byte. */
export function stableId(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join('\0'), 'utf8').digest();
  return (digest.readUIntBE(0, 6) % ID_SPACE).toString(36).padStart(ID_LENGTH, '0');
}

/** Returns whether an id and then a full stop stand at `start`. */
export function isId(text: string, start: number): boolean {
  for (let at = start; at < start + ID_LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 122))) return false;
  }
  return text[start + ID_LENGTH] === '.';
}
