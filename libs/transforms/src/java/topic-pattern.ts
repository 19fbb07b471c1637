import type { FieldError } from '@sluice/sdk';

/** Explains why a setting is no pattern of topic names. */
export function patternErrors(field: string, pattern: string): readonly FieldError[] {
  try {
    topicPattern(pattern);
    return [];
  } catch (error) {
    const reason =
      `Must be a valid regular expression of JavaScript: ${(error as Error).message}. ` +
      "Of Java's own syntax only (?i) at the beginning is supported.";
    return [{ field, message: `Invalid value ${pattern} for configuration ${field}: ${reason}` }];
  }
}

/** Reads a pattern of topic names; `(?i)` at its beginning ignores case, as in Java. @throws SyntaxError */
export function topicPattern(regex: string): RegExp {
  const pattern = regex.trim();
  return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'iu') : new RegExp(pattern, 'u');
}

/** Makes a pattern that matches whole names only. */
export function wholeName({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})$`, flags);
}
