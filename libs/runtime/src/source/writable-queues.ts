import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import type { QueueLookUp, RecordProducer } from '../ports/record-producer.port.js';
import type { TaskWarnings } from '../task/task-warnings.js';
import { UnreadableQueues } from '../task/unreadable-queues.js';

/** A replica that stands in for its master takes no messages for a while, and looks like a broker that was closed on purpose. */
const MAX_CLOSED_MS = 10_000;

/** Two looks that are further apart than this and the longest retry delay do not show how the queue was between them. */
const MAX_UNSEEN_MS = 180_000;

/** A queue that takes no messages now. */
export interface QueueStop {
  readonly queue: QueueRef;
  readonly state: Exclude<QueueLookUp['state'], 'writable'>;
  readonly forMs: number;
  /** For how long in all the task waits for the queue; Infinity without end. */
  readonly limitMs: number;
  /** The task waits no longer for the queue. */
  readonly isOverdue: boolean;
  /** Queues of the topic that may be written and read: what was meant for an overdue queue goes to one of them. */
  readonly others: readonly QueueRef[];
}

/** What a task does once a queue is overdue: its partitions move, the task restarts, or they stay, for their records name the queue. */
export type WhenOverdue = 'move' | 'restart' | 'stay';

/** What a look at a queue shows: it takes messages, it takes none, or no name server answers and nobody can say. */
export type QueueLook = { readonly state: 'writable' | 'unknown' } | QueueStop;

export interface WritableQueuesOptions {
  readonly producer: RecordProducer;
  readonly messages: Pick<QueueMessages, 'unreadableQueues'>;
  readonly warnings: Pick<TaskWarnings, 'add'>;
  readonly clock: Clock;
  /** How long a queue is waited for whose broker is unavailable; `undefined` without end. */
  readonly maxUnavailableMs: number | undefined;
  /** The longest wait before a failed call is repeated, in milliseconds: looks of a task that starts may be so far apart. */
  readonly maxRetryDelayMs: number;
}

/** Reports queues that stopped taking messages. */
export interface QueueStops {
  /**
   * Looks whether a queue takes messages. Never rejects.
   *
   * @param mayCreate records wait: a topic whose queues are all gone for long is created again, where that is allowed
   */
  look(queue: QueueRef, mayCreate?: boolean): Promise<QueueLook>;
  /** Notes that a call to the queue succeeded. */
  answered(queue: QueueRef): void;
}

interface SeenStop {
  readonly state: QueueStop['state'];
  readonly sinceMs: number;
  readonly seenMs: number;
}

/** Reports a topic that no record can be sent to: it does not exist, or none of its queues is writable. */
export class NoQueueError extends ConnectError {
  constructor(readonly topic: string) {
    super(
      ConnectErrorCode.unavailable,
      `Topic ${topic} has no queue that may be read and written. Create it, or give it read and write permission (perm 6)`,
      {
        retriable: true,
      },
    );
  }
}

/** Finds the queues that a source may write to, and those that stopped taking messages. */
export class WritableQueues implements QueueStops {
  readonly #unreadable: UnreadableQueues;
  readonly #stops = new Map<string, SeenStop>();

  constructor(private readonly options: WritableQueuesOptions) {
    this.#unreadable = new UnreadableQueues(options.messages, options.warnings, 'source');
  }

  /**
   * Finds the queues of a topic that may be written and read. A missing topic is created where that is allowed, unless queues of it are known. Then
   * these stand in where the topic has none now, or nobody can say.
   *
   * @throws NoQueueError
   */
  async of(topic: string, known: readonly QueueRef[] = []): Promise<readonly QueueRef[]> {
    const { producer } = this.options;
    const [one] = known;
    if (one !== undefined) {
      const { writable } = await producer.lookUpQueue(one).catch(() => ({ writable: known }));
      const found = await this.#readable(topic, writable).catch(() => known);
      return found.length > 0 ? found : known;
    }
    const found = await this.#readable(topic, await producer.queues(topic));
    if (found.length === 0) throw new NoQueueError(topic);
    return found;
  }

