import type { ConfigOf, ConfigSpec } from '@sluice/sdk';
import { sourceClusterSpec, targetClusterSpec } from '../cluster/cluster-client.js';

/** The settings that say which topics are copied, and as what. */
const topicsSpec = {
  topics: {
    type: 'list',
    importance: 'high',
    doc: 'Topics to copy; those that do not exist yet are copied once they do.',
    optional: true,
    example: 'orders,payments',
    group: 'Topics',
    width: 'long',
    displayName: 'Topics',
  },
  'topics.regex': {
    type: 'string',
    importance: 'high',
    doc: "Pattern, in Java's syntax, of the names of topics to copy, in place of topics; new topics are found while the connector runs.",
    optional: true,
    nonEmpty: true,
    example: 'orders-.*',
    group: 'Topics',
    width: 'long',
    displayName: 'Topics by pattern',
  },
  'topics.exclude': {
    type: 'list',
    importance: 'medium',
    doc: "Topics not to copy although topics or topics.regex take them: names, or patterns in Java's syntax, which match the whole name.",
    default: [],
    example: 'orders-test.*',
    group: 'Topics',
    width: 'long',
    displayName: 'Topics left out',
  },
  'topics.include.retry': {
    type: 'boolean',
    importance: 'low',
    doc: 'Whether topics.regex takes retry topics of consumer groups too.',
    default: false,
    group: 'Topics',
    width: 'short',
    displayName: 'Retry topics',
  },
  'topics.include.dlq': {
    type: 'boolean',
    importance: 'low',
    doc: 'Whether topics.regex takes dead letter topics of consumer groups too.',
    default: false,
    group: 'Topics',
    width: 'short',
    displayName: 'Dead letter topics',
  },
  'topic.rename': {
    type: 'string',
    importance: 'medium',
    doc: 'What a topic is called at the target: identity keeps the name, prefix puts topic.rename.prefix before it; or a text in which ${topic} stands for the name.',
    default: 'identity',
    nonEmpty: true,
    example: 'east-${topic}',
    group: 'Topics',
    width: 'medium',
    displayName: 'Renaming',
  },
  'topic.rename.prefix': {
    type: 'string',
    importance: 'low',
    doc: 'Stands before the names of topics at the target, with topic.rename=prefix.',
    optional: true,
    nonEmpty: true,
    example: 'east-',
    group: 'Topics',
    width: 'medium',
    displayName: 'Prefix',
  },
  'topics.refresh.interval.ms': {
    type: 'int',
    importance: 'low',
    doc: 'How often the source is asked for new topics and queues, in milliseconds.',
    default: 5000,
    min: 500,
    max: 3_600_000,
    group: 'Topics',
    width: 'short',
    displayName: 'Look for topics every',
  },
} as const satisfies ConfigSpec;

