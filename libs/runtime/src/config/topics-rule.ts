import type { FieldError } from '@sluice/sdk';
import { patternErrors } from '@sluice/transforms';

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
  return patternErrors('topics.regex', pattern);
}
