import { nearestName, topicNameProblem, type FieldError } from '@sluice/sdk';
import { DLQ_PREFIX, RETRY_PREFIX } from './system-topics.js';

/** Returns the name at the target of a topic of the source. */
export type TopicRename = (topic: string) => string;

export type ParsedRename =
  { readonly ok: true; readonly rename: TopicRename } | { readonly ok: false; readonly errors: readonly FieldError[] };

/** Settings that rename topics. */
export const RENAME_FIELD = 'topic.rename';
export const RENAME_PREFIX_FIELD = 'topic.rename.prefix';

const PLACEHOLDER = '${topic}';
const KINDS = ['identity', 'prefix'];
const ALLOWED = `identity, prefix (with ${RENAME_PREFIX_FIELD}), or a text with ${PLACEHOLDER} once, such as eu-${PLACEHOLDER}`;
/** A topic of this name shows whether the rest of a pattern is allowed. */
const SAMPLE = 'x';

/**
 * Reads how topics are renamed: `identity`, `prefix`, or a text in which `${topic}` stands for the name. A name with a namespace, `INST%topic`, keeps
 * that: only what follows is renamed. Topics of retries and dead letters are named after their groups, and never renamed.
 *
 * @param prefix of `topic.rename.prefix`; empty where none is given
 */
export function parseTopicRename(value: string, prefix: string): ParsedRename {
  const isPrefix = value === 'prefix';
  if (!isPrefix && prefix !== '') return refused(RENAME_PREFIX_FIELD, prefix, `Only taken with ${RENAME_FIELD}=prefix`);
  if (value === 'identity') return { ok: true, rename: (topic) => topic };
  if (isPrefix && prefix === '') return refused(RENAME_PREFIX_FIELD, prefix, `Must be given with ${RENAME_FIELD}=prefix`);
  const [before, after, ...more] = isPrefix ? [prefix, ''] : value.split(PLACEHOLDER);
  const field = isPrefix ? RENAME_PREFIX_FIELD : RENAME_FIELD;
  const given = isPrefix ? prefix : value;
  if (before === undefined || after === undefined || more.length > 0) {
    const near = nearestName(value, KINDS);
    return refused(field, given, `Must be ${ALLOWED}${near === undefined ? '' : `. Did you mean ${near}?`}`);
  }
  const problem = topicNameProblem(before + SAMPLE + after);
  if (problem !== undefined) return refused(field, given, problem);
  const reserved = [RETRY_PREFIX, DLQ_PREFIX].find((start) => before.startsWith(start));
  if (reserved !== undefined) return refused(field, given, `Must not begin with ${reserved}, as topics of groups do`);
  return { ok: true, rename: (topic) => renamed(topic, before, after) };
}

function renamed(topic: string, before: string, after: string): string {
  if (topic.startsWith(RETRY_PREFIX) || topic.startsWith(DLQ_PREFIX)) return topic;
  const resource = topic.indexOf('%') + 1;
  return topic.slice(0, resource) + before + topic.slice(resource) + after;
}

function refused(field: string, given: string, reason: string): ParsedRename {
  return { ok: false, errors: [{ field, message: `Invalid value ${given} for configuration ${field}: ${reason}` }] };
}
