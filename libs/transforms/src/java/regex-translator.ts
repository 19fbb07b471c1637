import { LINE_ENDS, PREDEFINED, propertyClass } from './character-classes.js';

interface Flags {
  readonly ignoreCase: boolean;
  readonly unicodeCase: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
  readonly comments: boolean;
  readonly unixLines: boolean;
}

const FLAG_LETTERS: Readonly<Record<string, keyof Flags>> = {
  i: 'ignoreCase',
  u: 'unicodeCase',
  s: 'dotAll',
  m: 'multiline',
  x: 'comments',
  d: 'unixLines',
};
const NO_FLAGS: Flags = { ignoreCase: false, unicodeCase: false, dotAll: false, multiline: false, comments: false, unixLines: false };
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };
const LINE_BREAK = '(?:\\r\\n|[\\n\\x0B\\f\\r\\x85\\u2028\\u2029])';
const HINT = 'rewrite the pattern without it';

/**
 * Translates a regular expression of Java (`java.util.regex.Pattern`) into the source of one of JavaScript with the flag `v`, which matches the
 * same texts.
 *
 * Flags inside of a pattern, classes with `&&`, `\Q…\E`, POSIX classes and Java's line terminators are honoured. Possessive quantifiers, atomic
 * groups, backreferences and `\G` are refused: JavaScript has none, or means something else by them.
 *
 * @param flags letters of Java's embedded flags that hold from the beginning
 * @throws SyntaxError naming what is refused or cannot be read
 */
export function translateRegex(pattern: string, flags = ''): string {
  return new RegexTranslator(pattern, withFlags(NO_FLAGS, flags, '')).translate();
}

class RegexTranslator {
  #at = 0;
  #flags: Flags;
  readonly #outer: Flags[] = [];

  constructor(
    private readonly pattern: string,
    flags: Flags,
  ) {
    this.#flags = flags;
  }

  translate(): string {
    let out = '';
    while (this.#at < this.pattern.length) out += this.#next();
    return out;
  }

  #next(): string {
    const char = this.#take();
    switch (char) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#class();
      case '(':
        return this.#group();
      case ')':
        this.#flags = this.#outer.pop() ?? this.#flags;
        return ')';
      case '.':
        if (this.#flags.dotAll) return '[\\s\\S]';
        return this.#flags.unixLines ? '[^\\n]' : `[^${LINE_ENDS}]`;
      case '^':
        return this.#flags.multiline ? this.#lineStart() : '^';
      case '$':
        return this.#end(this.#flags.multiline);
      case '|':
        return '|';
      case '*':
      case '+':
      case '?':
        return char + this.#quantifierEnd(char);
      case '{':
        return this.#counted();
      case '#':
        return this.#flags.comments ? this.#comment() : this.#literal(char);
      default:
        return this.#flags.comments && /^[ \t\n\v\f\r]$/.test(char) ? '' : this.#literal(char);
    }
  }

  #take(): string {
    const code = this.pattern.codePointAt(this.#at);
    if (code === undefined) throw new SyntaxError('it ends too early');
    const char = String.fromCodePoint(code);
    this.#at += char.length;
    return char;
  }

  /** Takes a text if it comes next. */
  #takes(text: string): boolean {
    if (!this.pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #comment(): string {
    while (this.#at < this.pattern.length && !/[\n\r\u0085\u2028\u2029]/.test(this.#take()));
    return '';
  }

  #lineStart(): string {
    return this.#flags.unixLines ? '(?:^|(?<=\\n)(?=[\\s\\S]))' : '(?:^|(?<=[\\n\\x85\\u2028\\u2029]|\\r(?!\\n))(?=[\\s\\S]))';
  }

  /** Java's end is also before a line terminator at the end, and with `m` before each one. */
  #end(everyLine: boolean): string {
    if (this.#flags.unixLines) return everyLine ? '(?=$|\\n)' : '(?=\\n?$)';
    const lineEnd = '\\r\\n|(?<!\\r)\\n|[\\r\\x85\\u2028\\u2029]';
    return everyLine ? `(?=$|${lineEnd})` : `(?=(?:${lineEnd})?$)`;
  }

  #quantifierEnd(quantifier: string): string {
    if (this.#takes('+')) throw new SyntaxError(`the possessive quantifier ${quantifier}+ is not supported; ${HINT}`);
    return this.#takes('?') ? '?' : '';
  }

