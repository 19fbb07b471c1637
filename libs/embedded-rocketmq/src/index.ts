export { type ClusterLifetime } from './cluster-processes.js';
export { EmbeddedRocketmqError, type EmbeddedRocketmqErrorCode } from './embedded-rocketmq-error.js';
export { type HeapSizes } from './cluster-plan.js';
export { BrokerHandle, NodeHandle } from './node-handle.js';
export { portTakenAdvice, startCommand } from './port-advice.js';
export { checkPortsFree, type ClusterPorts, freePorts, PortTakenError } from './ports.js';
export { PULL_LIMITS, type PullLimits, ROCKETMQ_PULL_LIMITS } from './pull-limits.js';
export { type BrokerMetadata } from './remoting-probe.js';
export { DEFAULT_ROCKETMQ_VERSION, ROCKETMQ_VERSIONS, type RocketmqVersion } from './rocketmq-version.js';
export { type ClusterPids, RunningCluster } from './running-cluster.js';
export { startCluster, type StartClusterOptions } from './start-cluster.js';
export {
  type ClusterCondition,
  type ClusterStatus,
  clusterStatus,
  endedNodes,
  stopCluster,
  type StopClusterOptions,
  type StopOutcomes,
} from './cluster-status.js';
export { type MqadminOptions, runMqadmin } from './mqadmin.js';
export { type BrokerSetOptions, type MasterRole, type TopologyOptions } from './topology.js';
export { ensureJars, type JarCacheOptions, type Jars } from './jar-cache.js';
