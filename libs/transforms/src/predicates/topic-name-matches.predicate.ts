import { type PredicatePlugin, requireConfig } from '@sluice/sdk';
import { JavaPattern, patternErrors } from '../java/java-pattern.js';
import { KAFKA, VERSION } from '../plugin/plugin-names.js';

const topicNameMatchesSpec = {
  pattern: {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: "A regular expression of Java that the whole name of the record's topic matches.",
    example: 'orders-.*',
  },
} as const;

export const topicNameMatchesPredicate: PredicatePlugin = {
  kind: 'predicate',
  name: 'TopicNameMatches',
  aliases: [`${KAFKA}.predicates.TopicNameMatches`],
  version: VERSION,
  doc: 'True for a record whose topic has a name that matches a pattern.',
  spec: topicNameMatchesSpec,
  validate: ({ pattern }) => patternErrors('pattern', pattern ?? ''),
  create: (settings) => {
    const given = requireConfig('The configuration of TopicNameMatches', topicNameMatchesSpec, settings, { unknownKeys: 'ignore' });
    const pattern = new JavaPattern(given.pattern);
    return { test: ({ topic }) => pattern.matches(topic) };
  },
};
