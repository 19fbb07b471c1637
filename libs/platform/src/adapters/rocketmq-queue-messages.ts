import type { QueueRef } from '@sluice/sdk';
import {
  OffsetOutOfRangeError,
  readableQueues,
  TopicNotFoundError,
  type QueueReader as ClientReader,
  type RocketMqClient,
} from '@sluice/rocketmq';
import { QueueReadFailure, type QueueMessages, type QueueReader, type RawMessage } from '@sluice/runtime';
import { errorOfKnownQueue, mayRetry } from './known-queue.js';

/** Pulls in flight per queue, ahead of what the task has taken. */
const pullsAhead = 4;

/** Reads records over the remoting protocol. */
export class RocketMqQueueMessages implements QueueMessages {
  /** Brokers refuse a pull of a group that they do not know: it is made before the first. */
  private prepared: Promise<void> | undefined;

  constructor(
    private readonly client: RocketMqClient,
    private readonly group: string,
  ) {}

  async queues(topic: string): Promise<readonly QueueRef[]> {
    try {
      return readableQueues(await this.client.routes.get(topic));
    } catch (error) {
      if (error instanceof TopicNotFoundError) return [];
      throw readFailure(error);
    }
  }

  async topics(): Promise<readonly string[]> {
    return this.client.admin.listTopics();
  }

  read(queue: QueueRef, from: number, signal: AbortSignal): QueueReader {
    return new FailingReader(
      this.client.consumer.readQueue(queue, { from, group: this.group, ahead: pullsAhead, signal }),
      () => this.prepare(),
      signal,
    );
  }

  endOffset(queue: QueueRef): Promise<number> {
    return this.client.admin.maxOffset(queue).catch((error: unknown) => {
      throw readFailure(errorOfKnownQueue(error));
    });
  }

  minOffset(queue: QueueRef): Promise<number> {
    return this.client.admin.minOffset(queue).catch((error: unknown) => {
      throw readFailure(errorOfKnownQueue(error));
    });
  }

  private prepare(): Promise<void> {
    if (this.prepared === undefined) {
      this.prepared = this.client.admin.createGroup({ group: this.group });
      this.prepared.catch(() => {
        this.prepared = undefined;
      });
    }
    return this.prepared;
  }
}

class FailingReader implements QueueReader {
  constructor(
    private readonly reader: ClientReader,
    private readonly prepare: () => Promise<void>,
    private readonly signal: AbortSignal,
  ) {}

  async next(): Promise<readonly RawMessage[]> {
    try {
      await this.prepare();
      return await this.reader.nextMessages();
    } catch (error) {
      if (this.signal.aborted) throw this.signal.reason;
      throw readFailure(errorOfKnownQueue(error));
    }
  }

  close(): void {
    this.reader.close();
  }
}

function readFailure(error: unknown): QueueReadFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof OffsetOutOfRangeError) {
    const reason = error.reason === 'beyond-max' ? 'beyond-end' : 'below-min';
    return new QueueReadFailure(message, { reason, retriable: false, cause: error });
  }
  return new QueueReadFailure(message, { reason: 'unavailable', retriable: mayRetry(error), cause: error });
}
