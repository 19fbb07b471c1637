import type { SettingName } from './setting-definitions.js';

/** What becomes of a key of Apache RocketMQ Connect's `connect.conf`. */
export type OriginalKey =
  | { readonly honouredAs: SettingName; readonly note?: string }
  /** It is named at the start and changes nothing. */
  | { readonly ignored: string }
  /** A node does not start with it: something other than what it asks would happen. */
  | { readonly refused: string };

const storeTopic = { ignored: "Sluice's topics are named by cluster.id; `sluice init --new` creates them" } as const;
const ownGroup = { ignored: 'groups are named by cluster.id, and each sink has one of its own' } as const;
const pulledByOffset = {
  ignored: 'queues are pulled by offset; there is no consumer with threads or redelivery',
} as const;
const ownService = {
  refused: 'the state of the cluster is in its log, and no other class can keep it: take the line out',
} as const;

/** Every key that Apache RocketMQ Connect's worker knows or its shipped files hold. Times are milliseconds there too. */
export const originalKeys = {
  'a.source.rocketmq.server': { honouredAs: 'source.namesrv' },
  'b.runtime.rocketmq.server': { honouredAs: 'namesrv' },
  'c.sink.rocketmq.server': { honouredAs: 'sink.namesrv' },
  namesrvAddr: {
    honouredAs: 'namesrv',
    note: 'as there, the environment variable NAMESRV_ADDR is used where nothing else is given',
  },
  workerId: { honouredAs: 'node.id' },
  connectClusterId: { honouredAs: 'cluster.id' },
  storePathRootDir: { honouredAs: 'store.path', note: 'each node has a directory of its own in it' },
  httpPort: { honouredAs: 'http.port', note: 'on the gateway the port of the REST API, on other roles that of health' },
  configPersistInterval: { honouredAs: 'config.persist.interval.ms' },
  positionPersistInterval: { honouredAs: 'position.persist.interval.ms' },
  offsetPersistInterval: { honouredAs: 'offset.persist.interval.ms' },
  aclEnable: { honouredAs: 'acl.enable' },
  accessKey: { honouredAs: 'access.key' },
  secretKey: { honouredAs: 'secret.key' },
  keyConverter: { honouredAs: 'key.converter', note: 'the class names of Apache RocketMQ Connect are known' },
  valueConverter: { honouredAs: 'value.converter', note: 'the class names of Apache RocketMQ Connect are known' },
  autoCreateTopicEnable: { honouredAs: 'topic.creation.enable' },
  operationTimeout: { honouredAs: 'rocketmq.request.timeout.ms' },
  statePersistInterval: { ignored: 'states of tasks are in the reports topic, never in a file' },
  pluginPaths: { ignored: 'jars cannot be loaded; plugin.path names folders with packages for Sluice' },
  autoCreateGroupEnable: { ignored: 'Sluice creates the groups that it needs' },
  allocTaskStrategy: { ignored: 'assignment.strategy is a setting of the whole cluster: PATCH /cluster/settings' },
  'rocketmq.runtime.cluster.rebalance.waitInterval': {
    ignored: 'rebalance.interval.ms is a setting of the whole cluster: PATCH /cluster/settings',
  },
  virtualNode: { ignored: 'under the strategy consistent-hash, points follow from the capacity of a node' },
  consistentHashFunc: { ignored: 'the strategy consistent-hash has one hash function' },
  maxMessageSize: { ignored: "the broker's own limit is in force" },
  'rocketmq.runtime.max.message.size': { ignored: "the broker's own limit is in force" },
  maxStartTimeoutMills: {
    ignored: 'a start that takes long is no error; restart.* of the connector says what follows one',
  },
  maxStopTimeoutMills: { ignored: 'task.shutdown.timeout.ms of each connector says it' },
  offsetCommitTimeoutMsConfig: { ignored: 'errors.retry.timeout of each connector says it' },
  offsetCommitIntervalMsConfig: { ignored: 'offset.flush.interval.ms of each connector says it' },
  openLogMetricReporter: { ignored: 'metrics are answered by GET /metrics' },
  metricsConfigPath: { ignored: 'metrics are answered by GET /metrics' },
  clusterName: { ignored: 'Apache RocketMQ Connect does not read it either' },
  clusterStoreTopic: storeTopic,
  configStoreTopic: storeTopic,
  positionStoreTopic: storeTopic,
  offsetStoreTopic: storeTopic,
  connectStatusTopic: storeTopic,
  rmqProducerGroup: ownGroup,
  rmqConsumerGroup: ownGroup,
  adminExtGroup: ownGroup,
  rmqMaxRedeliveryTimes: pulledByOffset,
  rmqMessageConsumeTimeout: pulledByOffset,
  rmqMaxConsumeThreadNums: pulledByOffset,
  rmqMinConsumeThreadNums: pulledByOffset,
  brokerSuspendMaxTimeMillis: pulledByOffset,
  clusterManagementService: ownService,
  configManagementService: ownService,
  positionManagementService: ownService,
  stateManagementService: ownService,
} as const satisfies Readonly<Record<string, OriginalKey>>;

export function originalKey(name: string): OriginalKey | undefined {
  return Object.hasOwn(originalKeys, name) ? originalKeys[name as keyof typeof originalKeys] : undefined;
}
