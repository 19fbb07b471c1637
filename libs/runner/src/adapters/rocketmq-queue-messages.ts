import { queueKey, type QueueRef } from '@sluice/sdk';
import {
  OffsetOutOfRangeError,
  readableQueues,
  TopicNotFoundError,
  writableQueues,
  type TopicRoute,
  type QueueReader as ClientReader,
  type RocketMqClient,
} from '@sluice/rocketmq';
import { QueueReadFailure, type QueueMessages, type MessageReader, type RawMessage, type ReadBudget } from '@sluice/runtime';
import { KnownGroups } from './known-groups.js';
import { errorOfKnownQueue, mayRetry } from '@sluice/node/known-queue';

/** Answers of the name servers serve all tasks of the node for this long. */
const FRESH_MS = 2000;
const MAX_TOPICS = 10_000;

/** Pulls in flight per queue, ahead of what the task has taken. */
const PULLS_AHEAD = 4;

/** How long the reader of a range waits for messages. A range may end among offsets without messages: only its position shows its end. */
const LOOK_AGAIN_MS = 1000;

/** Reads records over the remoting protocol. */
export class RocketMqQueueMessages implements QueueMessages {
  readonly #groups: KnownGroups;
  readonly #lastAsked = new Map<string, number>();
  #allTopics: { readonly names: Promise<readonly string[]>; readonly askedMs: number } | undefined;

  constructor(
    private readonly client: RocketMqClient,
    private readonly group: string,
  ) {
    this.#groups = new KnownGroups(client);
  }

  async queues(topic: string): Promise<readonly QueueRef[]> {
    try {
      return readableQueues(await this.#freshRoute(topic));
    } catch (error) {
      if (error instanceof TopicNotFoundError) return [];
      throw readFailure(error);
    }
  }

  async unreadableQueues(topic: string): Promise<readonly QueueRef[]> {
    try {
      const route = await this.#freshRoute(topic);
      const readable = new Set(readableQueues(route).map(queueKey));
      return writableQueues(route).filter((queue) => !readable.has(queueKey(queue)));
    } catch (error) {
      if (error instanceof TopicNotFoundError) return [];
      throw readFailure(error);
    }
  }

  topics(): Promise<readonly string[]> {
    const askedMs = performance.now();
    if (this.#allTopics === undefined || askedMs - this.#allTopics.askedMs > FRESH_MS) {
      const asked = { names: this.client.admin.listTopics(), askedMs };
      this.#allTopics = asked;
      asked.names.catch(() => {
        if (this.#allTopics === asked) this.#allTopics = undefined;
      });
    }
    return this.#allTopics.names;
  }

  read(queue: QueueRef, from: number, signal: AbortSignal, budget?: ReadBudget): FailingReader {
    const { group } = this;
    const bounds = { ahead: PULLS_AHEAD, ...(budget === undefined ? {} : { budget }) };
    const reader = this.client.consumer.readQueue(queue, { from, group, signal, ...bounds });
    return new FailingReader(reader, (call) => this.#groups.call(group, call), signal);
  }

  async *range(queue: QueueRef, from: number, to: number, signal: AbortSignal): AsyncGenerator<readonly RawMessage[]> {
    const reader = this.read(queue, from, signal);
    try {
      while (reader.position < to) {
        const messages = await reader.next(LOOK_AGAIN_MS).catch((error: unknown) => {
          if (error instanceof QueueReadFailure && error.reason !== 'unavailable') return undefined;
          throw error;
        });
        if (messages === undefined) return;
        if (messages.length > 0) yield messages.filter(({ queueOffset }) => queueOffset < to);
      }
    } finally {
      reader.close();
    }
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

  /** A route ages in the client's cache for longer than new queues may wait. */
  async #freshRoute(topic: string): Promise<TopicRoute> {
    const { routes } = this.client;
    const nowMs = performance.now();
    if (nowMs - (this.#lastAsked.get(topic) ?? -Infinity) < FRESH_MS) return routes.get(topic);
    this.#lastAsked.delete(topic);
    this.#lastAsked.set(topic, nowMs);
    const [oldest] = this.#lastAsked.keys();
    if (this.#lastAsked.size > MAX_TOPICS && oldest !== undefined) this.#lastAsked.delete(oldest);
    return routes.refresh(topic);
  }
}

class FailingReader implements MessageReader {
  constructor(
    private readonly reader: ClientReader,
    private readonly asGroup: <T>(call: () => Promise<T>) => Promise<T>,
    private readonly signal: AbortSignal,
  ) {}

  get position(): number {
    return this.reader.position;
  }

  /** @param timeoutMs after which the list is empty, in milliseconds; the reader waits for messages where it is undefined */
  async next(timeoutMs?: number): Promise<readonly RawMessage[]> {
    try {
      return await this.asGroup(() => this.reader.nextMessages(timeoutMs === undefined ? {} : { timeoutMs }));
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
