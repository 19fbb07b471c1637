import { queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { QueueLookUp, RecordProducer } from '../ports/record-producer.port.js';
import type { TaskWarnings } from '../task-warnings.js';
import { UnreadableQueues } from '../unreadable-queues.js';
import { NoQueueError } from './no-queue-error.js';

/** A replica that stands in for its master takes no messages for a while, and looks like a broker that was closed on purpose. */
const maxClosedMs = 10_000;

/** A queue that takes no messages now. */
export interface QueueStop {
  readonly queue: QueueRef;
  readonly state: Exclude<QueueLookUp['state'], 'writable'>;
  readonly forMs: number;
  /** The task waits no longer: what was meant for it goes to one of `others`. Never true while there is no other. */
  readonly isOverdue: boolean;
  /** Queues of the topic that may be written and read. */
  readonly others: readonly QueueRef[];
}

export interface WritableQueuesOptions {
  readonly producer: RecordProducer;
  readonly messages: Pick<QueueMessages, 'unreadableQueues'>;
  readonly warnings: Pick<TaskWarnings, 'add'>;
  readonly clock: Clock;
  /** How long a queue is waited for whose broker is unavailable; `undefined` without end. */
  readonly maxUnavailableMs: number | undefined;
}

/** Tells of queues that stopped taking messages. */
export interface QueueStops {
  /**
   * Looks whether a queue to which a call failed takes messages. Resolves with `undefined` when it does, and when nobody can say. Never rejects.
   */
  stopOf(queue: QueueRef): Promise<QueueStop | undefined>;
  /** Notes that a call to the queue succeeded. */
  answered(queue: QueueRef): void;
}

/** The queues that a source may write to, and those that stopped taking messages. */
export class WritableQueues implements QueueStops {
  private readonly unreadable: UnreadableQueues;
  private readonly stoppedAtMs = new Map<string, number>();

  constructor(private readonly options: WritableQueuesOptions) {
    this.unreadable = new UnreadableQueues(options.messages, options.warnings, 'source');
  }

  /** Finds the queues of a topic that may be written and read; a missing topic is created where that is allowed. @throws NoQueueError */
  async of(topic: string): Promise<readonly QueueRef[]> {
    const unreadable = await this.unreadable.of(topic);
    const found = (await this.options.producer.queues(topic)).filter((queue) => !unreadable.has(queueKey(queue)));
    if (found.length === 0) throw new NoQueueError(topic);
    return found;
  }

  async stopOf(queue: QueueRef): Promise<QueueStop | undefined> {
    try {
      return await this.lookUp(queue);
    } catch {
      // Name servers that do not answer say nothing.
      return undefined;
    }
  }

  answered(queue: QueueRef): void {
    if (this.stoppedAtMs.size > 0) this.stoppedAtMs.delete(queueKey(queue));
  }

  private async lookUp(queue: QueueRef): Promise<QueueStop | undefined> {
    const { producer, clock, maxUnavailableMs = Infinity } = this.options;
    const key = queueKey(queue);
    const { state, writable } = await producer.lookUpQueue(queue);
    if (state === 'writable') {
      this.stoppedAtMs.delete(key);
      return undefined;
    }
    const nowMs = clock.nowMs();
    const stoppedAtMs = this.stoppedAtMs.get(key) ?? nowMs;
    this.stoppedAtMs.set(key, stoppedAtMs);
    const forMs = nowMs - stoppedAtMs;
    const isDue = forMs >= (state === 'closed' ? Math.min(maxClosedMs, maxUnavailableMs) : maxUnavailableMs);
    // A topic without any queue may have been deleted, or be on brokers that are all unavailable: where that is allowed it is created now.
    const found = isDue && writable.length === 0 ? await producer.queues(queue.topic) : writable;
    const unreadable = await this.unreadable.of(queue.topic);
    const others = found.filter((other) => !unreadable.has(queueKey(other)));
    if (others.some((other) => queueKey(other) === key)) return undefined;
    return { queue, state, forMs, isOverdue: isDue && others.length > 0, others };
  }
}

/** Says what is known of a queue that takes no messages. */
export function describeStop({ queue, state, forMs }: QueueStop): string {
  const seconds = Math.round(forMs / 1000);
  const what = state === 'closed' ? 'has taken no messages' : 'has had no broker';
  return `Queue ${queueKey(queue)} ${what} for ${seconds} s`;
}
