import type { FieldError } from '@sluice/sdk';
import { translateRegex } from './regex-translator.js';

/** A regular expression of Java. It never changes, and its methods keep no state between calls. */
export class JavaPattern {
  readonly #find: RegExp;
  readonly #whole: RegExp;
  readonly #all: RegExp;

  /**
   * @param text the pattern as users write it for `java.util.regex.Pattern`
   * @param flags letters of Java's embedded flags, such as `i`, that hold from the beginning
   * @throws SyntaxError naming what cannot be read, or what this implementation does not honour
   */
  constructor(
    readonly text: string,
    flags = '',
  ) {
    const source = translateRegex(text, flags);
    this.#find = compiled(source);
    this.#whole = compiled(`^(?:${source})$`);
    this.#all = new RegExp(this.#find, 'gv');
  }

  /** The pattern as JavaScript writes it with the flag `v`. */
  get source(): string {
    return this.#find.source;
  }

  /** Returns whether the whole text matches. */
  matches(text: string): boolean {
    return this.#whole.test(text);
  }

  /** Returns the first match anywhere in the text. */
  find(text: string): RegExpExecArray | null {
    return this.#find.exec(text);
  }

  /** Returns all matches that do not overlap, in their order. */
  findAll(text: string): RegExpExecArray[] {
    return [...text.matchAll(this.#all)];
  }

  /** Returns how many groups there are and which names they have. */
  groups(): { readonly count: number; readonly names: ReadonlySet<string> } {
    const empty = new RegExp(`${this.#find.source}|`, 'v').exec('');
    return { count: (empty?.length ?? 1) - 1, names: new Set(Object.keys(empty?.groups ?? {})) };
  }
}

/** Explains why a setting is no regular expression of Java; nothing where it is one. */
export function patternErrors(field: string, pattern: string, flags = ''): readonly FieldError[] {
  try {
    new JavaPattern(pattern, flags);
    return [];
  } catch (error) {
    const reason = `Must be a valid regular expression, in Java's syntax: ${(error as Error).message}`;
    return [{ field, message: `Invalid value ${pattern} for configuration ${field}: ${reason}` }];
  }
}

function compiled(source: string): RegExp {
  try {
    return new RegExp(source, 'v');
  } catch (error) {
    // The message of JavaScript begins with the translated pattern, which users have not written.
    const { message } = error as Error;
    throw new SyntaxError(message.slice(message.lastIndexOf(': ') + 2), { cause: error });
  }
}
