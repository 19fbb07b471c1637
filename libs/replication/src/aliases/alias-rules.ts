import {
  accessControl,
  accessValue,
  type AliasRule,
  as,
  clusterUrl,
  count,
  flag,
  given,
  note,
  notNeeded,
  notTaken,
  refuse,
  set,
} from './alias-outcome.js';

const IDENTITY = 'a cluster is known by an identity of its own, so that messages never return to where they came from';
const QUEUES = 'a copy goes to the queue that is paired with its queue of the source';
const UNTAGGED = 'all messages of a queue are copied, so that order and offsets stay; consumers of the target filter by tag';

/** Adds topics of groups, such as `%RETRY%group`, to those that are copied. */
function groupTopics(prefix: string): AliasRule {
  return (value) =>
    set({
      topics: split(value, ',')
        .map((group) => prefix + group)
        .join(','),
    });
}

function split(value: string, separator: string): string[] {
  return value
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Reads `topic,tag;topic,tag`. A namespace stands before each name. */
const topicTags: AliasRule = (value, config) => {
  const instance = given(config, 'src.instanceid');
  const topics: string[] = [];
  for (const pair of split(value, ';')) {
    const [topic = '', tag = '*', ...more] = split(pair, ',');
    if (topic === '' || more.length > 0) return refuse('Must be topics with tags, as in topic,tag;topic,tag');
    if (tag !== '*') return refuse(`Tag ${tag} of topic ${topic} cannot be chosen: ${UNTAGGED}. Allowed is *`);
    topics.push(instance === '' || /^%(RETRY|DLQ)%/.test(topic) ? topic : `${instance}%${topic}`);
  }
  return topics.length === 0 ? refuse('Must name a topic') : set({ topics: topics.join(',') });
};

const destinationTopic: AliasRule = (value, config) => {
  const topics = split(given(config, 'src.topictags'), ';').map((pair) => split(pair, ',')[0] ?? '');
  const [topic = ''] = topics;
  if (topics.length !== 1) return refuse('Several topics are not copied into one: topic.rename gives each its own name');
  if (topic === value) return note('Not needed: topics keep their names');
  const at = topic === '' ? -1 : value.indexOf(topic);
  if (at < 0) return refuse(`Topic ${topic} can only get a name that has its own in it: see topic.rename`);
  return set({ 'topic.rename': `${value.slice(0, at)}\${topic}${value.slice(at + topic.length)}` });
};

const sameInstance: AliasRule = (value, config) => {
  if (given(config, 'src.instanceid') === value) return note('Not needed: topics keep their namespaces');
  return refuse('Topics keep their namespaces: must be equal to src.instanceid');
};

const sourceInstance: AliasRule = (value, config) => {
  if (given(config, 'dest.instanceid') === value) return note('Not needed: names of topics have their namespace');
  return refuse('Topics keep their namespaces: dest.instanceid must be equal');
};

const STARTS: Readonly<Record<string, string>> = {
  CONSUME_FROM_FIRST_OFFSET: 'earliest',
  CONSUME_FROM_LAST_OFFSET: 'latest',
  CONSUME_FROM_TIMESTAMP: 'timestamp',
};

const startFrom: AliasRule = (value) => {
  const start = Object.hasOwn(STARTS, value) ? STARTS[value] : undefined;
  return start === undefined ? refuse(`Must be one of ${Object.keys(STARTS).join(', ')}`) : set({ 'start.from': start });
};

const startTimestamp: AliasRule = (value, config) => {
  if (given(config, 'consumefromwhere') !== 'CONSUME_FROM_TIMESTAMP')
    return note('Not used, as consumefromwhere is not CONSUME_FROM_TIMESTAMP');
  return count('start.timestamp')(value, config);
};

/** Reads a choice of two: the place of the value is that of the granularity. */
function granularity(queue: string, topic: string): AliasRule {
  return (value) => {
    if (value === queue) return set({ 'task.granularity': 'queue' });
    return value === topic ? set({ 'task.granularity': 'topic' }) : refuse(`Must be ${queue} or ${topic}`);
  };
}

const whiteList: AliasRule = (value) =>
  set({
    'topics.regex': split(value, ',')
      .map((pattern) => `(?:${pattern})`)
      .join('|'),
  });

const dataType: AliasRule = (value) => {
  if (value === '0' || value === 'COMMON_MESSAGE') return note('Not needed: messages are what a flow copies');
  return refuse('Must be COMMON_MESSAGE: see sync.topics, sync.groups and sync.offsets for the rest');
};

/** What the settings of RocketMQ Connect's replicator become: those of 2.0, and those of its older `RmqSourceReplicator`. */
export const ALIAS_RULES: Readonly<Record<string, AliasRule>> = {
  'src.endpoint': clusterUrl('source.cluster.url'),
  'dest.endpoint': clusterUrl('data.cluster.url'),
  'src.acl.enable': accessControl('src.access.key', 'src.secret.key'),
  'src.access.key': accessValue('source.cluster.access.key', 'src.acl.enable'),
  'src.secret.key': accessValue('source.cluster.secret.key', 'src.acl.enable'),
  'dest.acl.enable': accessControl('dest.access.key', 'dest.secret.key'),
  'dest.access.key': accessValue('data.cluster.access.key', 'dest.acl.enable'),
  'dest.secret.key': accessValue('data.cluster.secret.key', 'dest.acl.enable'),
  'src.cloud': notNeeded(IDENTITY),
  'src.region': notNeeded(IDENTITY),
  'src.cluster': notNeeded(IDENTITY),
  'dest.cloud': notNeeded(IDENTITY),
  'dest.region': notNeeded(IDENTITY),
  'dest.cluster': notNeeded(IDENTITY),
  'src.instanceid': sourceInstance,
  'dest.instanceid': sameInstance,
  'src.topictags': topicTags,
  'dest.topic': destinationTopic,
  'sync.tps': count('rate.limit.records.per.second'),
  consumefromwhere: startFrom,
  consumefromtimestamp: startTimestamp,
  'request.task.reconfig.ms': count('topics.refresh.interval.ms'),
  'commit.offset.interval.ms': notNeeded('positions are stored with every batch'),
  'auto.create.inner.consumergroup': notNeeded('a flow reads without a consumer group'),
  'each.queue.buffer.size': notNeeded('read.ahead.max.bytes limits what a task reads ahead'),
  'filter.properties': notTaken(`Messages cannot be chosen by properties: ${UNTAGGED}`),
  'filter.properties.operator': notTaken(`Messages cannot be chosen by properties: ${UNTAGGED}`),
  'failover.strategy': notTaken(
    'See errors.tolerance for messages that cannot be copied, and source.change.policy for queues that have changed',
  ),
  'enable.heartbeat': notNeeded('the lag of each queue shows whether a flow works'),
  'heartbeat.interval.ms': notNeeded('the lag of each queue shows whether a flow works'),
  'heartbeat.topic': notNeeded('the lag of each queue shows whether a flow works'),
  'enable.checkpoint': flag('sync.offsets'),
  'checkpoint.interval.ms': count('sync.offsets.interval.ms'),
  'checkpoint.topic': notNeeded("offsets are written to the target's groups themselves"),
  'sync.gids': as('groups'),
  'enable.retrysync': flag('topics.include.retry'),
  'src.retrygids': groupTopics('%RETRY%'),
  'dest.retrytopic': notTaken('Retry topics keep their names: consumers look for their retries there'),
  'enable.dlqsync': flag('topics.include.dlq'),
  'dest.dlqgids': groupTopics('%DLQ%'),
  'dest.dqltopic': notTaken('Dead letter topics keep their names'),
  'divide.strategy': granularity('BY_QUEUE', 'BY_TOPIC'),
  'divided.normalqueues': notTaken(`Queues are divided by Sluice, and ${QUEUES}`),
  'divided.retryqueues': notTaken(`Queues are divided by Sluice, and ${QUEUES}`),
  'divided.dlqqueues': notTaken(`Queues are divided by Sluice, and ${QUEUES}`),

  'source-rocketmq': clusterUrl('source.cluster.url'),
  'target-rocketmq': clusterUrl('data.cluster.url'),
  'source-cluster': notNeeded(IDENTITY),
  'target-cluster': notNeeded(IDENTITY),
  'source-acl-enable': accessControl('source-access-key', 'source-secret-key'),
  'source-access-key': accessValue('source.cluster.access.key', 'source-acl-enable'),
  'source-secret-key': accessValue('source.cluster.secret.key', 'source-acl-enable'),
  'target-acl-enable': accessControl('target-access-key', 'target-secret-key'),
  'target-access-key': accessValue('data.cluster.access.key', 'target-acl-enable'),
  'target-secret-key': accessValue('data.cluster.secret.key', 'target-acl-enable'),
  'source-group': as('source.group'),
  'data-type': dataType,
  'task-divide-strategy': granularity('0', '1'),
  'white-list': whiteList,
  'topic.rename.format': as('topic.rename'),
  'refresh.interval': count('topics.refresh.interval.ms', 1000),
  'replicator-store-topic': notNeeded('copies go straight to their topics'),
  'source-record-converter': notNeeded('messages pass as they are stored'),
  'offset.sync.topic': notNeeded('copies carry the offsets of the source with them'),
};

/** Settings whose values nobody may see. */
export const SECRET_ALIASES: ReadonlySet<string> = new Set(Object.keys(ALIAS_RULES).filter((name) => /secret[.-]key$/.test(name)));
