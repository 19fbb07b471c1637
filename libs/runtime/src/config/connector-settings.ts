import { ConfigError, type ConfigOf, type ConfigSpec, MAX_VALUE_BYTES, type RawConfig, requireConfig } from '@sluice/sdk';
import { dataClusterSettingsSpec } from './data-cluster-settings.js';
import { deadLetterErrors } from './dead-letter-rule.js';
import { errorSettingsSpec, restartSettingsSpec } from './error-settings.js';
import { queueByErrors } from './queue-by-rule.js';
import { topicsErrors } from './topics-rule.js';

/** The settings that every connector has. */
export const rateLimitsSpec = {
  'rate.limit.records.per.second': {
    type: 'long',
    importance: 'low',
    optional: true,
    min: 1,
    doc:
      'The most records that all tasks together take in a second; no limit where it is not set. Each runner has a part by the number of tasks that it ' +
      'has, and these share it by what they use. A change restarts no task.',
    group: 'Common',
    width: 'short',
    displayName: 'Records per second',
  },
  'rate.limit.bytes.per.second': {
    type: 'long',
    importance: 'low',
    optional: true,
    min: 1,
    doc:
      'The most bytes of bodies, decompressed, and properties that all tasks together take in a second, divided like the limit of records. A change ' +
      'restarts no task.',
    group: 'Common',
    width: 'short',
    displayName: 'Bytes per second',
  },
} as const satisfies ConfigSpec;

export const commonSettingsSpec = {
  name: {
    type: 'string',
    importance: 'high',
    nonEmpty: true,
    doc: 'Name of the connector, unique in the Connect cluster.',
    example: 'orders-to-files',
    group: 'Common',
    width: 'medium',
    displayName: 'Connector name',
  },
  'connector.class': {
    type: 'class',
    importance: 'high',
    aliases: ['connector-class'],
    doc: 'Class of the connector: its name, or one of the names that it has in other systems.',
    example: 'FileStreamSource',
    group: 'Common',
    width: 'long',
    displayName: 'Connector class',
  },
  'connector.plugin.version': {
    type: 'string',
    importance: 'low',
    optional: true,
    nonEmpty: true,
    doc: 'The version of the class: an exact one, a range such as `[1.0,2.0)`, or `latest`. By default the newest one of the runner, releases first.',
    example: '[1.0,2.0)',
    group: 'Common',
    width: 'short',
    displayName: 'Connector version',
  },
  'tasks.max': {
    type: 'int',
    importance: 'high',
    default: 1,
    min: 1,
    max: 1000,
    aliases: ['max.tasks'],
    doc: 'The most tasks that the connector is split into.',
    group: 'Common',
    width: 'short',
    displayName: 'Tasks max',
  },
  'key.converter': {
    type: 'class',
    importance: 'low',
    optional: true,
    doc: "Converter of the records' keys; by default the one that the connector prefers, else StringConverter.",
    example: 'StringConverter',
    group: 'Common',
    width: 'short',
    displayName: 'Key converter class',
  },
  'value.converter': {
    type: 'class',
    importance: 'low',
    optional: true,
    doc: "Converter of the records' values; by default the one that the connector prefers, else StringConverter.",
    example: 'JsonConverter',
    group: 'Common',
    width: 'short',
    displayName: 'Value converter class',
  },
  'header.converter': {
    type: 'class',
    importance: 'low',
    default: 'StringConverter',
    doc: 'Converter of the values of headers; a source sends texts and bytes in headers as they are.',
    group: 'Common',
    width: 'short',
    displayName: 'Header converter class',
  },
  transforms: {
    type: 'list',
    importance: 'low',
    optional: true,
    doc: 'Aliases of the transforms that are applied to each record, in this order; `transforms.<alias>.type` names the class of each.',
    example: 'dropTombstones',
    group: 'Transforms',
    width: 'long',
    displayName: 'Transforms',
  },
  predicates: {
    type: 'list',
    importance: 'low',
    optional: true,
    doc: 'Aliases of the predicates that transforms name; `predicates.<alias>.type` names the class of each.',
    example: 'isTombstone',
    group: 'Predicates',
    width: 'long',
    displayName: 'Predicates',
  },
  ...errorSettingsSpec,
  'offset.flush.interval.ms': {
    type: 'int',
    importance: 'low',
    default: 1000,
    min: 10,
    max: 3_600_000,
    doc: 'How often a source stores its positions, or a sink flushes and commits its offsets, in milliseconds.',
    group: 'Offsets',
    width: 'short',
    displayName: 'Offset flush interval',
  },
  'task.shutdown.timeout.ms': {
    type: 'int',
    importance: 'low',
    default: 5000,
    min: 100,
    max: 600_000,
    doc: 'How long a task may take to finish its work when it is stopped, in milliseconds.',
    group: 'Common',
    width: 'short',
    displayName: 'Task shutdown timeout',
  },
  ...restartSettingsSpec,
  'secrets.reload': {
    type: 'string',
    importance: 'low',
    default: 'restart',
    oneOf: ['restart', 'none'],
    aliases: ['config.action.reload'],
    doc:
      'What follows when the value of a reference such as `${file:/path:key}` changes: the tasks that use it restart within some 10 s (restart), or take it ' +
      'at their next start (none).',
    group: 'Common',
    width: 'short',
    displayName: 'Reload of secrets',
  },
  ...rateLimitsSpec,
  ...dataClusterSettingsSpec,
} as const satisfies ConfigSpec;

