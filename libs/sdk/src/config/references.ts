/** A part of a value that stands for itself. */
export interface TextPart {
  readonly kind: 'text';
  readonly text: string;
}

/** A part of a value that a config provider replaces: `${provider:path:key}` or `${provider:key}`. */
export interface ReferencePart {
  readonly kind: 'reference';
  /** As it stands in the value, from `${` to `}`. */
  readonly source: string;
  readonly provider: string;
  /** What stands between the first two colons; absent where there is one colon. It may hold references itself. */
  readonly path?: readonly ValuePart[];
  readonly key: readonly ValuePart[];
}

/** A reference that has no end, or holds too many others. */
export interface BrokenPart {
  readonly kind: 'broken';
  readonly source: string;
  readonly reason: string;
}

export type ValuePart = TextPart | ReferencePart | BrokenPart;

const START = /\$?\$\{(?:([A-Za-z][\w.-]{0,63}):)?/y;
const MAX_DEPTH = 5;

/** Whether a value has a reference or an escape: most have none, and need no further look. */
export function mayHoldReferences(value: string): boolean {
  return value.includes('${');
}

/**
 * Splits a value into text and references. A reference is `${name:` up to its `}`, as in Kafka Connect; `${` without a name and a colon after it is
 * text. `$${` is an escape for the text `${`. References may stand inside path and key of another one, five deep.
 */
export function parseReferences(value: string): readonly ValuePart[] {
  return readParts(value, 0, '', 0).parts;
}

interface Read {
  readonly parts: readonly ValuePart[];
  /** Where the reading ended: at one of the characters that it was to end at, or behind the value. */
  readonly end: number;
}

function readParts(value: string, from: number, ends: string, depth: number): Read {
  const parts: ValuePart[] = [];
  let text = '';
  let at = from;
  const flush = (): void => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
  };
  while (at < value.length && !ends.includes(value.charAt(at))) {
    START.lastIndex = at;
    const [start, provider] = (value.charAt(at) === '$' && START.exec(value)) || [];
    if (start === undefined) {
      const next = ends === '' ? value.indexOf('$', at + 1) : at + 1;
      text += value.slice(at, next === -1 ? value.length : next);
      at = next === -1 ? value.length : next;
    } else if (start.startsWith('$$')) {
      text += '${';
      at += 3;
    } else if (provider === undefined) {
      text += start;
      at += start.length;
    } else {
      flush();
      const read = readReference(value, at, { provider, argumentsFrom: at + start.length, depth });
      parts.push(read.part);
      at = read.end;
    }
  }
  flush();
  return { parts, end: at };
}

function readReference(
  value: string,
  from: number,
  { provider, argumentsFrom, depth }: { readonly provider: string; readonly argumentsFrom: number; readonly depth: number },
): { readonly part: ValuePart; readonly end: number } {
  const broken = (reason: string) =>
    ({ part: { kind: 'broken', source: value.slice(from, argumentsFrom), reason }, end: value.length }) as const;
  if (depth === MAX_DEPTH) return broken(`holds more than ${MAX_DEPTH} references inside each other`);
  const first = readParts(value, argumentsFrom, ':}', depth + 1);
  const second = value.charAt(first.end) === ':' ? readParts(value, first.end + 1, '}', depth + 1) : undefined;
  const end = (second ?? first).end;
  const inner = [...first.parts, ...(second?.parts ?? [])].find((part) => part.kind === 'broken');
  if (inner !== undefined) return broken(inner.reason);
  if (value.charAt(end) !== '}') return broken('has no closing brace');
  const source = value.slice(from, end + 1);
  const part: ReferencePart =
    second === undefined
      ? { kind: 'reference', source, provider, key: first.parts }
      : { kind: 'reference', source, provider, path: first.parts, key: second.parts };
  return { part, end: end + 1 };
}

/** Writes a text so that {@link parseReferences} reads it as this text. */
export function escapeReferences(text: string): string {
  if (!mayHoldReferences(text)) return text;
  const [only, ...more] = parseReferences(text);
  const isPlain = more.length === 0 && only?.kind === 'text' && only.text === text;
  return isPlain ? text : text.replaceAll('${', () => '$${');
}

/** Replaces each reference of a value, from `${` to `}`, by what a function gives for it; all else stays as it is written. */
export function replaceReferences(value: string, replacement: (source: string) => string): string {
  if (!mayHoldReferences(value)) return value;
  let replaced = '';
  let done = 0;
  let at = value.indexOf('$');
  while (at !== -1) {
    START.lastIndex = at;
    const [start = '$', provider] = START.exec(value) ?? [];
    let next = at + start.length;
    if (start.startsWith('$$')) next = at + 3;
    else if (provider !== undefined) {
      const { part, end } = readReference(value, at, { provider, argumentsFrom: next, depth: 0 });
      if (part.kind === 'reference') {
        replaced += value.slice(done, at) + replacement(part.source);
        done = end;
      }
      next = end;
    }
    at = value.indexOf('$', next);
  }
  return replaced + value.slice(done);
}

/** Whether a value consists of references, so that nothing in it is a secret. */
export function isReference(value: string): boolean {
  if (!mayHoldReferences(value)) return false;
  const parts = parseReferences(value);
  return parts.length > 0 && parts.every((part) => part.kind === 'reference' || (part.kind === 'text' && part.text.trim() === ''));
}
