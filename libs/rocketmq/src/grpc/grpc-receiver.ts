import { hostname } from 'node:os';
import { setMaxListeners } from 'node:events';
import { CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import {
  BrokerNotFoundError,
  ClientClosedError,
  InvalidArgumentError,
  isRocketMqError,
  MalformedDataError,
  RequestAbortedError,
  type RocketMqError,
} from '../errors.js';
import type { AckOutcome, MessageReceiver, ReceivedMessage, ReceiveOptions, ReceiverOptions } from '../messaging/message-port.js';
import { acknowledge, type AckEntry, changeInvisibility } from './acknowledge.js';
import { consumerSettings, ConsumerSession } from './consumer-session.js';
import { decodeMessage, type GrpcDelivery } from './incoming-message.js';
import { durationOf } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { decidingFailure, PollPacing } from './poll-pacing.js';
import { receiveOnce } from './receive-stream.js';
import { isSessionLost } from './status-error.js';
import type { ProxyBroker, TopicRoutes } from './topic-routes.js';

export interface GrpcReceiverContext {
  readonly channels: ProxyChannels;
  readonly routes: TopicRoutes;
  /** The receiver's own: the Proxy keeps one subscription per client id. */
  readonly clientId: string;
  readonly requestTimeoutMs: number;
  readonly pollsPerBroker: number;
  readonly pollMs: number;
  readonly maxBodyBytes: number;
  readonly onClose: (receiver: GrpcReceiver) => void;
}

const MAX_MESSAGES_PER_POLL = 32;
const MAX_ENTRIES_PER_ACK = 32;
const MIN_INVISIBLE_MS = 10_000;
const HEARTBEAT_INTERVAL_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1_000;
interface HeldMessage {
  readonly message: ReceivedMessage;
  /** Afterwards too little of its time would be left to whoever gets it: the broker delivers it again. */
  readonly keepUntil: number;
}

/**
 * Receives from all brokers of a topic at once, with long polls at each. A poll outlives the `receive` that started
 * it; the next `receive` returns what the poll brings.
 */
export class GrpcReceiver implements MessageReceiver {
  readonly topic: string;
  readonly group: string;
  readonly #filter: string;
  readonly #context: GrpcReceiverContext;
  readonly #sessions = new Map<string, ConsumerSession>();
  readonly #brokers = new Map<string, readonly PollPacing[]>();
  readonly #route = new PollPacing();
  readonly #running = new Set<Promise<void>>();
  readonly #waiters = new Set<() => void>();
  readonly #closing = new AbortController();
  #held: HeldMessage[] = [];
  #heartbeats: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor({ topic, group, filter = '*' }: ReceiverOptions, context: GrpcReceiverContext) {
    this.topic = topic;
    this.group = group;
    this.#filter = filter;
    this.#context = context;
    setMaxListeners(0, this.#closing.signal);
  }

  get failure(): RocketMqError | undefined {
    return decidingFailure(this.#polls, { startedAt: 0, isOver: true });
  }

  async receive(options: ReceiveOptions): Promise<ReceivedMessage[]> {
    checkReceiveOptions(options);
    const { maxMessages, signal } = options;
    const what = `receive from topic '${this.topic}'`;
    const deadline = new CallDeadline(options.waitMs, signal);
    const startedAt = performance.now();
    for (;;) {
      if (this.#closing.signal.aborted) throw new ClientClosedError(what);
      if (signal?.aborted === true) throw new RequestAbortedError(what, 'not-sent', signal.reason);
      const taken = this.#take(maxMessages);
      if (taken.length > 0) return taken;
      await this.#startPolls(options);
      const polls = this.#polls;
      const isOver = deadline.remainingMs <= 0;
      const failure = decidingFailure(polls, { startedAt, isOver });
      if (failure !== undefined) throw failure;
      if (isOver) return [];
      const nextAt = Math.min(...polls.map((poll) => poll.nextAt).filter((at) => at > performance.now()));
      await this.#change(Math.min(deadline.remainingMs, nextAt - performance.now()), signal);
    }
  }

  async ack(messages: readonly ReceivedMessage[], call?: CallOptions): Promise<readonly AckOutcome[]> {
    const deadline = this.#deadline(call);
    const outcomes = new Array<AckOutcome>(messages.length);
    const byAddress = new Map<string, [number, ReceivedMessage][]>();
    for (const [index, message] of messages.entries()) {
      const { address } = this.#deliveryOf(message);
      const indexed = byAddress.get(address);
      if (indexed === undefined) byAddress.set(address, [[index, message]]);
      else indexed.push([index, message]);
    }
    const target = { ...this.#context, topic: this.topic, group: this.group };
    const requests = [...byAddress].flatMap(([address, indexed]) =>
      chunks(indexed, MAX_ENTRIES_PER_ACK).map(async (chunk) => {
        const entries = chunk.map(([, message]) => this.#entryOf(message));
        const results = await acknowledge(target, address, entries, deadline);
        for (const [at, [index]] of chunk.entries()) {
          const result = results[at];
          if (result !== undefined) outcomes[index] = result;
        }
      }),
    );
    await Promise.all(requests);
    return outcomes;
  }

  async extend(message: ReceivedMessage, ms: number, call?: CallOptions): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new InvalidArgumentError(`extend by ${ms}: expected ms from 0`);
    const entry = this.#entryOf(message);
    const target = { ...this.#context, topic: this.topic, group: this.group };
    entry.delivery.receiptHandle = await changeInvisibility(target, entry, ms, this.#deadline(call));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#closing.abort(new ClientClosedError(`receiver of topic '${this.topic}'`));
    this.#wake();
    await Promise.all([...this.#sessions.values()].map((session) => session.close(CLOSE_TIMEOUT_MS)));
    await Promise.all(this.#running);
    this.#held = [];
    this.#context.onClose(this);
  }

  get #polls(): readonly PollPacing[] {
    return [this.#route, ...[...this.#brokers.values()].flat()];
  }

  #take(maxMessages: number): ReceivedMessage[] {
    const now = performance.now();
    if (this.#held.length > 0) this.#held = this.#held.filter(({ keepUntil }) => keepUntil > now);
    return this.#held.splice(0, maxMessages).map(({ message }) => message);
  }

  /** Starts a poll at each broker that has none and is not to be left alone yet. Never rejects. */
  async #startPolls(options: ReceiveOptions): Promise<void> {
    if (this.#route.nextAt > performance.now()) return;
    this.#route.start(performance.now());
    try {
      const brokers = await this.#readableBrokers(options.signal);
      this.#route.succeed(performance.now(), false);
      for (const broker of brokers) this.#startPollsAt(broker, options);
    } catch (error) {
      this.#route.fail(performance.now(), typed(error));
    }
  }

  async #readableBrokers(signal: AbortSignal | undefined): Promise<readonly ProxyBroker[]> {
    const { requestTimeoutMs, routes } = this.#context;
    const route = await routes.route(this.topic, new CallDeadline(requestTimeoutMs, signal));
    const readable = route.brokers.filter((broker) => broker.isReadable && broker.addresses.length > 0);
    if (readable.length === 0) {
      const names = route.brokers.map((broker) => broker.brokerName);
      throw new BrokerNotFoundError('*', names, `gives out messages of topic '${this.topic}'`);
    }
    const names = new Set(readable.map((broker) => broker.brokerName));
    for (const [name, polls] of this.#brokers) {
      if (!names.has(name) && !polls.some((poll) => poll.isRunning)) this.#brokers.delete(name);
    }
    return readable;
  }

  #startPollsAt(broker: ProxyBroker, options: ReceiveOptions): void {
    const { pollsPerBroker } = this.#context;
    const polls = this.#brokers.get(broker.brokerName) ?? Array.from({ length: pollsPerBroker }, () => new PollPacing());
    this.#brokers.set(broker.brokerName, polls);
    const now = performance.now();
    for (const poll of polls) {
      if (poll.nextAt > now || this.#closing.signal.aborted) continue;
      poll.start(now);
      const running = this.#poll(broker, poll, options).finally(() => {
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }

  /** Never rejects. */
  async #poll(broker: ProxyBroker, poll: PollPacing, options: ReceiveOptions): Promise<void> {
    const { channels, routes } = this.#context;
    const address = channels.pick(broker.addresses) ?? '';
    const { messages, error } = await this.#receive(broker, address, poll, options);
    const now = performance.now();
    for (const message of messages) this.#held.push({ message, keepUntil: now + options.invisibleMs / 2 });
    if (error === undefined) {
      poll.succeed(now, messages.length === 0);
    } else {
      if (isSessionLost(error)) this.#sessions.get(address)?.forget();
      else routes.invalidate(this.topic);
      poll.fail(now, error);
    }
    this.#wake();
  }

  async #receive(
    broker: ProxyBroker,
    address: string,
    poll: PollPacing,
    options: ReceiveOptions,
  ): Promise<{ readonly messages: readonly ReceivedMessage[]; readonly error: RocketMqError | undefined }> {
    const { channels, clientId, maxBodyBytes, pollMs, requestTimeoutMs } = this.#context;
    try {
      await this.#session(address).ready(new CallDeadline(requestTimeoutMs, this.#closing.signal));
      poll.confirm();
      const request = {
        topic: this.topic,
        group: this.group,
        filter: this.#filter,
        brokerName: broker.brokerName,
        maxMessages: Math.min(options.maxMessages, MAX_MESSAGES_PER_POLL),
        pollMs,
        invisibleMs: options.invisibleMs,
      };
      const deadline = new CallDeadline(pollMs + requestTimeoutMs, this.#closing.signal);
      const { messages, error } = await receiveOnce(channels, address, clientId, request, deadline);
      const delivery = { address, receiver: this };
      return { messages: messages.map((message) => decodeMessage(message, this.topic, delivery, maxBodyBytes)), error };
    } catch (error) {
      return { messages: [], error: typed(error) };
    }
  }

  #session(address: string): ConsumerSession {
    const known = this.#sessions.get(address);
    if (known !== undefined) return known;
    const { channels, clientId, requestTimeoutMs, routes } = this.#context;
    const { topic, group } = this;
    const settings = consumerSettings({
      topic,
      group,
      filter: this.#filter,
      accessPoint: routes.accessPoint,
      requestTimeout: durationOf(requestTimeoutMs),
      hostname: hostname(),
    });
    const session = new ConsumerSession({ address, channels, clientId, topic, group, settings });
    this.#sessions.set(address, session);
    this.#heartbeats ??= setInterval(() => {
      for (const each of this.#sessions.values()) void each.heartbeat(requestTimeoutMs);
    }, HEARTBEAT_INTERVAL_MS);
    return session;
  }

  #deadline(call: CallOptions | undefined): CallDeadline {
    return new CallDeadline(call?.timeoutMs ?? this.#context.requestTimeoutMs, call?.signal);
  }

  #entryOf(message: ReceivedMessage): AckEntry {
    return { messageId: message.messageId, delivery: this.#deliveryOf(message) };
  }

  #deliveryOf(message: ReceivedMessage): GrpcDelivery {
    const delivery = message.handle as Partial<GrpcDelivery> | undefined;
    if (delivery?.receiver !== this) {
      throw new InvalidArgumentError(`message ${message.messageId} was not delivered by this receiver`);
    }
    return delivery as GrpcDelivery;
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves when a poll has ended, the receiver closes, the time is over or the signal is aborted. */
  #change(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(1, ms));
      this.#waiters.add(done);
      signal?.addEventListener('abort', done, { once: true });
      if (signal?.aborted === true) done();
    });
  }
}

function checkReceiveOptions({ maxMessages, waitMs, invisibleMs }: ReceiveOptions): void {
  if (!Number.isSafeInteger(maxMessages) || maxMessages < 1) {
    throw new InvalidArgumentError(`maxMessages ${maxMessages}: expected an integer from 1`);
  }
  if (!Number.isFinite(waitMs) || waitMs < 0) throw new InvalidArgumentError(`waitMs ${waitMs}: expected ms from 0`);
  if (!Number.isFinite(invisibleMs) || invisibleMs < MIN_INVISIBLE_MS) {
    throw new InvalidArgumentError(`invisibleMs ${invisibleMs}: the Proxy takes ${MIN_INVISIBLE_MS} or more`);
  }
}

function typed(error: unknown): RocketMqError {
  return isRocketMqError(error) ? error : new MalformedDataError('receive over gRPC', String(error), error);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
