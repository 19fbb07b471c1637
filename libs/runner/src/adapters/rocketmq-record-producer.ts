import type { MessageHead } from '@sluice/protocol';
import type { QueueRef } from '@sluice/sdk';
import {
  BatchEncoder,
  BrokerResponseError,
  isMessageRefused,
  isQueueRefused,
  isRocketMqError,
  MessageTooLargeError,
  SendOutcomeUnknownError,
  TopicNotFoundError,
  writableQueues,
  type RocketMqClient,
  type SendResult,
  type TopicRoute,
} from '@sluice/rocketmq';
import {
  SendFailure,
  type BatchMessage,
  type QueueLookUp,
  type RecordBatch,
  type RecordProducer,
  type SettledSend,
  type StoredBatch,
  type WholeMessage,
} from '@sluice/runtime';
import { errorOfKnownQueue, mayRetry } from '@sluice/node/known-queue';

/** How many queues a topic gets that a source creates; `undefined` where sources may not create topics. */
export type TopicCreation = { readonly queues: number } | undefined;

const SEND_TIMEOUT_MS = 10_000;

/** Most memory of acknowledged batches that is kept for the next ones. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024;
/** Any batch may have so much. */
const SMALL_BYTES = 32 * 1024;
/** How many times its own size a batch may have: memory grows by doubling, and batches of a queue differ. */
const MAX_SURPLUS = 4;

/** Keeps the memory of acknowledged batches, of all tasks of a thread: new memory costs more than what is written into it. */
export class SpareEncoders {
  readonly #encoders: BatchEncoder[] = [];
  #bytes = 0;

  /** Returns an encoder that has no more memory than a batch of about that size may have: many small ones may wait for a broker. */
  take(expectedBytes: number): BatchEncoder {
    const fits = ({ capacity }: BatchEncoder): boolean => capacity <= Math.max(SMALL_BYTES, MAX_SURPLUS * expectedBytes);
    const at = this.#encoders.findLastIndex(fits);
    const [encoder] = at < 0 ? [] : this.#encoders.splice(at, 1);
    if (encoder === undefined) return new BatchEncoder();
    this.#bytes -= encoder.capacity;
    encoder.reset();
    return encoder;
  }

  /** Keeps an encoder whose bytes nobody needs any more, where there is room. */
  keep(encoder: BatchEncoder): void {
    if (this.#bytes + encoder.capacity > MAX_SPARE_BYTES) return;
    this.#encoders.push(encoder);
    this.#bytes += encoder.capacity;
  }
}

class EncoderBatch implements RecordBatch {
  /** How often it was sent, and how often the broker has answered that it stored it. */
  sends = 0;
  answers = 0;

  constructor(
    readonly encoder: BatchEncoder,
    readonly head: MessageHead | undefined,
  ) {}

  get count(): number {
    return this.encoder.count;
  }

  get bytes(): number {
    return this.encoder.bytes;
  }

  add(body: Buffer, properties: string | Buffer, flag?: number): number {
    if (!this.encoder.fits(body, properties)) return 0;
    return this.encoder.add(body, properties, flag);
  }

  get messages(): readonly BatchMessage[] {
    return this.encoder.messages();
  }
}

/** Sends records over the remoting protocol, and creates missing topics where that is allowed. */
export class RocketMqRecordProducer implements RecordProducer {
  constructor(
    private readonly client: RocketMqClient,
    private readonly spare: SpareEncoders,
    private readonly creation: TopicCreation,
    private readonly onCreated: (topic: string, queues: number) => void,
  ) {}

  async queues(topic: string): Promise<readonly QueueRef[]> {
    try {
      return await this.#writable(topic);
    } catch (error) {
      if (!(error instanceof TopicNotFoundError)) throw notSent(error);
      if (this.creation === undefined) {
        throw new SendFailure(`${error.message}; topic.creation.enable is false`, {
          outcome: 'not-stored',
          retriable: false,
          cause: error,
        });
      }
    }
    const { queues } = this.creation;
    try {
      await this.client.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
      this.onCreated(topic, queues);
      return writableQueues(await this.client.routes.refresh(topic));
    } catch (error) {
      // The name servers learn of a new topic with the broker's next registration.
      throw notSent(error, error instanceof TopicNotFoundError);
    }
  }

