import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { type ClusterLayout } from './cluster-layout.js';
import { type ClusterPorts } from './ports.js';

export interface ClusterConfigInput {
  readonly name: string;
  readonly ports: ClusterPorts;
  readonly layout: ClusterLayout;
  /** Added to broker.conf, over the defaults of `brokerProperties`. */
  readonly brokerConfig: Readonly<Record<string, string>>;
}

const LOOPBACK = '127.0.0.1';

/** Letters, digits, `-` and `_`: RocketMQ allows no more in cluster and broker names, and the name is a folder. */
export function checkClusterName(name: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `cluster name ${JSON.stringify(name)}: 1 to 64 letters, digits, "-" and "_" are allowed`,
    );
  }
}

export function brokerNameOf(clusterName: string): string {
  return `broker-${clusterName}`;
}

export function namesrvProperties({ ports, layout }: ClusterConfigInput): Record<string, string> {
  return {
    listenPort: String(ports.namesrv),
    bindAddress: LOOPBACK,
    kvConfigPath: `${layout.storeDir}/namesrv-kv.json`,
    configStorePath: `${layout.storeDir}/namesrv.properties`,
    rocketmqHome: layout.dataDir,
  };
}

/** What the cluster itself depends on: not to be overridden. */
function fixedBrokerProperties({ name, ports, layout }: ClusterConfigInput): Record<string, string> {
  return {
    brokerClusterName: name,
    brokerName: brokerNameOf(name),
    brokerId: '0',
    brokerIP1: LOOPBACK,
    brokerIP2: LOOPBACK,
    bindAddress: LOOPBACK,
    listenPort: String(ports.broker),
    haListenPort: String(ports.broker + 1),
    namesrvAddr: `${LOOPBACK}:${ports.namesrv}`,
    storePathRootDir: layout.storeDir,
    storePathCommitLog: `${layout.storeDir}/commitlog`,
  };
}

/**
 * Small files for small machines; limits on what one pull returns stay at RocketMQ's defaults, for users have those too.
 * Disk: the broker refuses writes above 90 % used whatever is configured (the setting is capped there), and above 85 %
 * deletes even files that have not expired unless `cleanFileForciblyEnable` is off.
 */
const DEFAULT_BROKER_PROPERTIES: Readonly<Record<string, string>> = {
  autoCreateTopicEnable: 'false',
  autoCreateSubscriptionGroup: 'false',
  enablePropertyFilter: 'true',
  timerWheelEnable: 'true',
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
};

/** Throws EmbeddedRocketmqError `OPTION_INVALID` when `brokerConfig` sets what the cluster depends on. */
export function brokerProperties(input: ClusterConfigInput): Record<string, string> {
  const fixed = fixedBrokerProperties(input);
  const refused = Object.keys(input.brokerConfig).filter((key) => Object.hasOwn(fixed, key));
  if (refused.length > 0) {
    throw new EmbeddedRocketmqError(
      'OPTION_INVALID',
      `brokerConfig sets ${refused.join(', ')}: these follow from the cluster's name, ports and data folder`,
    );
  }
  return { ...DEFAULT_BROKER_PROPERTIES, ...input.brokerConfig, ...fixed };
}

export function proxySettings({ name, ports }: ClusterConfigInput): Record<string, string | number> {
  return {
    rocketMQClusterName: name,
    namesrvAddr: `${LOOPBACK}:${ports.namesrv}`,
    proxyMode: 'LOCAL',
    localServeAddr: LOOPBACK,
    grpcServerPort: ports.grpc,
    remotingListenPort: ports.proxyRemoting,
  };
}