/** The settings that say where copying begins, and what happens when the source has changed. */
const readingSpec = {
  'start.from': {
    type: 'string',
    importance: 'medium',
    doc: 'Where copying begins in the queues that are there at first: earliest, latest, timestamp (start.timestamp) or offsets (start.offsets). What appears later is copied from its first message.',
    default: 'earliest',
    oneOf: ['earliest', 'latest', 'timestamp', 'offsets'],
    group: 'Reading',
    width: 'short',
    displayName: 'Start',
  },
  'start.timestamp': {
    type: 'long',
    importance: 'low',
    doc: 'With start.from=timestamp: copying begins with the first message that was stored then or later, in milliseconds since the epoch.',
    optional: true,
    min: 0,
    group: 'Reading',
    width: 'medium',
    displayName: 'Start time',
  },
  'start.offsets': {
    type: 'list',
    importance: 'low',
    doc: 'With start.from=offsets: the offset at which each queue begins, as topic@broker:queue=offset; queues that are not named begin at the earliest.',
    optional: true,
    example: 'orders@broker-a:0=1500',
    group: 'Reading',
    width: 'long',
    displayName: 'Start offsets',
  },
  'source.change.policy': {
    type: 'string',
    importance: 'medium',
    doc: 'What happens where a queue of the source has lost messages that were not copied, is another one than before, or is there no more: fail, resume-from-earliest, or skip-and-report. Each is reported.',
    default: 'fail',
    oneOf: ['fail', 'resume-from-earliest', 'skip-and-report'],
    group: 'Reading',
    width: 'medium',
    displayName: 'Changed source',
  },
  'born.time': {
    type: 'string',
    importance: 'medium',
    doc: 'How the time at which producers made messages is kept: native, as that of the copies, at the price of smaller batches; or stamp, as the property sluice-born.',
    default: 'native',
    oneOf: ['native', 'stamp'],
    group: 'Reading',
    width: 'short',
    displayName: 'Born time',
  },
  'task.granularity': {
    type: 'string',
    importance: 'low',
    doc: 'What tasks divide among themselves: single queues, or whole topics.',
    default: 'queue',
    oneOf: ['queue', 'topic'],
    group: 'Reading',
    width: 'short',
    displayName: 'Divided by',
  },
  'source.group': {
    type: 'string',
    importance: 'low',
    doc: 'Consumer group of the source that shows how far its queues are copied, for its tools; by default none does.',
    optional: true,
    nonEmpty: true,
    pattern: '[%|a-zA-Z0-9_-]{1,255}',
    example: 'copy-to-east',
    group: 'Reading',
    width: 'medium',
    displayName: 'Group at the source',
  },
  'read.ahead.max.bytes': {
    type: 'int',
    importance: 'low',
    doc: 'How much a task reads ahead of what it copies, over all its queues, in bytes.',
    default: 33_554_432,
    min: 1_048_576,
    max: 1_073_741_824,
    group: 'Reading',
    width: 'short',
    displayName: 'Read ahead',
  },
} as const satisfies ConfigSpec;

/** The settings of the source connector. */
export const rocketMqSourceSpec = {
  ...sourceClusterSpec,
  ...topicsSpec,
  ...readingSpec,
} as const satisfies ConfigSpec;

export type SourceSettings = ConfigOf<typeof rocketMqSourceSpec>;

/** The settings that choose and rename topics. */
export type TopicSettings = ConfigOf<typeof topicsSpec>;

/** The settings of the sink connector. Which topics it reads, and where it begins, is said by settings that all sinks have. */
export const rocketMqSinkSpec = {
  ...targetClusterSpec,
  'topic.rename': topicsSpec['topic.rename'],
  'topic.rename.prefix': topicsSpec['topic.rename.prefix'],
  'topics.refresh.interval.ms': topicsSpec['topics.refresh.interval.ms'],
  'topic.creation.enable': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether topics of the target may be created, and get more queues.',
    default: true,
    group: 'Topics',
    width: 'short',
    displayName: 'Create topics',
  },
  'source.change.policy': readingSpec['source.change.policy'],
  'born.time': readingSpec['born.time'],
} as const satisfies ConfigSpec;

/** In the settings of a task: which clusters it copies from and to. Written when the connector is split, not by users. */
export const SOURCE_IDENTITY_SETTING = 'sluice.task.source.identity';
export const TARGET_IDENTITY_SETTING = 'sluice.task.target.identity';

/** A group has at most 120 characters. */
const MAX_NAME_IN_GROUP = 100;

const identityField = { type: 'string', importance: 'low', doc: 'Written when the connector is split.', nonEmpty: true } as const;

/** What a task reads of its settings, beside its queues. */
export const sourceTaskSpec = {
  ...readingSpec,
  [SOURCE_IDENTITY_SETTING]: identityField,
  [TARGET_IDENTITY_SETTING]: identityField,
} as const satisfies ConfigSpec;

/** What a task of the sink reads of its settings, beside its queues. */
export const sinkTaskSpec = {
  'source.change.policy': readingSpec['source.change.policy'],
  'born.time': readingSpec['born.time'],
  [SOURCE_IDENTITY_SETTING]: identityField,
  [TARGET_IDENTITY_SETTING]: identityField,
} as const satisfies ConfigSpec;

/** Returns the group in whose name a sink looks at its target, and at what it has copied. */
export function lookGroupOf(connectorName: string): string {
  return `sluice-sink-${connectorName.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_NAME_IN_GROUP)}`;
}

/** Returns the group in whose name a connector reads the source: its own, unless one is to show how far it is. */
export function pullGroupOf(group: string | undefined, connectorName: string): string {
  return group ?? `sluice-source-${connectorName.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_NAME_IN_GROUP)}`;
}