  async lookUpQueue(queue: QueueRef): Promise<QueueLookUp> {
    try {
      const known = lookUp(queue, await this.client.routes.get(queue.topic));
      return known.state === 'writable' ? known : lookUp(queue, await this.client.routes.refresh(queue.topic));
    } catch (error) {
      if (error instanceof TopicNotFoundError) return { state: 'unavailable', writable: [] };
      throw error;
    }
  }

  newBatch(expectedBytes: number, head?: MessageHead): RecordBatch {
    return new EncoderBatch(this.spare.take(expectedBytes), head);
  }

  giveBack(batch: RecordBatch): void {
    // What was sent without an answer may still be on its way.
    if (!(batch instanceof EncoderBatch) || batch.sends === 0 || batch.sends !== batch.answers) return;
    // It is given back once.
    batch.sends = 0;
    this.spare.keep(batch.encoder);
  }

  async send(queue: QueueRef, batch: RecordBatch, signal: AbortSignal): Promise<StoredBatch> {
    if (!(batch instanceof EncoderBatch)) throw new TypeError('The batch was made by another producer');
    batch.sends += 1;
    const options = { timeoutMs: SEND_TIMEOUT_MS, signal };
    const stored = await orFailure(this.client.producer.sendBatch(queue, batch.encoder.finish(batch.head), options));
    batch.answers += 1;
    if (stored.firstOffset >= 0) return stored;
    throw new SendFailure('The broker has stored the batch without an offset: its queue is moving to this broker', {
      outcome: 'unknown',
      retriable: true,
      settled: Promise.resolve('stored'),
    });
  }

  async sendMessage(queue: QueueRef, message: WholeMessage, signal: AbortSignal): Promise<void> {
    await orFailure(this.client.producer.sendEncoded(queue, message, { timeoutMs: SEND_TIMEOUT_MS, signal }));
  }

  async #writable(topic: string): Promise<readonly QueueRef[]> {
    const { routes } = this.client;
    const known = writableQueues(await routes.get(topic));
    // Whoever opens a topic for writing waits for that to be noticed.
    return known.length > 0 ? known : writableQueues(await routes.refresh(topic));
  }
}

function lookUp({ brokerName, queueId }: QueueRef, route: TopicRoute): QueueLookUp {
  const writable = writableQueues(route);
  const broker = route.brokers.find((each) => each.brokerName === brokerName);
  if (broker?.masterAddress === undefined) return { state: 'unavailable', writable };
  // A static topic's queue may have another broker now.
  const isWritable = writable.some((each) => each.brokerName === brokerName && each.queueId === queueId);
  return { state: isWritable ? 'writable' : 'closed', writable };
}

async function orFailure(sent: Promise<SendResult>): Promise<SendResult> {
  try {
    return await sent;
  } catch (error) {
    throw sendFailure(error);
  }
}

const settlements: Readonly<Record<'stored' | 'failed' | 'unknown', SettledSend>> = {
  stored: 'stored',
  failed: 'not-stored',
  unknown: 'unknown',
};

/** Only an error that says so itself means that nothing was stored. */
function sendFailure(error: unknown): SendFailure {
  // Name servers learn a little later than the broker that a queue takes no messages.
  if (error instanceof BrokerResponseError && isQueueRefused(error)) return notSent(error, true);
  if (error instanceof MessageTooLargeError || (error instanceof BrokerResponseError && isMessageRefused(error))) {
    return new SendFailure(error.message, { outcome: 'not-stored', retriable: false, refusesMessages: true, cause: error });
  }
  if (!isRocketMqError(error) || error.outcome === 'not-sent') return notSent(errorOfKnownQueue(error));
  const settled = error instanceof SendOutcomeUnknownError ? error.settled.then(({ kind }) => settlements[kind]) : undefined;
  return new SendFailure(error.message, {
    outcome: 'unknown',
    retriable: true,
    ...(settled === undefined ? {} : { settled }),
    cause: error,
  });
}

function notSent(error: unknown, retriable = mayRetry(error)): SendFailure {
  const message = error instanceof Error ? error.message : String(error);
  return new SendFailure(message, { outcome: 'not-stored', retriable, cause: error });
}
