import type { DesiredTask } from '@sluice/core';
import type { ClusterNode } from '@sluice/node';
import { readerGroupOf, sinkGroupOf } from '@sluice/protocol';
import { type Lease, type OffsetStore, type PositionStore, type QueueMessages, systemClock, type TaskEnvironment } from '@sluice/runtime';
import type { SinkLag } from '../metrics/sink-lag.js';
import type { DataCluster } from './data-cluster.js';
import { RocketMqQueueMessages } from './rocketmq-queue-messages.js';
import { RocketMqRecordProducer } from './rocketmq-record-producer.js';

export interface TaskEnvironmentParts {
  readonly data: DataCluster;
  readonly offsets: OffsetStore;
  readonly positions: PositionStore;
  readonly lease: Lease;
  readonly lag: SinkLag;
  readonly requestTaskReconfiguration: (connector: string) => void;
}

/** Gives each task of a node what its loop reads, writes and waits with. */
export class TaskEnvironments {
  readonly #node: ClusterNode;
  readonly #parts: TaskEnvironmentParts;
  readonly #messages: QueueMessages;

  constructor(node: ClusterNode, parts: TaskEnvironmentParts) {
    this.#node = node;
    this.#parts = parts;
    this.#messages = new RocketMqQueueMessages(parts.data.client, readerGroupOf(node.settings.clusterId));
  }

  /** Returns the environment of a new loop of the task. */
  of(task: DesiredTask): TaskEnvironment {
    const { data, lag, lease, offsets, positions, requestTaskReconfiguration } = this.#parts;
    const { logger, settings } = this.#node;
    const ports = { messages: this.#messages, offsets };
    return {
      producer: (creation) =>
        new RocketMqRecordProducer(data.client, settings.mayCreateTopics ? creation : undefined, (topic, queues) => {
          logger.scoped('tasks').info(`Created topic ${topic} with ${queues} queues per broker`);
        }),
      positions,
      lease,
      clock: systemClock,
      groupOf: (connector) => sinkGroupOf(settings.clusterId, connector),
      loggerOf: (name) => logger.scoped(name),
      requestTaskReconfiguration,
      ...(task.type === 'sink' ? lag.watched(task, ports) : ports),
    };
  }
}
