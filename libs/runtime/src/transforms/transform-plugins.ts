import { type Predicate, type PredicatePlugin, type RawConfig, requireConfig, type TransformPlugin } from '@sluice/sdk';
import { PluginTable } from '../catalog/plugin-table.js';
import { patternErrors, topicPattern, wholeName } from '../task/topic-pattern.js';

const VERSION = '0.1.0';
const KAFKA = 'org.apache.kafka.connect.transforms';

export const TRANSFORM_PLUGINS: readonly TransformPlugin[] = [
  {
    kind: 'transform',
    name: 'Filter',
    aliases: [`${KAFKA}.Filter`],
    version: VERSION,
    doc: 'Drops every record that it is applied to; use it with a predicate.',
    spec: {},
    create: () => ({ apply: () => undefined }),
  },
];

const hasHeaderKeySpec = {
  name: { type: 'string', importance: 'high', nonEmpty: true, doc: 'The key of the header.', example: 'traceparent' },
} as const;

const topicNameMatchesSpec = {
  pattern: {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: "A regular expression that the whole name of the record's topic matches.",
    example: 'orders-.*',
  },
} as const;

export const PREDICATE_PLUGINS: readonly PredicatePlugin[] = [
  {
    kind: 'predicate',
    name: 'HasHeaderKey',
    aliases: [`${KAFKA}.predicates.HasHeaderKey`],
    version: VERSION,
    doc: 'True for a record with at least one header of a key.',
    spec: hasHeaderKeySpec,
    create: (settings: RawConfig): Predicate => {
      const { name } = requireConfig('The configuration of HasHeaderKey', hasHeaderKeySpec, settings, { unknownKeys: 'ignore' });
      return { test: ({ headers }) => headers?.some(({ key }) => key === name) === true };
    },
  },
  {
    kind: 'predicate',
    name: 'RecordIsTombstone',
    aliases: [`${KAFKA}.predicates.RecordIsTombstone`],
    version: VERSION,
    doc: 'True for a record whose value is null.',
    spec: {},
    create: () => ({ test: ({ value }) => value === null }),
  },
  {
    kind: 'predicate',
    name: 'TopicNameMatches',
    aliases: [`${KAFKA}.predicates.TopicNameMatches`],
    version: VERSION,
    doc: 'True for a record whose topic has a name that matches a pattern.',
    spec: topicNameMatchesSpec,
    validate: ({ pattern }) => patternErrors('pattern', pattern ?? ''),
    create: (settings: RawConfig): Predicate => {
      const given = requireConfig('The configuration of TopicNameMatches', topicNameMatchesSpec, settings, { unknownKeys: 'ignore' });
      const pattern = wholeName(topicPattern(given.pattern));
      return { test: ({ topic }) => pattern.test(topic) };
    },
  },
];

/** The transforms that every runner has. */
export const BUILT_IN_TRANSFORMS = new PluginTable('transforms', TRANSFORM_PLUGINS);
/** The predicates that every runner has. */
export const BUILT_IN_PREDICATES = new PluginTable('predicates', PREDICATE_PLUGINS);
