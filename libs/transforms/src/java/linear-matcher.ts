import { RE2JS } from 're2js';
import type { JavaPattern } from './java-pattern.js';

/** What RE2 means by it as JavaScript with the flag `v` does: escapes of characters, boundaries, quantifiers, and groups that look nowhere. */
const OUTSIDE = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9a-f]+\}|[nrftbB]|[^a-zA-Z0-9])|\((?:\?:|\?<[a-zA-Z]\w*>)?(?!\?)|[^\\([]/uy;
/** A class without classes in it; what is special in one, the translator escapes. */
const CLASS = /\[\^?(?:\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|u\{[0-9a-f]+\}|[nrftsS])|[^\\[\]&])+\]/uy;

/**
 * Makes of a pattern a test of whole texts, which takes time in proportion to the text where RE2 can honour the pattern. It cannot honour
 * lookarounds, `$` that stands for one, properties, and classes in classes. With these the test is the pattern's own, which may take very long.
 */
export function linearMatcher(pattern: JavaPattern): (text: string) => boolean {
  const source = linearSource(pattern.source);
  if (source !== undefined) {
    try {
      const regex = RE2JS.compile(source);
      return (text) => regex.matches(text);
    } catch {
      // A repetition that is too large for it.
    }
  }
  return (text) => pattern.matches(text);
}

/** Returns a translated pattern as RE2 writes it; `undefined` where something may mean something else there. */
function linearSource(source: string): string | undefined {
  let out = '';
  for (let at = 0; at < source.length;) {
    const token = tokenAt(OUTSIDE, source, at) ?? tokenAt(CLASS, source, at);
    if (token === undefined) return undefined;
    out += token.replace(/\\u\{?([0-9A-Fa-f]+)\}?/g, '\\x{$1}');
    at += token.length;
  }
  return out;
}

function tokenAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}
