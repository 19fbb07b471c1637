import type { FieldError } from '@sluice/sdk';
import type { JavaPattern } from './java-pattern.js';

/** A text, or a group of the match by number or name. */
type Part = { readonly text: string } | { readonly group: number | string };

/** A replacement as `Matcher.replaceFirst` of Java takes it: `$1` and `${name}` stand for groups, `\` takes a character as it is. */
export class JavaReplacement {
  readonly #parts: readonly Part[];

  /** @throws SyntaxError for a group that the pattern has not, and for a `$` or `\` that nothing follows */
  constructor(
    text: string,
    private readonly pattern: JavaPattern,
  ) {
    this.#parts = partsOf(text, pattern.groups());
  }

  /** Returns the text with its first match replaced. */
  replaceFirst(text: string): string {
    const match = this.pattern.find(text);
    return match === null ? text : this.#replaced(text, [match]);
  }

  /** Returns the text with every match replaced. */
  replaceAll(text: string): string {
    return this.#replaced(text, this.pattern.findAll(text));
  }

  #replaced(text: string, matches: readonly RegExpExecArray[]): string {
    let out = '';
    let from = 0;
    for (const match of matches) {
      out += text.slice(from, match.index);
      for (const part of this.#parts) out += 'text' in part ? part.text : groupOf(match, part.group);
      from = match.index + match[0].length;
    }
    return out + text.slice(from);
  }
}

/** Explains why a setting is no replacement for the matches of a pattern. */
export function replacementErrors(field: string, replacement: string, pattern: JavaPattern): readonly FieldError[] {
  try {
    new JavaReplacement(replacement, pattern);
    return [];
  } catch (error) {
    return [{ field, message: `Invalid value ${replacement} for configuration ${field}: ${(error as Error).message}` }];
  }
}

function groupOf(match: RegExpExecArray, group: number | string): string {
  return (typeof group === 'number' ? match[group] : match.groups?.[group]) ?? '';
}

function partsOf(text: string, { count, names }: ReturnType<JavaPattern['groups']>): Part[] {
  const parts: Part[] = [];
  let literal = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') {
      at += 1;
      if (at === text.length) throw new SyntaxError('character to be escaped is missing behind the last \\');
      literal += text.charAt(at);
      continue;
    }
    if (char !== '$') {
      literal += char;
      continue;
    }
    const { group, length } = groupAt(text.slice(at + 1), count, names);
    at += length;
    parts.push({ text: literal }, { group });
    literal = '';
  }
  return [...parts, { text: literal }].filter((part) => !('text' in part) || part.text !== '');
}

/** Reads what follows a `$`: as many digits as there is a group for, as in Java. */
function groupAt(text: string, count: number, names: ReadonlySet<string>): { readonly group: number | string; readonly length: number } {
  const [braced, name] = /^\{([a-zA-Z][a-zA-Z0-9]*)\}/.exec(text) ?? [];
  if (braced !== undefined && name !== undefined) {
    if (!names.has(name)) throw new SyntaxError(`No group with name {${name}}; write \\$ for the character`);
    return { group: name, length: braced.length };
  }
  const [digits = ''] = /^\d+/.exec(text) ?? [];
  if (digits === '') throw new SyntaxError('Illegal group reference: a number or {name} must follow $; write \\$ for the character');
  let length = 1;
  if (Number(digits.charAt(0)) > count) throw new SyntaxError(`No group ${digits.charAt(0)}; the pattern has ${count}`);
  while (length < digits.length && Number(digits.slice(0, length + 1)) <= count) length += 1;
  return { group: Number(digits.slice(0, length)), length };
}
