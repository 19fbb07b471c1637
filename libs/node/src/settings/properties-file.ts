import { NodeError } from '../errors/node-error.js';

/** One setting as it stands in a file. */
export interface FileEntry {
  readonly name: string;
  readonly text: string;
  /** Line on which it begins, from 1. */
  readonly line: number;
}

/** Thrown when a file of settings is not written as its format asks. */
export class SettingsFormatError extends NodeError {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super('SETTINGS_INVALID', `line ${line}: ${reason}`);
  }
}

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

const BLANKS = ' \t\f';
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/**
 * Reads a Java properties file, as `java.util.Properties.load` describes it. Comments begin with `#` or `!`; `=`, `:` or a blank ends a name. A line
 * with a backslash at its end continues on the next one. Escapes are `\t`, `\n`, `\r`, `\f` and `\uXXXX`. The caller decides what a name that comes
 * twice means.
 *
 * @throws SettingsFormatError for a `\u` without four hexadecimal digits.
 */
export function parseProperties(text: string): readonly FileEntry[] {
  return logicalLines(text).map(({ text: content, line }) => {
    const nameEnd = endOfName(content);
    const afterBlanks = skipBlanks(content, nameEnd);
    const separator = content.charAt(afterBlanks);
    const valueStart = separator === '=' || separator === ':' ? skipBlanks(content, afterBlanks + 1) : afterBlanks;
    return { name: unescape(content.slice(0, nameEnd), line), text: unescape(content.slice(valueStart), line), line };
  });
}

/** Splits a text into lines, without comments and empty ones; joins those that a backslash ends with the next. */
function logicalLines(text: string): readonly LogicalLine[] {
  const found: LogicalLine[] = [];
  let open: LogicalLine | undefined;
  for (const [index, natural] of text.split(/\r\n|\n|\r/).entries()) {
    const content = natural.slice(skipBlanks(natural, 0));
    if (open === undefined && (content === '' || content.startsWith('#') || content.startsWith('!'))) continue;
    const isContinued = /(?:^|[^\\])(?:\\\\)*\\$/.test(content);
    const joined = {
      text: (open?.text ?? '') + (isContinued ? content.slice(0, -1) : content),
      line: open?.line ?? index + 1,
    };
    open = isContinued ? joined : undefined;
    if (!isContinued) found.push(joined);
  }
  return open === undefined ? found : [...found, open];
}

function endOfName(content: string): number {
  for (let at = 0; at < content.length; at += 1) {
    const char = content.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '=' || char === ':' || BLANKS.includes(char)) return at;
  }
  return content.length;
}

function skipBlanks(content: string, from: number): number {
  let at = from;
  while (at < content.length && BLANKS.includes(content.charAt(at))) at += 1;
  return at;
}

function unescape(content: string, line: number): string {
  return content.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) => {
    if (escaped === 'u') throw new SettingsFormatError(line, 'after \\u come four hexadecimal digits');
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return controls[escaped] ?? escaped;
  });
}
