import type { MessageHead } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { QueueMessages, MessageReader, RawMessage } from '../ports/queue-messages.port.js';
import { QueueReadFailure } from '../ports/queue-messages.port.js';
import {
  type BatchMessage,
  type RecordBatch,
  type RecordProducer,
  SendFailure,
  type SettledSend,
  type WholeMessage,
} from '../ports/record-producer.port.js';

interface StoredParts {
  readonly body: Buffer;
  readonly properties: string | Buffer;
  readonly flag?: number;
}

export class FakeBatch implements RecordBatch {
  readonly #messages: BatchMessage[] = [];
  bytes = 0;
  isGivenBack = false;
  constructor(
    private readonly maxBytes: number,
    readonly head?: MessageHead,
  ) {}

  get count(): number {
    return this.#messages.length;
  }

  get messages(): readonly BatchMessage[] {
    if (this.isGivenBack) throw new Error('The batch was given back');
    return this.#messages;
  }

  add(body: Buffer, properties: string | Buffer, flag = 0): number {
    if (this.isGivenBack) throw new Error('The batch was given back');
    const bytes = typeof properties === 'string' ? Buffer.from(properties, 'utf8') : properties;
    const payload = body.length + bytes.length;
    const size = payload + 22;
    if (this.bytes + size > this.maxBytes) return 0;
    this.bytes += size;
    this.#messages.push({ body, properties: bytes, flag });
    return payload;
  }
}

export class FakeQueue {
  readonly messages: RawMessage[] = [];
  minOffset = 0;
  #waiting: (() => void)[] = [];
  constructor(readonly ref: QueueRef) {}

  get endOffset(): number {
    return this.messages.length;
  }

  /** What deleting the topic and creating it again does. */
  clear(): void {
    this.messages.length = 0;
    this.minOffset = 0;
  }

  append(parts: readonly StoredParts[], storeTimestamp: number, head: Partial<MessageHead> = {}): number {
    const firstOffset = this.messages.length;
    const { sysFlag = 0, bornAt: bornTimestamp = storeTimestamp } = head;
    for (const { body, properties, flag = 0 } of parts) {
      const rawProperties = typeof properties === 'string' ? Buffer.from(properties, 'utf8') : properties;
      this.messages.push({
        queueOffset: this.messages.length,
        body,
        bodyBytes: body.length,
        ...(sysFlag === 0 ? {} : { compressed: { body, sysFlag } }),
        ...(flag === 0 ? {} : { flag }),
        rawProperties,
        propertiesBytes: rawProperties.length,
        bornTimestamp,
        storeTimestamp,
      });
    }
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
    return firstOffset;
  }

  whenMore(wake: () => void): void {
    this.#waiting.push(wake);
  }
}

/** What the fake broker does with a send. */
export type SendFate =
  | { readonly kind: 'store' }
  /** Stored, but the reply is lost; `settled` shows how the client learns of it. */
  | { readonly kind: 'store-unknown'; readonly settled?: Promise<SettledSend> }
  | { readonly kind: 'lose-unknown'; readonly settled?: Promise<SettledSend> }
  /** Only the first records are visible before the barrier; the others land when `land` is called. */
  | { readonly kind: 'part-unknown'; readonly count: number }
  | { readonly kind: 'reject'; readonly retriable: boolean }
  /** For what is in the messages. */
  | { readonly kind: 'refuse' }
  /** Waits until the promise resolves, then is stored. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

/** A log with topics and queues in memory. */
export class FakeCluster {
  readonly queues = new Map<string, FakeQueue>();
  /** Batches that the broker has received and not stored yet. */
  readonly #late: { readonly queue: FakeQueue; readonly messages: readonly StoredParts[]; readonly head: MessageHead | undefined }[] = [];
  /**
   * By key: queues of which the name servers say that they take no messages. Brokers still store what is sent to a closed one, and refuse it
   * where the topic does not have the queue any more. Of an unavailable one nothing can be read either.
   */
  readonly stopped = new Map<string, 'closed' | 'refusing' | 'unavailable'>();
  /** Keys of queues that may be written and not be read. */
  readonly unreadable = new Set<string>();
  maxBatchBytes = 4 * 1024 * 1024;
  readonly sends: { readonly queue: string; readonly count: number }[] = [];
  /** Sends in flight now, and the most there ever were at once, by queue. */
  readonly inFlight = new Map<string, number>();
  maxInFlight = 0;
  fate: (queue: QueueRef, batch: FakeBatch) => SendFate = () => ({ kind: 'store' });
  nowMs: () => number = () => 0;

