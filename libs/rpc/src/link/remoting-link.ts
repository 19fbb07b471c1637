import { backoffMs, pause, retry, withinTime } from '@sluice/time';
import {
  formatAddress,
  FrameTooLargeError,
  isGroupMissing,
  type LogicalMessage,
  logicalMessages,
  MESSAGE_PROPERTY,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  parseMessagingUrl,
  type QueueReader,
  type QueueReaderState,
  type QueueRef,
  readableQueues,
  RocketMqClient,
  type StoredMessage,
  type TopicProducer,
} from '@sluice/rocketmq';
import type { ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';
import { stateAfter, toLinkError } from './link-error.js';
import { LinkGroup } from './link-group.js';
import { LinkStates } from './link-states.js';
import type { InboundMessage, OutboundMessage, RpcLink, RpcLinkListener } from '../contract/rpc-link.port.js';

const retryLimits = { initialMs: 100, maxMs: 5_000 } as const;
/** How often the link asks the name servers for queues that were added: sooner than senders do, every 30 s. */
const LOOK_AGAIN_MS = 5_000;
/** Messages that wait for another delivery, which this process alone holds. */
const MAX_REDELIVERIES = 1_000;

type RemotingClient = Pick<RocketMqClient, 'admin' | 'close' | 'consumer' | 'routes' | 'topicProducer'>;

interface Connected {
  readonly client: RemotingClient;
  readonly producer: TopicProducer;
  readonly listener: RpcLinkListener;
  readonly states: LinkStates;
}

/**
 * Sends and receives the messages of the rpc topic over the remoting protocol, for clusters without a Proxy. It has one long pull per
 * queue, of the node's own tag. What is put back comes again while the process lives; a node receives nothing that is older than its start.
 */
export class RemotingLink implements RpcLink {
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #group: LinkGroup;
  readonly #receiving = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #readers = new Map<string, QueueReader>();
  /** Queues in the route that could not be started yet. */
  readonly #unread = new Set<string>();
  /** Positions of the readers whose queues left the route: they resume there when the broker is back. */
  readonly #leftAt = new Map<string, number>();
  readonly #redeliveries = new Set<NodeJS.Timeout>();
  #connected: Connected | undefined;

  constructor(
    options: ResolvedRpcEndpointOptions,
    private readonly open: (...given: Parameters<typeof RocketMqClient.open>) => RemotingClient = (given) => RocketMqClient.open(given),
  ) {
    this.#options = options;
    this.#group = new LinkGroup(options);
  }

  async start(listener: RpcLinkListener): Promise<void> {
    const { callTimeoutMs, credentials, startupTimeoutMs, tls, topic, url } = this.#options;
    await this.#group.prepare();
    const { addresses } = parseMessagingUrl(url);
    const namesrv = addresses.map(formatAddress).join(',');
    const client = this.open({
      namesrv,
      requestTimeoutMs: callTimeoutMs,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
    });
    const connected = {
      client,
      producer: client.topicProducer(topic),
      listener,
      states: new LinkStates(listener),
    };
    this.#connected = connected;
    this.#receiving.signal.throwIfAborted();
    await this.#findQueues(connected, startupTimeoutMs);
    this.#keep(this.#followQueues(connected));
  }

  /** Starts the readers, again while waiting may help. @throws RpcError */
  async #findQueues(connected: Connected, limitMs: number): Promise<void> {
    const { signal } = this.#receiving;
    const find = (): Promise<void> =>
      this.#readQueues(connected, 'end').catch((error: unknown) => {
        throw toLinkError(`Finding the queues of topic '${this.#options.topic}'`, error);
      });
    try {
      await retry(find, { limits: retryLimits, signal, limitMs, mayRetry: (error) => (error as RpcError).retriable });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async send({ tag, properties, body }: OutboundMessage, timeoutMs: number): Promise<void> {
    const { producer } = this.#assertConnected();
    const action = `Sending to tag '${tag}' of topic '${this.#options.topic}'`;
    const givenUp = new AbortController();
    const sending = producer.send({ tag, properties, body }, { signal: givenUp.signal });
    sending.catch(() => undefined);
    try {
      await withinTime(sending, timeoutMs, () => {
        const reason = `${action} failed: no answer within ${timeoutMs} ms`;
        return new RpcError(RPC_ERROR_CODES.unavailable, reason, { retriable: true });
      });
    } catch (error) {
      throw toLinkError(action, error);
    } finally {
      // The endpoint sends again what waits for its broker: the producer must not collect the copies.
      givenUp.abort();
    }
  }

  ack(): Promise<void> {
    return Promise.resolve();
  }

  retryLater(message: InboundMessage, delayMs: number): Promise<void> {
    if (this.#redeliveries.size >= MAX_REDELIVERIES) {
      const reason = `${MAX_REDELIVERIES} messages wait for another delivery already`;
      this.#options.logger.warn(`Message ${message.messageId} is dropped: ${reason}`);
      return Promise.reject(new RpcError(RPC_ERROR_CODES.overloaded, reason, { retriable: true }));
    }
    const timer = setTimeout(() => {
      this.#redeliveries.delete(timer);
      if (this.#receiving.signal.aborted) return;
      this.#connected?.listener.onMessage({ ...message, deliveryAttempt: message.deliveryAttempt + 1 });
    }, delayMs);
    this.#redeliveries.add(timer);
    return Promise.resolve();
  }

  pause(): void {
    this.#receiving.abort();
    for (const timer of this.#redeliveries) clearTimeout(timer);
    this.#redeliveries.clear();
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#connected?.client.close();
    await Promise.all(this.#running);
  }

  /** Never rejects. Reads queues that were added from their beginning; what is too old for its receiver has a deadline that says so. */
  async #followQueues(connected: Connected): Promise<void> {
    const { signal } = this.#receiving;
    for (;;) {
      await pause(LOOK_AGAIN_MS, signal);
      if (signal.aborted) return;
      await this.#readQueues(connected, 'beginning').catch(() => undefined);
    }
  }

  /** Starts a reader for each queue that has none; ends those of queues that are gone. @throws why one could not be started; the others are */
  async #readQueues(connected: Connected, from: 'end' | 'beginning'): Promise<void> {
    const { client, states } = connected;
    // The client's cached route can be 30 s old.
    const route = await client.routes.refresh(this.#options.topic);
    const queues = new Map(readableQueues(route).map((queue) => [keyOf(queue), queue]));
    if (queues.size > 0) this.#leave(states, (key) => !queues.has(key));
    const added = [...queues.values()].filter((queue) => !this.#readers.has(keyOf(queue)));
    const starts = await Promise.allSettled(added.map((queue) => this.#startOf(client, queue, from)));
    this.#receiving.signal.throwIfAborted();
    const failures: unknown[] = [];
    for (const [at, queue] of added.entries()) {
      const key = keyOf(queue);
      const start = starts[at];
      if (start?.status === 'fulfilled') {
        this.#unread.delete(key);
        this.#keep(this.#read(connected, queue, start.value));
      } else {
        this.#unread.add(key);
        states.set(key, 'connecting', toLinkError(`Receiving from queue ${key}`, start?.reason));
        failures.push(start?.reason);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #leave(states: LinkStates, isGone: (key: string) => boolean): void {
    for (const [key, reader] of this.#readers) {
      if (!isGone(key)) continue;
      this.#leftAt.set(key, reader.position);
      reader.close();
      this.#readers.delete(key);
      states.forget(key);
    }
    for (const key of this.#unread) {
      if (!isGone(key)) continue;
      this.#unread.delete(key);
      states.forget(key);
    }
  }

  #startOf({ admin }: RemotingClient, queue: QueueRef, from: 'end' | 'beginning'): Promise<number> {
    const leftAt = this.#leftAt.get(keyOf(queue));
    if (leftAt !== undefined) return Promise.resolve(leftAt);
    return from === 'end' ? admin.maxOffset(queue) : admin.minOffset(queue);
  }

  /** Never rejects. */
  async #read({ client, listener, states }: Connected, queue: QueueRef, from: number): Promise<void> {
    const { signal } = this.#receiving;
    const { group, logger, maxBodyBytes, tag } = this.#options;
    const key = keyOf(queue);
    const setState = (state: 'ready' | 'connecting' | 'failed', cause?: unknown): void => {
      if (this.#readers.get(key) === reader) states.set(key, state, cause);
    };
    let failures = 0;
    const onState = (state: QueueReaderState): void => {
      if (state.kind === 'reading') {
        failures = 0;
        setState('ready');
      } else {
        setState('connecting', toLinkError(`Receiving from queue ${key}`, state.error));
        if (isGroupMissing(state.error)) void this.#group.prepareAgain();
      }
    };
    const reader = client.consumer.readQueue(queue, {
      from,
      group,
      filter: { tags: tag },
      maxBodyBytes,
      signal,
      onState,
    });
    this.#readers.set(key, reader);
    setState('ready');
    const isOver = (): boolean => signal.aborted || this.#readers.get(key) !== reader;
    while (!isOver()) {
      try {
        const { position } = reader;
        const messages = await reader.next();
        failures = 0;
        for (const stored of messages) {
          for (const message of this.#inbound(stored, position)) listener.onMessage(message);
        }
      } catch (error) {
        if (isOver()) return;
        const behind = offsetBehind(error, reader.position);
        if (behind !== undefined) {
          listener.onMessage(unreadable(`${key}@${reader.position}`, tag, error));
          reader.seek(behind);
          continue;
        }
        failures += 1;
        if (error instanceof OffsetOutOfRangeError) {
          logger.warn(`Queue ${key} is read from offset ${error.range.nextOffset}: ${error.message}`);
          reader.seek(error.range.nextOffset);
        } else {
          if (isGroupMissing(error)) await this.#group.prepareAgain();
          setState(...stateAfter(`Receiving from queue ${key}`, error));
        }
        await pause(backoffMs(failures, retryLimits), signal);
      }
    }
  }

  /** Gives the messages that a stored one stands for; an unreadable one costs none of those that came with it. */
  #inbound(stored: StoredMessage, position: number): readonly InboundMessage[] {
    const { maxBodyBytes, tag } = this.#options;
    try {
      return logicalMessages([stored], position, { maxBodyBytes }).map(inbound);
    } catch (error) {
      return [unreadable(`at offset ${stored.queueOffset}`, tag, error)];
    }
  }

  #keep(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  #assertConnected(): Connected {
    if (this.#connected !== undefined) return this.#connected;
    throw new RpcError(RPC_ERROR_CODES.unavailable, 'The link is not started', { retriable: true });
  }
}

function keyOf({ brokerName, queueId }: QueueRef): string {
  return `${brokerName}/${queueId}`;
}

/** Returns where a queue continues behind a message that this client can never read; undefined for any other error. */
function offsetBehind(error: unknown, position: number): number | undefined {
  if (error instanceof MessageUnreadableError) return error.nextOffset;
  return error instanceof FrameTooLargeError ? position + 1 : undefined;
}

/** Stands for a message that cannot be read: the endpoint counts and logs it, and does not retry. The sender of a request times out. */
function unreadable(messageId: string, tag: string, error: unknown): InboundMessage {
  const problem = error instanceof Error ? error.message : String(error);
  return { messageId, tag, properties: new Map(), body: undefined, problem, deliveryAttempt: 1, receipt: undefined };
}

function inbound(message: LogicalMessage): InboundMessage {
  const properties = message.properties();
  const head = {
    messageId: properties.get(MESSAGE_PROPERTY.messageId) ?? '',
    tag: properties.get(MESSAGE_PROPERTY.tag) ?? '',
    properties,
    deliveryAttempt: 1,
    receipt: undefined,
  };
  try {
    return { ...head, body: message.body };
  } catch (error) {
    return { ...head, body: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}