/** The settings that every source has beyond the common ones. */
export const sourceOnlySettingsSpec = {
  'producer.batch.bytes': {
    type: 'int',
    importance: 'low',
    default: 1024 * 1024,
    min: 1024,
    max: MAX_VALUE_BYTES,
    doc: 'Records are sent in batches of at most about this many bytes.',
    group: 'Producer',
    width: 'medium',
    displayName: 'Batch size',
  },
  'exactly.once.support': {
    type: 'string',
    importance: 'medium',
    default: 'requested',
    oneOf: ['requested', 'required', 'REQUESTED', 'REQUIRED'],
    doc:
      'Sluice always gives its own readers, such as sinks, each record once where the source can resume exactly. `required` refuses a source ' +
      'that does not say it can with these settings. Other consumers may see duplicates after a runner was lost: RocketMQ does not fence producers.',
    group: 'Exactly Once Support',
    width: 'short',
    displayName: 'Exactly once support',
  },
  'queue.unavailable.timeout.ms': {
    type: 'long',
    importance: 'medium',
    default: 300_000,
    min: -1,
    doc:
      'How long records wait for the queue of their source partition while its broker is unavailable, in milliseconds; -1 without end. After that ' +
      'the partition moves to another queue of the topic: readers may then get its newer records before those in the old queue. A queue that was ' +
      'closed for writing is waited for 10 s at most.',
    group: 'Producer',
    width: 'medium',
    displayName: 'Unavailable queue timeout',
  },
  'queue.by': {
    type: 'string',
    importance: 'medium',
    default: 'partition',
    oneOf: ['partition', 'key', 'header', 'record'],
    doc:
      'What chooses the queue of a record: its source partition, its key, a header (queue.by.header), or the record itself, where the connector ' +
      'names queues. Records with equal keys stay in order; one partition then uses all queues of the topic. A record without a key, or that names ' +
      'no queue, goes to a queue of its partition. Queues that are added to the topic are used from the next start of the task, and keys may ' +
      'change their queues then.',
    group: 'Producer',
    width: 'short',
    displayName: 'Queue by',
    dependents: ['queue.by.header'],
  },
  'queue.by.header': {
    type: 'string',
    importance: 'low',
    optional: true,
    nonEmpty: true,
    doc: 'The header whose first value chooses the queue of a record; with queue.by=header only.',
    example: 'tenant',
    group: 'Producer',
    width: 'medium',
    displayName: 'Queue by header',
  },
  'topic.creation.enable': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: 'Whether topics that the source writes to are created when they are missing.',
    group: 'Topic Creation',
    width: 'short',
    displayName: 'Topic creation',
    dependents: ['topic.creation.default.partitions'],
  },
  'topic.creation.default.partitions': {
    type: 'int',
    importance: 'low',
    default: 8,
    min: 1,
    max: 1000,
    doc: 'Queues of a topic that the source creates.',
    group: 'Topic Creation',
    width: 'short',
    displayName: 'Queues of a new topic',
  },
} as const satisfies ConfigSpec;

