import { MalformedDataError } from '../errors.js';

/** Objects become Maps, since the brokers also write objects whose keys are objects. Bare keys become strings. */
export type TolerantValue = string | number | bigint | boolean | null | readonly TolerantValue[] | TolerantMap;
export type TolerantMap = ReadonlyMap<TolerantKey, TolerantValue>;
export type TolerantKey = string | TolerantMap;

const MAX_DEPTH = 64;
const BARE_TOKEN = /[-+.\w$]+/y;
const NUMBER = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/;

/**
 * Parses the JSON-like bodies of brokers and name servers (fastjson): standard JSON, and bare or object keys.
 * Integers beyond 2^53 become bigints.
 * @throws MalformedDataError
 */
export function parseTolerantJson(text: string): TolerantValue {
  return new Parser(text).parse();
}

class Parser {
  #at = 0;

  constructor(private readonly text: string) {}

  parse(): TolerantValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.text.length) throw this.#unexpected('end of text');
    return value;
  }

  #value(depth: number): TolerantValue {
    if (depth > MAX_DEPTH) throw new MalformedDataError('JSON', `more than ${MAX_DEPTH} levels`);
    this.#skipSpace();
    switch (this.text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case undefined:
      default:
        return this.#bareValue();
    }
  }

  #object(depth: number): TolerantMap {
    this.#at += 1;
    const map = new Map<TolerantKey, TolerantValue>();
    if (this.#accept('}')) return map;
    do {
      const key = this.#key(depth);
      this.#expect(':');
      map.set(key, this.#value(depth + 1));
    } while (this.#accept(','));
    this.#expect('}');
    return map;
  }

  #array(depth: number): readonly TolerantValue[] {
    this.#at += 1;
    const values: TolerantValue[] = [];
    if (this.#accept(']')) return values;
    do values.push(this.#value(depth + 1));
    while (this.#accept(','));
    this.#expect(']');
    return values;
  }

  #key(depth: number): TolerantKey {
    this.#skipSpace();
    const char = this.text[this.#at];
    if (char === '"') return this.#string();
    if (char === '{') {
      if (depth >= MAX_DEPTH) throw new MalformedDataError('JSON', `more than ${MAX_DEPTH} levels`);
      return this.#object(depth + 1);
    }
    return this.#bareToken('a key');
  }

  #string(): string {
    const start = this.#at;
    let end = this.text.indexOf('"', start + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.text.indexOf('"', end + 1);
    if (end < 0) throw this.#unexpected('a closed string');
    this.#at = end + 1;
    const token = this.text.slice(start, end + 1);
    try {
      return JSON.parse(token) as string;
    } catch {
      return token.slice(1, -1);
    }
  }

  /** Returns whether an odd number of backslashes stands before a character. */
  #isEscaped(at: number): boolean {
    let first = at;
    while (this.text[first - 1] === '\\') first -= 1;
    return (at - first) % 2 === 1;
  }

  #bareValue(): TolerantValue {
    const token = this.#bareToken('a value');
    if (token === 'null') return null;
    if (token === 'true') return true;
    if (token === 'false') return false;
    if (!NUMBER.test(token)) throw new MalformedDataError('JSON', `'${token}' before character ${this.#at}`);
    const number = Number(token);
    return Number.isInteger(number) && !Number.isSafeInteger(number) && /^-?\d+$/.test(token) ? BigInt(token) : number;
  }

  #bareToken(expected: string): string {
    const token = this.#match(BARE_TOKEN);
    if (token === undefined) throw this.#unexpected(expected);
    return token;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.text)?.[0];
    if (token !== undefined) this.#at += token.length;
    return token;
  }

  #accept(char: string): boolean {
    this.#skipSpace();
    if (this.text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #expect(char: string): void {
    if (!this.#accept(char)) throw this.#unexpected(`'${char}'`);
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #unexpected(expected: string): MalformedDataError {
    const found = this.#at < this.text.length ? `'${this.text.slice(this.#at, this.#at + 8)}'` : 'the end';
    return new MalformedDataError('JSON', `${found} at character ${this.#at} where ${expected} should be`);
  }
}