  #counted(): string {
    const [text] = /^\{\d+(?:,\d*)?\}/.exec(this.pattern.slice(this.#at - 1)) ?? [];
    if (text === undefined) throw new SyntaxError(`Illegal repetition at index ${this.#at - 1}; write \\{ for the character`);
    this.#at += text.length - 1;
    return text + this.#quantifierEnd(text);
  }

  #group(): string {
    const isCapturing = !this.#takes('?');
    this.#outer.push(this.#flags);
    if (isCapturing) return '(';
    for (const kind of ['<=', '<!', '=', '!', ':']) if (this.#takes(kind)) return `(?${kind}`;
    if (this.#takes('>')) throw new SyntaxError(`the atomic group (?> is not supported; ${HINT}`);
    const rest = this.pattern.slice(this.#at);
    const [named] = /^<[a-zA-Z][a-zA-Z0-9]*>/.exec(rest) ?? [];
    if (named !== undefined) {
      this.#at += named.length;
      return `(?${named}`;
    }
    const [text, on = '', off = '', end] = /^([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/.exec(rest) ?? [];
    if (text === undefined) throw new SyntaxError(`Unknown inline modifier or group near index ${this.#at}`);
    this.#at += text.length;
    const flags = withFlags(this.#flags, on, off);
    if (end === ')') this.#outer.pop();
    this.#flags = flags;
    return end === ')' ? '' : '(?:';
  }

  #escape(): string {
    const char = this.#take();
    if (Object.hasOwn(PREDEFINED, char)) return `[${PREDEFINED[char]}]`;
    if (/[DWSHV]/.test(char)) return `[^${PREDEFINED[char.toLowerCase()]}]`;
    switch (char) {
      case 'A':
        return '^';
      case 'z':
        return '$';
      case 'Z':
        return this.#end(false);
      case 'b':
      case 'B':
        if (this.#takes('{')) throw new SyntaxError(`the boundary \\${char}{ is not supported; ${HINT}`);
        return `\\${char}`;
      case 'R':
        return LINE_BREAK;
      case 'Q':
        return this.#quoted();
      case 'p':
      case 'P':
        return `[${char === 'P' ? '^' : ''}${this.#property()}]`;
      default:
        return this.#literal(this.#character(char));
    }
  }

  #quoted(): string {
    const end = this.pattern.indexOf('\\E', this.#at);
    const text = this.pattern.slice(this.#at, end < 0 ? undefined : end);
    this.#at += text.length + (end < 0 ? 0 : 2);
    return Array.from(text, (char) => this.#literal(char)).join('');
  }

  #property(): string {
    const [text = '', braced, letter] = /^(?:\{([^}]*)\}|([a-zA-Z]))/.exec(this.pattern.slice(this.#at)) ?? [];
    const name = braced ?? letter ?? '';
    this.#at += text.length;
    const content = propertyClass(name, this.#flags.ignoreCase);
    if (content !== undefined) return content;
    throw new SyntaxError(`the class \\p{${name}} is not supported; supported are POSIX names, general categories and Is with a script`);
  }

  /** Returns the character that an escape stands for, which begins with `char`. */
  #character(char: string): string {
    const control = Object.hasOwn(CONTROLS, char) ? CONTROLS[char] : undefined;
    if (control !== undefined) return String.fromCodePoint(control);
    if (/[1-9]/.test(char) || char === 'k') throw new SyntaxError(`the backreference \\${char} is not supported; ${HINT}`);
    const rest = this.pattern.slice(this.#at);
    if (char === 'c') return String.fromCodePoint((this.#take().codePointAt(0) ?? 0) ^ 64);
    const form = { '0': /^([0-3][0-7]{0,2}|[0-7]{1,2})/, x: /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/, u: /^([0-9a-fA-F]{4})/ }[char];
    if (form !== undefined) {
      const [text, first, second] = form.exec(rest) ?? [];
      const digits = first ?? second;
      if (text === undefined || digits === undefined) throw new SyntaxError(`Illegal escape \\${char} at index ${this.#at - 1}`);
      this.#at += text.length;
      return this.#unit(Number.parseInt(digits, char === '0' ? 8 : 16));
    }
    if (/[a-zA-Z]/.test(char)) throw new SyntaxError(`Illegal/unsupported escape sequence \\${char}`);
    return char;
  }

  /** Returns a code point, of two escapes where the first one is a surrogate. */
  #unit(code: number): string {
    if (code > 0x10ffff) throw new SyntaxError(`Hexadecimal codepoint is too big: ${code.toString(16)}`);
    const [text, low] = /^\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(this.pattern.slice(this.#at)) ?? [];
    if (code < 0xd800 || code > 0xdbff || text === undefined || low === undefined) return String.fromCodePoint(code);
    this.#at += text.length;
    return String.fromCharCode(code, Number.parseInt(low, 16));
  }

  #literal(char: string): string {
    const forms = caseForms(char, this.#flags);
    return forms.length === 1 ? escaped(char) : `[${forms.map(escapedInClass).join('')}]`;
  }

  /** Translates a class behind its opening bracket. Operands of `&&` become classes of their own. */
  #class(): string {
    const negation = this.#takes('^') ? '^' : '';
    const operands = [''];
    let isFirst = true;
    for (;;) {
      if (this.#at >= this.pattern.length) throw new SyntaxError('Unclosed character class');
      if (!isFirst && this.#takes(']')) break;
      if (this.#takes('&&')) operands.push('');
      else operands.push((operands.pop() ?? '') + this.#classItem());
      isFirst = false;
    }
    if (operands.length === 1) return `[${negation}${operands[0]}]`;
    if (operands.includes('')) throw new SyntaxError('a class with && needs characters on both sides');
    return `[${negation}${operands.map((operand) => `[${operand}]`).join('&&')}]`;
  }

  #classItem(): string {
    const char = this.#take();
    if (char === '[') return this.#class();
    if (this.#flags.comments && /^[ \t\n\v\f\r]$/.test(char)) return '';
    if (char === '\\') {
      const next = this.#take();
      if (Object.hasOwn(PREDEFINED, next)) return PREDEFINED[next] ?? '';
      if (/[DWSHV]/.test(next)) return `[^${PREDEFINED[next.toLowerCase()]}]`;
      if (next === 'p') return this.#property();
      if (next === 'P') return `[^${this.#property()}]`;
      if (next === 'Q') return this.#quotedInClass();
      return this.#range(this.#character(next));
    }
    return this.#range(char);
  }

  #quotedInClass(): string {
    const end = this.pattern.indexOf('\\E', this.#at);
    const text = this.pattern.slice(this.#at, end < 0 ? undefined : end);
    this.#at += text.length + (end < 0 ? 0 : 2);
    return Array.from(text, (char) => this.#single(char)).join('');
  }

  /** Translates a range that begins with a character, or the character where none follows. */
  #range(first: string): string {
    const after = this.pattern.charAt(this.#at + 1);
    const isRange = this.pattern.charAt(this.#at) === '-' && after !== '' && after !== ']' && after !== '[';
    if (!isRange) return this.#single(first);
    this.#at += 1;
    const char = this.#take();
    const last = char === '\\' ? this.#character(this.#take()) : char;
    const [from, to] = [first.codePointAt(0) ?? 0, last.codePointAt(0) ?? 0];
    if (from > to) throw new SyntaxError(`Illegal character range ${first}-${last}`);
    const own = `${escapedInClass(first)}-${escapedInClass(last)}`;
    if (!this.#flags.ignoreCase) return own;
    if (this.#flags.unicodeCase && to > 0x7f)
      throw new SyntaxError(`the range ${first}-${last} under (?u) is not supported; list its characters`);
    return own + otherCase(from, to, 0x41, 32) + otherCase(from, to, 0x61, -32);
  }

  #single(char: string): string {
    return caseForms(char, this.#flags).map(escapedInClass).join('');
  }
}

/** Returns the letters of the other case of those in a range. */
function otherCase(from: number, to: number, firstLetter: number, distance: number): string {
  const [low, high] = [Math.max(from, firstLetter), Math.min(to, firstLetter + 25)];
  return low > high ? '' : `${String.fromCharCode(low + distance)}-${String.fromCharCode(high + distance)}`;
}

/** Returns a character, and where case is ignored the same letter in other cases; in ASCII alone without `u`, as in Java. */
function caseForms(char: string, { ignoreCase, unicodeCase }: Flags): readonly string[] {
  if (!ignoreCase) return [char];
  if (!/[a-zA-Z]/.test(char) && !(unicodeCase && char > '\u007f')) return [char];
  const forms = [char, char.toLowerCase(), char.toUpperCase()].filter((form) => Array.from(form).length === 1);
  return [...new Set(forms)];
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

function escapedInClass(char: string): string {
  if (/[a-zA-Z0-9]/.test(char)) return char;
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

function withFlags(flags: Flags, on: string, off: string): Flags {
  const changed = { ...flags };
  for (const [letters, value] of [[on, true] as const, [off, false] as const]) {
    for (const letter of letters) {
      const flag = Object.hasOwn(FLAG_LETTERS, letter) ? FLAG_LETTERS[letter] : undefined;
      if (flag === undefined)
        throw new SyntaxError(`the flag (?${letter}) is not supported; supported are ${Object.keys(FLAG_LETTERS).join(', ')}`);
      changed[flag] = value;
    }
  }
  return changed;
}
