const GRAMMAR = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Keeps a number of a JSON text whose digits a double would change. Arithmetic sees the nearest double; whoever writes JSON,
 * or has decimals, takes `text`.
 */
export class JsonNumber {
  /** @throws SyntaxError when the text is not a JSON number (RFC 8259, section 6) */
  constructor(readonly text: string) {
    if (!GRAMMAR.test(text)) throw new SyntaxError(`${JSON.stringify(text)} is not a JSON number`);
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }
}