  /** Returns whether a queue is there now and may be written and read, by the name servers' newest answer. */
  async has(queue: QueueRef): Promise<boolean> {
    const { state } = await this.options.producer.lookUpQueue(queue);
    return state === 'writable' && (await this.#readable(queue.topic, [queue])).length > 0;
  }

  async look(queue: QueueRef, mayCreate = false): Promise<QueueLook> {
    let found: QueueLookUp;
    try {
      found = await this.options.producer.lookUpQueue(queue);
    } catch {
      return { state: 'unknown' };
    }
    const { state, writable } = found;
    const key = queueKey(queue);
    if (state === 'writable') {
      this.#stops.delete(key);
      return { state };
    }
    const forMs = this.#note(key, state);
    const { maxUnavailableMs = Infinity } = this.options;
    const limitMs = state === 'closed' ? Math.min(MAX_CLOSED_MS, maxUnavailableMs) : maxUnavailableMs;
    const isOverdue = forMs >= limitMs;
    const others = isOverdue ? await this.#othersOf(queue, writable, mayCreate) : [];
    return others.some((other) => queueKey(other) === key) ? { state: 'writable' } : { queue, state, forMs, limitMs, isOverdue, others };
  }

  answered(queue: QueueRef): void {
    if (this.#stops.size === 0) return;
    const key = queueKey(queue);
    // A queue that is closed on the name servers alone answers still.
    if (this.#stops.get(key)?.state === 'unavailable') this.#stops.delete(key);
  }

  /** Notes what was seen of a queue and returns for how long it has been so. */
  #note(key: string, state: QueueStop['state']): number {
    const { clock, maxRetryDelayMs } = this.options;
    const nowMs = clock.nowMs();
    const known = this.#stops.get(key);
    const isSame = known?.state === state && nowMs - known.seenMs < MAX_UNSEEN_MS + maxRetryDelayMs;
    const sinceMs = isSame ? known.sinceMs : nowMs;
    this.#stops.set(key, { state, sinceMs, seenMs: nowMs });
    return nowMs - sinceMs;
  }

  async #othersOf(queue: QueueRef, writable: readonly QueueRef[], mayCreate: boolean): Promise<readonly QueueRef[]> {
    const { topic } = queue;
    try {
      // A topic without any queue may have been deleted, or be on brokers that are all unavailable.
      const found = mayCreate && writable.length === 0 ? await this.options.producer.queues(topic) : writable;
      return await this.#readable(topic, found);
    } catch {
      return [];
    }
  }

  async #readable(topic: string, queues: readonly QueueRef[]): Promise<readonly QueueRef[]> {
    const unreadable = await this.#unreadable.of(topic);
    return queues.filter((queue) => !unreadable.has(queueKey(queue)));
  }
}

/** Returns whether a look showed that the queue takes no messages. */
export function isStop(look: QueueLook): look is QueueStop {
  return look.state !== 'writable' && look.state !== 'unknown';
}

/** Says what is known of a queue that takes no messages. */
export function describeStop({ queue, state, forMs }: QueueStop): string {
  const seconds = Math.round(forMs / 1000);
  const what = state === 'closed' ? 'has taken no messages' : 'has had no broker';
  return `Queue ${queueKey(queue)} ${what} for ${seconds} s`;
}

/** Says why a send to a queue failed, for how long that takes no messages, and what the task will do when. */
export function describeWait(error: unknown, stop: QueueStop, whenOverdue: WhenOverdue): string {
  const { limitMs } = stop;
  const move =
    whenOverdue === 'restart'
      ? 'the task restarts with the queues that take messages then'
      : 'the task sends to another queue of the topic';
  const create = 'If the topic is gone then, topic.creation.enable=true has the task create it';
  const plan =
    whenOverdue === 'stay'
      ? 'The task waits for it without end: its source names this queue, and no other stands in for it'
      : limitMs === Infinity
        ? 'The task waits for it without end'
        : stop.isOverdue
          ? 'No other queue of the topic takes messages either; the task waits'
          : `After ${Math.round(limitMs / 1000)} s ${move}. ${create}`;
  const why = error instanceof Error ? error.message : String(error);
  return `${why.replace(/\.$/, '')}. ${describeStop(stop)}. ${plan}`;
}

/** Reports that what a queue holds cannot be read, and is not waited for any longer. */
export class QueueLostError extends ConnectError {
  constructor(stop: QueueStop) {
    super(ConnectErrorCode.unavailable, describeStop(stop));
  }
}

/** Throws when the queue's broker is unavailable for longer than the task waits. */
export function throwIfLost(look: QueueLook): void {
  if (isStop(look) && look.isOverdue && look.state === 'unavailable') throw new QueueLostError(look);
}
