import { parseTopicRename, type PlannedTopic, planTopics, type SeenTopics } from '@sluice/replication';
import { ConfigError, type FieldError } from '@sluice/sdk';
import { JavaPattern, patternErrors } from '@sluice/transforms';
import type { TopicSettings } from './settings.js';

/** Checks the settings that choose and rename topics. */
export function topicErrors(settings: TopicSettings): readonly FieldError[] {
  const { topics = [], 'topics.regex': regex, 'topics.exclude': excluded } = settings;
  const errors: FieldError[] = [];
  const includes = settings['topics.include.retry'] || settings['topics.include.dlq'];
  if (topics.length === 0 && regex === undefined && !includes) {
    errors.push({ field: 'topics', message: 'Either topics or topics.regex must be given: they say what is copied' });
  }
  if (regex !== undefined) errors.push(...patternErrors('topics.regex', regex));
  for (const entry of excluded) errors.push(...patternErrors('topics.exclude', entry));
  const rename = parseTopicRename(settings['topic.rename'], settings['topic.rename.prefix'] ?? '');
  return rename.ok ? errors : [...errors, ...rename.errors];
}

/**
 * Lists the topics that the source has or the settings name, with what becomes of each.
 * @throws {ConfigError} for settings in which {@link topicErrors} finds something
 */
export function planOf(settings: TopicSettings, seen: SeenTopics): readonly PlannedTopic[] {
  const { topics = [], 'topics.regex': regex, 'topics.exclude': entries } = settings;
  const rename = parseTopicRename(settings['topic.rename'], settings['topic.rename.prefix'] ?? '');
  const errors = topicErrors(settings);
  if (!rename.ok || errors.length > 0) throw new ConfigError('Configuration of the source', errors);
  const pattern = regex === undefined ? undefined : new JavaPattern(regex);
  const names = new Set(entries);
  const patterns = entries.map((entry) => new JavaPattern(entry));
  const choice = {
    names: new Set(topics),
    isMatch: pattern === undefined ? undefined : (topic: string) => pattern.matches(topic),
    isExcluded: (topic: string) => names.has(topic) || patterns.some((each) => each.matches(topic)),
    isRetryIncluded: settings['topics.include.retry'],
    isDlqIncluded: settings['topics.include.dlq'],
  };
  return planTopics(seen, choice, rename.rename);
}