/** The settings that every sink has beyond the common ones. */
export const sinkOnlySettingsSpec = {
  topics: {
    type: 'list',
    importance: 'high',
    optional: true,
    separators: ',;',
    aliases: ['connect.topicnames'],
    doc: 'Topics to read, separated by commas or semicolons.',
    topic: 'read',
    example: 'orders,payments',
    group: 'Common',
    width: 'long',
    displayName: 'Topics',
  },
  'topics.regex': {
    type: 'string',
    importance: 'high',
    optional: true,
    doc: 'Regular expression of Java that the whole names of the topics to read match; topics that come later are read too. Either this or topics.',
    example: 'orders-.*',
    group: 'Common',
    width: 'long',
    displayName: 'Topics regex',
  },
  'task.granularity': {
    type: 'string',
    importance: 'medium',
    default: 'queue',
    oneOf: ['queue', 'topic'],
    doc:
      'What the tasks divide among them: single queues, or whole topics. Either is spread evenly: no task has more than one queue, or topic, more ' +
      'than another. Where topics come or grow, the tasks that have too many or too few restart, and as few as possible move.',
    group: 'Consumer',
    width: 'short',
    displayName: 'Task granularity',
  },
  'max.poll.records': {
    type: 'int',
    importance: 'low',
    default: 5000,
    min: 1,
    max: 100_000,
    doc: 'The most records that one call gives to a sink task.',
    group: 'Consumer',
    width: 'short',
    displayName: 'Records per call',
  },
  'consumer.offset.reset': {
    type: 'string',
    importance: 'medium',
    default: 'earliest',
    oneOf: ['earliest', 'latest'],
    doc: 'Where reading begins in the queues that a topic has when the connector first reads it. Queues and topics that come while it runs are read from their oldest message.',
    group: 'Offsets',
    width: 'short',
    displayName: 'Offset reset',
  },
} as const satisfies ConfigSpec;

export const sourceSettingsSpec = { ...commonSettingsSpec, ...sourceOnlySettingsSpec } as const satisfies ConfigSpec;
export const sinkSettingsSpec = { ...commonSettingsSpec, ...sinkOnlySettingsSpec } as const satisfies ConfigSpec;

export type CommonSettings = ConfigOf<typeof commonSettingsSpec>;
export type SourceSettings = ConfigOf<typeof sourceSettingsSpec>;
export type SinkSettings = ConfigOf<typeof sinkSettingsSpec>;

/** Reads what the runtime needs of a source's settings; the connector's own are left to it. @throws ConfigError */
export function parseSourceSettings(config: RawConfig): SourceSettings {
  const subject = 'The configuration of the connector';
  const settings = requireConfig(subject, sourceSettingsSpec, config, { unknownKeys: 'ignore' });
  const errors = queueByErrors(settings['queue.by'], settings['queue.by.header']);
  if (errors.length > 0) throw new ConfigError(subject, errors);
  return settings;
}

/** Reads what the runtime needs of a sink's settings; the connector's own are left to it. @throws ConfigError */
export function parseSinkSettings(config: RawConfig): SinkSettings {
  const subject = 'The configuration of the connector';
  const settings = requireConfig(subject, sinkSettingsSpec, config, { unknownKeys: 'ignore' });
  const wrong = topicsErrors(settings.topics, settings['topics.regex']);
  const errors = wrong.length > 0 ? wrong : deadLetterErrors(settings['errors.deadletterqueue.topic.name'], settings);
  if (errors.length > 0) throw new ConfigError(subject, errors);
  return settings;
}
