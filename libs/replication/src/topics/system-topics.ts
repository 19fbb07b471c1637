/** Why a topic is left out unless somebody asks for it. */
export type SystemTopicKind = 'rocketmq' | 'sluice' | 'retry' | 'dead-letter';

export const RETRY_PREFIX = '%RETRY%';
export const DLQ_PREFIX = '%DLQ%';

/** RocketMQ's own topics, 4.4 to 5.5 (`TopicValidator`); those named with `rmq_sys_` are covered by the prefix. */
const ROCKETMQ_TOPICS: ReadonlySet<string> = new Set([
  'TBW102',
  'SCHEDULE_TOPIC_XXXX',
  'BenchmarkTest',
  'TRANS_CHECK_MAX_TIME_TOPIC',
  'SELF_TEST_TOPIC',
  'OFFSET_MOVED_EVENT',
  'CHECKPOINT_TOPIC',
]);

/** `rmq_sys_` also names timers, revive logs, traces and halves of transactions; a light queue and a static topic's broker are no topics. */
const ROCKETMQ_PREFIXES = ['%LMQ%', '__syslo__'];
const SYSTEM_PREFIX = 'rmq_sys_';
const REPLY_SUFFIX = '_REPLY_TOPIC';
const SLUICE_PREFIX = 'sluice-';

/**
 * Finds out whether a topic is RocketMQ's or Sluice's own, or holds retries or dead letters of a group. Returns `undefined` for a topic of users.
 *
 * @param namedAsServers names of the cluster and of its brokers: each has a topic of that name
 */
export function systemTopicKind(topic: string, namedAsServers: ReadonlySet<string>): SystemTopicKind | undefined {
  if (topic.startsWith(RETRY_PREFIX)) return 'retry';
  if (topic.startsWith(DLQ_PREFIX)) return 'dead-letter';
  if (topic.startsWith(SLUICE_PREFIX)) return 'sluice';
  if (ROCKETMQ_TOPICS.has(topic) || namedAsServers.has(topic)) return 'rocketmq';
  if (topic.toLowerCase().startsWith(SYSTEM_PREFIX) || ROCKETMQ_PREFIXES.some((prefix) => topic.startsWith(prefix))) return 'rocketmq';
  return topic.endsWith(REPLY_SUFFIX) && namedAsServers.has(topic.slice(0, -REPLY_SUFFIX.length)) ? 'rocketmq' : undefined;
}
