import { RE2JS } from 're2js';

/** Blanks and ends of lines, as ECMAScript has them. */
const BLANKS = '\\t\\n\\v\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}';
const NO_LINE_END = '[^\\n\\r\\x{2028}\\x{2029}]';
const TOKEN = /\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\.|[^\\]/gsu;

/**
 * Makes what matches a pattern of a JSON Schema in time that is proportional to the text, whatever the pattern. JavaScript's own expressions
 * may take longer than any limit, and nothing can end them.
 *
 * @throws TypeError for patterns that need more: lookarounds, backreferences, more than 1000 repetitions
 */
export function linearPattern(pattern: string, flags: string): { test(text: string): boolean } {
  // The syntax is ECMAScript's; what the other one has beyond it is no pattern of a JSON Schema.
  new RegExp(pattern, flags);
  try {
    const regex = RE2JS.compile(translated(pattern));
    return { test: (text) => regex.matcher(text).find() };
  } catch (error) {
    throw new TypeError(`the pattern ${JSON.stringify(pattern)} is not supported: ${(error as Error).message}`, { cause: error });
  }
}
// For code that the library would write to a file, which nobody does.
linearPattern.code = 'linearPattern';

/** Returns a pattern with the same meaning in the syntax of RE2. */
function translated(pattern: string): string {
  let isInClass = false;
  return pattern.replaceAll(TOKEN, (token: string, braced: string | undefined, plain: string | undefined) => {
    const point = braced ?? plain;
    if (point !== undefined) {
      if (/^d[89a-f]../i.test(point)) throw new TypeError('halves of surrogate pairs need the character itself');
      return `\\x{${point}}`;
    }
    if (token === '\\s') return isInClass ? BLANKS : `[${BLANKS}]`;
    if (token === '\\S') {
      if (isInClass) throw new TypeError('\\S stands in a class of characters');
      return `[^${BLANKS}]`;
    }
    if (isInClass) {
      if (token === ']') isInClass = false;
      return token === '[' ? '\\[' : token;
    }
    if (token === '[') isInClass = true;
    return token === '.' ? NO_LINE_END : token;
  });
}
