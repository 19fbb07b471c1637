import type { FieldError } from '@sluice/sdk';

/** Checks that a sink reads either topics by name or those that match a pattern; the texts are Kafka Connect's. */
export function topicsErrors(topics: readonly string[] | undefined, regex: string | undefined): readonly FieldError[] {
  const hasTopics = topics !== undefined && topics.length > 0;
  const pattern = regex?.trim() ?? '';
  if (hasTopics && pattern !== '') {
    const message = 'topics and topics.regex are mutually exclusive options, but both are set.';
    return [{ field: 'topics', message }];
  }
  if (hasTopics) return [];
  if (pattern === '') return [{ field: 'topics', message: 'Must configure one of topics or topics.regex' }];
  try {
    topicPattern(pattern);
    return [];
  } catch (error) {
    const reason =
      `Must be a valid regular expression of JavaScript: ${(error as Error).message}. ` +
      "Of Java's own syntax only (?i) at the beginning is supported.";
    return [{ field: 'topics.regex', message: `Invalid value ${pattern} for configuration topics.regex: ${reason}` }];
  }
}

/** Reads a pattern of topic names; `(?i)` at its beginning ignores case, as in Java. @throws SyntaxError */
export function topicPattern(regex: string): RegExp {
  const pattern = regex.trim();
  return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'iu') : new RegExp(pattern, 'u');
}
