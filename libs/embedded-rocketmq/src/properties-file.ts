/**
 * A Java properties file (java.util.Properties#load: ISO 8859-1, `\` escapes), one `key=value` line per entry.
 * Characters outside printable ASCII are written as `\uXXXX`, so any path survives.
 */
export function renderProperties(entries: Readonly<Record<string, string>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${escapeKey(key)}=${escapeText(value)}\n`)
    .join('');
}

function escapeKey(key: string): string {
  return escapeText(key).replace(/[ :=]/g, (character) => `\\${character}`);
}

function escapeText(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/^[ #!]/, (character) => `\\${character}`)
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
