import { type BrokerNode, type ClusterPlan, controllerAddress, LOOPBACK, nameServerList, type NameServerNode } from './cluster-plan.js';
import type { NodeLayout } from './cluster-layout.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { PULL_LIMITS } from './pull-limits.js';

type Properties = Readonly<Record<string, string>>;

/** A group of one: the only controller elects itself, and has to be asked for nothing else. */
const CONTROLLER = { group: 'sluice', self: 'n0' };

/**
 * With a controller: a broker that stops its heartbeat is taken for gone after `controllerHeartBeatTimeoutMills`, one that
 * ends at once, for its connection closes.
 */
export function namesrvProperties({ ports }: NameServerNode, layout: NodeLayout): Properties {
  return {
    listenPort: String(ports.listen),
    bindAddress: LOOPBACK,
    kvConfigPath: `${layout.storeDir}/namesrv-kv.json`,
    configStorePath: `${layout.storeDir}/namesrv.properties`,
    rocketmqHome: layout.homeDir,
    ...(ports.controller === undefined
      ? {}
      : {
          enableControllerInNamesrv: 'true',
          controllerDLegerGroup: CONTROLLER.group,
          controllerDLegerPeers: `${CONTROLLER.self}-${LOOPBACK}:${ports.controller}`,
          controllerDLegerSelfId: CONTROLLER.self,
          controllerStorePath: `${layout.storeDir}/controller`,
          mappedFileSize: '1048576',
          enableElectUncleanMaster: 'false',
          scanNotActiveBrokerInterval: '1000',
        }),
  };
}

/** Returns what the cluster itself depends on: not to be overridden. */
function fixedBrokerProperties(node: BrokerNode, plan: ClusterPlan, layout: NodeLayout): Properties {
  const controller = controllerAddress(plan.nodes);
  return {
    brokerClusterName: plan.name,
    brokerName: node.brokerName,
    brokerIP1: LOOPBACK,
    brokerIP2: LOOPBACK,
    bindAddress: LOOPBACK,
    listenPort: String(node.ports.listen),
    haListenPort: String(node.ports.listen + 1),
    namesrvAddr: nameServerList(plan.nodes),
    storePathRootDir: layout.storeDir,
    storePathCommitLog: `${layout.storeDir}/commitlog`,
    ...(node.brokerId === undefined ? {} : { brokerId: String(node.brokerId) }),
    ...(node.role === undefined ? {} : { brokerRole: node.role }),
    ...(controller === undefined ? {} : { enableControllerMode: 'true', controllerAddr: controller }),
  };
}

/**
 * Small files for small machines, and the limits of a pull that the docs recommend. Disk: the broker refuses writes above 90 % used, for the
 * setting is capped there. Above 85 % it deletes even files that have not expired, unless `cleanFileForciblyEnable` is off.
 */
const DEFAULT_BROKER_PROPERTIES: Properties = {
  ...PULL_LIMITS,
  autoCreateTopicEnable: 'false',
  autoCreateSubscriptionGroup: 'false',
  enablePropertyFilter: 'true',
  timerWheelEnable: 'true',
  // Each flush writes the whole wheel, 37 MB: at RocketMQ's own interval of a second that is a tenth of a core.
  timerFlushIntervalMs: '60000',
  // From its start to the first flush a broker spins: at RocketMQ's own interval for ten seconds, on a core of its own (seen on 5.5.0).
  transactionMetricFlushInterval: '1000',
  flushDiskType: 'ASYNC_FLUSH',
  waitTimeMillsInSendQueue: '1000',
  diskMaxUsedSpaceRatio: '95',
  cleanFileForciblyEnable: 'false',
  mappedFileSizeCommitLog: '67108864',
  mappedFileSizeConsumeQueue: '600000',
  mappedFileSizeTimerLog: '10485760',
  compactionMappedFileSize: '10485760',
  maxIndexNum: '200000',
  maxHashSlotNum: '50000',
  // The shortest that brokers accept: a name server that starts later knows them after that time.
  registerNameServerPeriod: '10000',
};

/** Nothing acknowledged is lost with a master: a send waits for every replica in sync, and only one of those follows it. */
const CONTROLLER_BROKER_PROPERTIES: Properties = {
  allAckInSyncStateSet: 'true',
  syncFromLastFile: 'true',
  brokerHeartbeatInterval: '500',
  controllerHeartBeatTimeoutMills: '5000',
  syncBrokerMetadataPeriod: '1000',
  checkSyncStateSetPeriod: '1000',
  syncControllerMetadataPeriod: '2000',
};

/** Throws EmbeddedRocketmqError `OPTION_INVALID` when the given properties set what the cluster depends on. */
export function brokerProperties(node: BrokerNode, plan: ClusterPlan, layout: NodeLayout): Properties {
  const fixed = fixedBrokerProperties(node, plan, layout);
  const given = { ...plan.brokerConfig, ...node.config };
  const refused = Object.keys(given).filter((key) => Object.hasOwn(fixed, key) || IDENTITY_PROPERTIES.has(key));
  if (refused.length > 0) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `brokerConfig sets ${refused.join(', ')}: these follow from the cluster's name, topology, ports and data folder`,
    );
  }
  const mode = controllerAddress(plan.nodes) === undefined ? {} : CONTROLLER_BROKER_PROPERTIES;
  return { ...DEFAULT_BROKER_PROPERTIES, ...mode, ...given, ...fixed };
}

/** Refused even where the cluster sets none of them. */
const IDENTITY_PROPERTIES: ReadonlySet<string> = new Set(['brokerId', 'brokerRole', 'enableControllerMode', 'controllerAddr']);

export function proxySettings(node: BrokerNode, plan: ClusterPlan): Readonly<Record<string, string | number>> {
  const { grpc, proxyRemoting } = node.ports;
  return {
    rocketMQClusterName: plan.name,
    namesrvAddr: nameServerList(plan.nodes),
    proxyMode: 'LOCAL',
    localServeAddr: LOOPBACK,
    ...(grpc === undefined ? {} : { grpcServerPort: grpc }),
    ...(proxyRemoting === undefined ? {} : { remotingListenPort: proxyRemoting }),
  };
}

/** Configuration of logback (logback.qos.ch) that writes everything from INFO on to one file. */
export function logbackConfig(logFile: string): string {
  const path = logFile.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<configuration>
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>${path}</file>
    <encoder><pattern>%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level [%thread] %logger: %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
`;
}
