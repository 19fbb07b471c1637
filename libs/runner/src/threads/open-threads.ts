import { Worker } from 'node:worker_threads';
import type { ClusterConnection, ClusterNode } from '@sluice/node';
import type { ConnectorType } from '@sluice/core';
import { clientIdOf } from '@sluice/protocol';
import type { Credentials, CredentialsSource } from '@sluice/rocketmq';
import { RunnerError } from '../runner-error.js';
import type { ThreadServices } from './task-thread.js';
import type { ThreadCluster, ThreadData } from './thread-data.js';
import type { RunnerTraces } from '../traces/open-traces.js';
import { ThreadPool, type ThreadPoolOptions } from './thread-pool.js';

/** How long a thread may take to end once that was ordered, in milliseconds. JavaScript ends at once. */
const END_TIMEOUT_MS = 10_000;

export interface OpenThreadsOptions extends Pick<ThreadPoolOptions, 'describerOf'> {
  /** URL of the module that runs `runTaskThread` where it is not the main thread. */
  readonly main: string;
  /** Memory of the node's lease: see `LeaseBoard`. */
  readonly lease: SharedArrayBuffer;
  readonly kind: ConnectorType;
  /** Absent where no record is traced. */
  readonly traces: RunnerTraces | undefined;
  /** Returns the plugin packages that are loaded. */
  readonly packages: () => Pick<ThreadData, 'packages' | 'firstPackages'>;
  readonly services: Omit<ThreadServices, 'credentialsOf' | 'loggerOf' | 'traced'>;
}

/** Makes the threads of a runner, as its settings say. None starts before the first task. */
export function openThreads(
  node: ClusterNode,
  { main, lease, kind, packages, services, traces, describerOf }: OpenThreadsOptions,
): ThreadPool {
  const { settings, topics, logQueue, logger, self } = node;
  const { clusterId, dataCluster, defaultConverters, mayCreateTopics, requestTimeoutMs, threads } = settings;
  const isSeparate = isOtherCluster(settings, dataCluster);
  const common = {
    clusterId,
    runtime: clusterOf(settings),
    ...(isSeparate ? { data: clusterOf(dataCluster) } : {}),
    requestTimeoutMs,
    mayCreateTopics,
    defaultConverters,
    kind,
    topics,
    brokerName: logQueue.brokerName,
    mostVerbose: logger.levels.mostVerbose,
    lease,
    sampling: traces?.ofThread,
  };
  const { memoryMb, stallMs, callTimeoutMs } = threads;
  return new ThreadPool({
    size: threads.count,
    memoryMb,
    limits: { stallMs, callTimeoutMs, endMs: END_TIMEOUT_MS },
    describerOf,
    onStuck: (message) => {
      node.fail(new RunnerError('THREAD_STUCK', message, false), true);
    },
    services: {
      ...services,
      traced: traces?.queue.takeOfThread.bind(traces.queue),
      loggerOf: (scope) => logger.scoped(scope),
      credentialsOf: (name) => currentCredentials((name === 'runtime' ? settings : dataCluster).credentials),
    },
    startThread: (name, memory) => {
      const workerData: ThreadData = { ...common, ...packages(), clientId: `${clientIdOf(clusterId, self)}@${name}`, ...memory };
      return new Worker(new URL(main), {
        name,
        workerData,
        ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
      });
    },
  });
}

/** Returns whether a role's data has a cluster of its own, or keys of its own. */
function isOtherCluster(runtime: ClusterConnection, data: ClusterConnection): boolean {
  return data.namesrv !== runtime.namesrv || data.credentials !== runtime.credentials;
}

/** A function cannot go to another thread; the thread asks for what it returns. */
function clusterOf({ namesrv, credentials }: ClusterConnection): ThreadCluster {
  if (credentials === undefined) return { namesrv };
  return { namesrv, credentials: typeof credentials === 'function' ? 'asked' : credentials };
}

async function currentCredentials(source: CredentialsSource | undefined): Promise<Credentials> {
  if (source === undefined) throw new Error('This cluster needs no credentials');
  return typeof source === 'function' ? source() : source;
}
