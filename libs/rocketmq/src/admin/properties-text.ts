import { InvalidArgumentError } from '../errors.js';

const KEY = /^[a-zA-Z0-9._-]+$/;
const ESCAPED = /[^\x20-\x7e]/g;

/** Reads settings as brokers and name servers write them: one `name=value` per line, nothing escaped. */
export function parseSettings(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const separator = line.indexOf('=');
    if (separator > 0) settings.set(line.slice(0, separator).trim(), line.slice(separator + 1).trim());
  }
  return settings;
}

/**
 * Writes settings as brokers and name servers read them: Java properties in ISO 8859-1. They keep them in a file without
 * any escaping. What follows a line break in a value would become a setting of its own, so a line break is refused.
 * @throws InvalidArgumentError
 */
export function formatSettings(settings: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(settings).map(([name, value]) => {
    if (!KEY.test(name)) throw new InvalidArgumentError(`setting '${name}': allowed are 1 or more of [a-zA-Z0-9._-]`);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    if (/[\u0000-\u001f\u007f]/.test(value)) {
      throw new InvalidArgumentError(`setting ${name}: allowed is text without control characters`);
    }
    return `${name}=${escape(value)}\n`;
  });
  if (lines.length === 0) throw new InvalidArgumentError('settings {}: at least one is needed');
  return Buffer.from(lines.join(''), 'latin1');
}

function escape(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replace(/^ /, '\\ ')
    .replace(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