  addTopic(topic: string, queueCount: number, brokerName = 'broker-a'): readonly QueueRef[] {
    const refs: QueueRef[] = [];
    for (let queueId = 0; queueId < queueCount; queueId++) {
      const ref = { topic, brokerName, queueId };
      refs.push(ref);
      if (!this.queues.has(queueKey(ref))) this.queues.set(queueKey(ref), new FakeQueue(ref));
    }
    return refs;
  }

  queue(ref: QueueRef): FakeQueue {
    const queue = this.queues.get(queueKey(ref));
    if (queue === undefined) throw new Error(`No queue ${queueKey(ref)}`);
    return queue;
  }

  queuesOf(topic: string): readonly QueueRef[] {
    return [...this.queues.values()].filter(({ ref }) => ref.topic === topic).map(({ ref }) => ref);
  }

  #writable(topic: string): readonly QueueRef[] {
    return this.queuesOf(topic).filter((ref) => !this.stopped.has(queueKey(ref)));
  }

  /** Messages of a broker that says of the first `times` reads that the offset was removed, although it has its message. */
  contradicting(times: number): QueueMessages {
    let left = times;
    const next = (): Promise<never> => {
      left--;
      return Promise.reject(new QueueReadFailure('too old', { reason: 'below-min', retriable: false }));
    };
    const close = (): void => undefined;
    return {
      ...this.messages,
      read: (ref, from, signal) => (left > 0 ? { next, close } : this.messages.read(ref, from, signal)),
    };
  }

  /** Has the queue refuse everything, also what is on its way. */
  refuse(ref: QueueRef): void {
    this.stopped.set(queueKey(ref), 'refusing');
    const others = this.#late.filter(({ queue }) => queue.ref !== ref);
    this.#late.splice(0, Infinity, ...others);
  }

  /** Keeps messages on their way to a queue that takes them. */
  delay(ref: QueueRef, messages: readonly StoredParts[], head?: MessageHead): void {
    if (this.stopped.get(queueKey(ref)) !== 'refusing') this.#late.push({ queue: this.queue(ref), messages, head });
  }

  /** Lets the batches land that were on their way for long. */
  landLate(): void {
    for (const { queue, messages, head } of this.#late.splice(0)) queue.append(messages, this.nowMs(), head);
  }

  readonly producer: { -readonly [K in keyof RecordProducer]: RecordProducer[K] } = {
    queues: (topic) => Promise.resolve(this.#writable(topic)),
    lookUpQueue: (ref) => {
      const state = this.stopped.get(queueKey(ref)) ?? (this.queues.has(queueKey(ref)) ? 'writable' : 'closed');
      return Promise.resolve({ state: state === 'refusing' ? 'closed' : state, writable: this.#writable(ref.topic) });
    },
    newBatch: (_expectedBytes, head) => new FakeBatch(this.maxBatchBytes, head),
    giveBack: (batch) => {
      if (batch instanceof FakeBatch) batch.isGivenBack = true;
    },
    sendMessage: async (ref, message) => {
      await Promise.resolve();
      const refusal = this.refusalOf(ref, message);
      if (refusal !== undefined) throw refusal;
      this.queue(ref).append([message], this.nowMs(), message);
    },
    send: async (ref, batch) => {
      if (!(batch instanceof FakeBatch) || batch.isGivenBack) throw new Error('Not a batch of this producer');
      const key = queueKey(ref);
      const inFlight = (this.inFlight.get(key) ?? 0) + 1;
      this.inFlight.set(key, inFlight);
      this.maxInFlight = Math.max(this.maxInFlight, inFlight);
      try {
        return await this.#receive(ref, batch);
      } finally {
        this.inFlight.set(key, (this.inFlight.get(key) ?? 1) - 1);
      }
    },
  };

  /** Why single messages to a queue are refused, if they are. */
  refusalOf: (queue: QueueRef, message: WholeMessage) => Error | undefined = () => undefined;

  readonly messages: { -readonly [K in keyof QueueMessages]: QueueMessages[K] } = {
    queues: (topic) => Promise.resolve(this.queuesOf(topic).filter((ref) => !this.unreadable.has(queueKey(ref)))),
    topics: () => Promise.resolve([...new Set([...this.queues.values()].map(({ ref }) => ref.topic))]),
    unreadableQueues: (topic) => Promise.resolve(this.queuesOf(topic).filter((ref) => this.unreadable.has(queueKey(ref)))),
    endOffset: async (ref) => {
      await this.#throwIfUnavailable(ref);
      return this.queue(ref).endOffset;
    },
    minOffset: (ref) => Promise.resolve(this.queue(ref).minOffset),
    range: (ref, from, to) => oneAnswer(this.queue(ref).messages.slice(from, to)),
    read: (ref, from, signal) => {
      const reader = new FakeReader(this.queue(ref), from, signal);
      return {
        next: async () => {
          await this.#throwIfUnavailable(ref);
          return reader.next();
        },
        close: () => {
          reader.close();
        },
      };
    },
  };

  async #throwIfUnavailable(ref: QueueRef): Promise<void> {
    await Promise.resolve();
    if (this.stopped.get(queueKey(ref)) !== 'unavailable') return;
    throw new QueueReadFailure('it is unavailable', { reason: 'unavailable', retriable: true });
  }

  async #receive(ref: QueueRef, batch: FakeBatch): Promise<{ firstOffset: number }> {
    this.sends.push({ queue: queueKey(ref), count: batch.count });
    const queue = this.queue(ref);
    const stopped = this.stopped.get(queueKey(ref));
    if (stopped === 'refusing' || stopped === 'unavailable') {
      throw new SendFailure(`it is ${stopped}`, { outcome: 'not-stored', retriable: true });
    }
    const fate = this.fate(ref, batch);
    const unknown = (settled: Promise<SettledSend> | undefined): SendFailure =>
      new SendFailure('reply lost', {
        outcome: 'unknown',
        retriable: true,
        ...(settled === undefined ? {} : { settled }),
      });
    await Promise.resolve();
    switch (fate.kind) {
      case 'store':
        return { firstOffset: queue.append(batch.messages, this.nowMs(), batch.head) };
      case 'store-unknown':
        queue.append(batch.messages, this.nowMs(), batch.head);
        throw unknown(fate.settled);
      case 'lose-unknown':
        throw unknown(fate.settled);
      case 'part-unknown':
        queue.append(batch.messages.slice(0, fate.count), this.nowMs(), batch.head);
        this.delay(ref, batch.messages, batch.head);
        throw unknown(undefined);
      case 'reject':
        throw new SendFailure('refused', { outcome: 'not-stored', retriable: fate.retriable });
      case 'refuse':
        throw new SendFailure('the message is illegal', { outcome: 'not-stored', retriable: false, refusesMessages: true });
      case 'hold':
        await fate.until;
        return { firstOffset: queue.append(batch.messages, this.nowMs(), batch.head) };
    }
  }
}

async function* oneAnswer(messages: readonly RawMessage[]): AsyncGenerator<readonly RawMessage[]> {
  await Promise.resolve();
  yield messages;
}

class FakeReader implements MessageReader {
  constructor(
    private readonly queue: FakeQueue,
    private next_: number,
    private readonly signal: AbortSignal,
  ) {}

  async next(): Promise<readonly RawMessage[]> {
    await Promise.resolve();
    for (;;) {
      this.signal.throwIfAborted();
      const { queue } = this;
      if (this.next_ < queue.minOffset) throw new QueueReadFailure('too old', { reason: 'below-min', retriable: false });
      if (this.next_ > queue.endOffset) throw new QueueReadFailure('beyond', { reason: 'beyond-end', retriable: false });
      const answer = queue.messages.slice(this.next_, this.next_ + 32);
      if (answer.length > 0) {
        this.next_ += answer.length;
        return answer;
      }
      await new Promise<void>((resolve) => {
        queue.whenMore(resolve);
        this.signal.addEventListener('abort', () => {
          resolve();
        });
      });
    }
  }

  close(): void {
    // Nothing is held.
  }
}
