import type { DesiredTask } from '@sluice/core';
import type { LogScope, ScopedLogger } from '@sluice/node';
import { sinkGroupOf } from '@sluice/protocol';
import { type Lease, type PositionStore, systemClock, type TaskEnvironment, type TaskLoop } from '@sluice/runtime';
import { type SinkProgress, watchedPorts } from '../metrics/sink-progress.js';
import type { DataClusters } from './data-clusters.js';
import { RocketMqRecordProducer, SpareEncoders } from './rocketmq-record-producer.js';

export interface TaskEnvironmentParts {
  readonly clusterId: string;
  readonly mayCreateTopics: boolean;
  /** The clusters that have the topics of the tasks. */
  readonly clusters: DataClusters;
  readonly positions: PositionStore;
  readonly lease: Lease;
  readonly loggerOf: (scope: LogScope) => ScopedLogger;
  readonly requestTaskReconfiguration: (connector: string) => void;
  readonly agreedPairs: (connector: string) => Promise<ReadonlyMap<string, string>>;
}

/** Gives each task of a thread what its loop reads, writes and waits with. */
export class TaskEnvironments {
  readonly #spare = new SpareEncoders();
  readonly #parts: TaskEnvironmentParts;

  constructor(parts: TaskEnvironmentParts) {
    this.#parts = parts;
  }

  /**
   * Makes a new loop of the task, which uses the task's cluster until it has ended. `progressOf` is called where the task is a sink's.
   *
   * @throws ConnectError where the cluster cannot be opened, and what `create` throws
   */
  createLoop(task: DesiredTask, progressOf: () => SinkProgress, create: (environment: TaskEnvironment) => TaskLoop): TaskLoop {
    const { clusterId, clusters, lease, loggerOf, mayCreateTopics, positions, requestTaskReconfiguration, agreedPairs } = this.#parts;
    const use = clusters.use(task.config);
    const { client, messages, offsets } = use.cluster;
    const ports = { messages, offsets };
    try {
      const loop = create({
        producer: (creation) =>
          new RocketMqRecordProducer(client, this.#spare, mayCreateTopics ? creation : undefined, (topic, queues) => {
            loggerOf('tasks').info(`Created topic ${topic} with ${queues} queues per broker`);
          }),
        positions,
        lease,
        clock: systemClock,
        groupOf: (connector) => sinkGroupOf(clusterId, connector),
        loggerOf,
        requestTaskReconfiguration,
        agreedPairs,
        ...(task.type === 'sink' ? watchedPorts(ports, progressOf()) : ports),
      });
      void loop.ended.then(use.release);
      return loop;
    } catch (error) {
      use.release();
      throw error;
    }
  }
}
