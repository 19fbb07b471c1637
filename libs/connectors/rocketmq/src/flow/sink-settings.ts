import { clusterErrors, type FieldError, parseConfig, requireConfig, type TaskConfig } from '@sluice/sdk';
import { SINK_SIDES } from './flow-clusters.js';
import { rocketMqSinkSpec, rocketMqSourceSpec, type TopicSettings } from './settings.js';
import { dataClusterErrors } from './settings-rules.js';
import { topicErrors } from './topic-choice.js';

/** Settings of every sink that say which topics are read. */
const READ_SPEC = {
  topics: { ...rocketMqSourceSpec.topics, separators: ',;' },
  'topics.regex': rocketMqSourceSpec['topics.regex'],
} as const;

/** What stands for a setting of the source in a sink. Those of the other cluster have a prefix of their own. */
const INSTEAD: Readonly<Record<string, string>> = {
  'start.from': 'consumer.offset.reset says where reading begins',
  'start.timestamp': 'reset the offsets of the connector to begin at a time',
  'start.offsets': 'reset the offsets of the connector to begin at given ones',
  'source.group': 'the consumer group of the sink shows how far it is',
  'read.ahead.max.bytes': 'the runtime reads ahead for a sink',
};
const SHARED = new Set(['topics', 'topics.regex', 'task.granularity']);

/**
 * Returns which topics a sink copies, and as what.
 * @throws {ConfigError} for settings that are wrong one by one
 */
export function sinkTopicSettings(config: TaskConfig): TopicSettings {
  const own = requireConfig(SINK_SIDES.subject, rocketMqSinkSpec, config, { unknownKeys: 'ignore' });
  const read = requireConfig(SINK_SIDES.subject, READ_SPEC, config, { unknownKeys: 'ignore' });
  return { ...own, ...read, 'topics.exclude': [], 'topics.include.retry': false, 'topics.include.dlq': false };
}

/** Checks what the settings of the sink say together, and finds those of the source that say nothing here. */
export function sinkErrors(config: TaskConfig): readonly FieldError[] {
  return [
    ...clusterErrors('target.cluster.', config),
    ...dataClusterErrors(config, 'copied'),
    ...renameErrors(config),
    ...foreignErrors(config),
  ];
}

function renameErrors(config: TaskConfig): readonly FieldError[] {
  const read = parseConfig(READ_SPEC, config, { unknownKeys: 'ignore' });
  // The runtime refuses a sink without topics, and checks their pattern.
  if (!read.ok) return [];
  return topicErrors(sinkTopicSettings(config)).filter(({ field }) => field.startsWith('topic.rename'));
}

function foreignErrors(config: TaskConfig): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const field of Object.keys(rocketMqSourceSpec)) {
    if (config[field] === undefined || field in rocketMqSinkSpec || SHARED.has(field)) continue;
    const instead = field.startsWith('source.cluster.')
      ? `data.cluster.${field.slice('source.cluster.'.length)} names the cluster that a sink copies`
      : (INSTEAD[field] ?? 'topics or topics.regex say what a sink copies');
    errors.push({ field, message: `Configuration ${field} is one of RocketMQSource and has no effect in RocketMQSink: ${instead}` });
  }
  return errors;
}
