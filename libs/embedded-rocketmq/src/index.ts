export { type ClusterLifetime } from './cluster-processes.js';
export { EmbeddedRocketmqError, type EmbeddedRocketmqErrorCode } from './embedded-rocketmq-error.js';
export { type HeapSizes } from './jvm-command.js';
export { type ClusterPorts, freePorts } from './ports.js';
export { RunningCluster } from './running-cluster.js';
export { startCluster, type StartClusterOptions } from './start-cluster.js';
export {
  type ClusterCondition,
  type ClusterStatus,
  clusterStatus,
  stopCluster,
  type StopClusterOptions,
} from './cluster-status.js';
export { type MqadminOptions, runMqadmin } from './mqadmin.js';
export { ensureJars, type JarCacheOptions, type Jars } from './jar-cache.js';
