import type { ConnectorType } from '@sluice/core';
import type { ClusterTopics } from '@sluice/protocol';
import type { Credentials } from '@sluice/rocketmq';
import type { PluginPackage, Sampling } from '@sluice/runtime';

/** How a thread reaches a cluster. */
export interface ThreadCluster {
  readonly namesrv: string;
  /** `asked` where keys come from files: the main thread reads them. */
  readonly credentials?: Credentials | 'asked';
}

/** What a task thread is given at its start. */
export interface ThreadData {
  readonly clusterId: string;
  readonly clientId: string;
  readonly runtime: ThreadCluster;
  /** The cluster of the tasks' topics; absent where it is the runtime cluster. */
  readonly data?: ThreadCluster;
  readonly requestTimeoutMs: number;
  readonly mayCreateTopics: boolean;
  readonly defaultConverters: { readonly key?: string; readonly value?: string };
  /** The plugin packages that the main thread has loaded. */
  readonly packages: readonly PluginPackage[];
  /** How many of these it loaded before it took tasks: names stay what they stood for then. */
  readonly firstPackages: number;
  /** The connectors that the runner takes. */
  readonly kind: ConnectorType;
  readonly topics: ClusterTopics;
  /** Of the topics of Sluice itself. */
  readonly brokerName: string;
  /** Memory that the main thread writes: see `LeaseBoard`. */
  readonly lease: SharedArrayBuffer;
  /** See `beginPulse`. */
  readonly pulse: SharedArrayBuffer;
  /** See `LogLevels.mostVerbose`. */
  readonly mostVerbose: SharedArrayBuffer;
  /** See `LogRelay`. */
  readonly lines: SharedArrayBuffer;
  /** Which records the thread traces; absent where it traces none. */
  readonly sampling?: Sampling | undefined;
  /** See `SpanRelay`. */
  readonly spans: SharedArrayBuffer;
}
