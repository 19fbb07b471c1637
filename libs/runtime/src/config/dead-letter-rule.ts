import type { FieldError } from '@sluice/sdk';
import { JavaPattern } from '@sluice/transforms';
import type { CommonSettings, SinkSettings } from './connector-settings.js';

const TOPIC = 'errors.deadletterqueue.topic.name';

/** Checks that a sink does not read its own dead letters: each of them would fail again, without end. */
export function deadLetterErrors(
  topic: string,
  { topics, 'topics.regex': pattern }: Pick<SinkSettings, 'topics' | 'topics.regex'>,
): readonly FieldError[] {
  if (topic === '') return [];
  if (topics?.includes(topic) === true) {
    return [
      { field: TOPIC, message: `The dead letter topic ${topic} is one of the topics that the sink reads (topics); give another one.` },
    ];
  }
  if (pattern === undefined || pattern.trim() === '' || !new JavaPattern(pattern.trim()).matches(topic)) return [];
  const message = `The dead letter topic ${topic} is one of those that the sink reads, for topics.regex, ${pattern}, matches it; give another one.`;
  return [{ field: TOPIC, message }];
}

/** Warns of a dead letter topic that nothing is written to. */
export function deadLetterWarnings({
  [TOPIC]: topic,
  'errors.tolerance': tolerance,
}: Pick<CommonSettings, typeof TOPIC | 'errors.tolerance'>): readonly string[] {
  if (topic === '' || tolerance === 'all') return [];
  return [`Configuration ${TOPIC} has no effect while errors.tolerance is none: a record that fails ends the task.`];
}
