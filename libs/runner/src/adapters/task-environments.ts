import type { DesiredTask } from '@sluice/core';
import type { LogScope, ScopedLogger } from '@sluice/node';
import { readerGroupOf, sinkGroupOf } from '@sluice/protocol';
import type { RocketMqClient } from '@sluice/rocketmq';
import { type Lease, type OffsetStore, type PositionStore, type QueueMessages, systemClock, type TaskEnvironment } from '@sluice/runtime';
import { type SinkProgress, watchedPorts } from '../metrics/sink-progress.js';
import { RocketMqQueueMessages } from './rocketmq-queue-messages.js';
import { RocketMqRecordProducer, SpareEncoders } from './rocketmq-record-producer.js';

export interface TaskEnvironmentParts {
  readonly clusterId: string;
  readonly mayCreateTopics: boolean;
  /** Of the cluster that has the topics of the tasks. */
  readonly client: RocketMqClient;
  readonly offsets: OffsetStore;
  readonly positions: PositionStore;
  readonly lease: Lease;
  readonly loggerOf: (scope: LogScope) => ScopedLogger;
  readonly requestTaskReconfiguration: (connector: string) => void;
}

/** Gives each task of a thread what its loop reads, writes and waits with. */
export class TaskEnvironments {
  readonly #spare = new SpareEncoders();
  readonly #parts: TaskEnvironmentParts;
  readonly messages: QueueMessages;

  constructor(parts: TaskEnvironmentParts) {
    this.#parts = parts;
    this.messages = new RocketMqQueueMessages(parts.client, readerGroupOf(parts.clusterId));
  }

  /** Returns the environment of a new loop of the task. `progressOf` is called where that is a sink's. */
  of(task: DesiredTask, progressOf: (messages: QueueMessages) => SinkProgress): TaskEnvironment {
    const { client, clusterId, lease, loggerOf, mayCreateTopics, offsets, positions, requestTaskReconfiguration } = this.#parts;
    const ports = { messages: this.messages, offsets };
    return {
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
      ...(task.type === 'sink' ? watchedPorts(ports, progressOf(this.messages)) : ports),
    };
  }
}
