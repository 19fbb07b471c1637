import {
  type LogicalMessage,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  parseMessagingUrl,
  type QueueReader,
  type QueueRef,
  readableQueues,
  RocketMqClient,
  type TopicProducer,
} from '@sluice/rocketmq';
import { abortableDelay, backoffMs } from '../time/abortable-delay.js';
import { type ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';
import { withinTime } from '../time/within-time.js';
import { isLinkGroupMissing, toLinkError } from './link-error.js';
import { LinkGroup } from './link-group.js';
import { LinkStates } from './link-states.js';
import {
  type InboundMessage,
  type OutboundMessage,
  type RpcLink,
  type RpcLinkListener,
} from '../contract/rpc-link.port.js';

/** How often the link looks for queues that were added. */
const lookAgainMs = 10_000;

interface Connected {
  readonly client: RocketMqClient;
  readonly producer: TopicProducer;
  readonly listener: RpcLinkListener;
  readonly states: LinkStates;
}

/**
 * Sends and receives the messages of the rpc topic over the remoting protocol, for clusters without a Proxy: one long pull per queue, of the
 * node's own tag. A message that is not acknowledged comes again while the process lives; a node receives nothing that is older than its start.
 */
export class RemotingLink implements RpcLink {
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #group: LinkGroup;
  readonly #receiving = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #readers = new Map<string, QueueReader>();
  readonly #redeliveries = new Set<NodeJS.Timeout>();
  #connected: Connected | undefined;

  constructor(options: ResolvedRpcEndpointOptions) {
    this.#options = options;
    this.#group = new LinkGroup(options);
  }

  async start(listener: RpcLinkListener): Promise<void> {
    const { callTimeoutMs, credentials, startupTimeoutMs, tls, topic, url } = this.#options;
    await this.#group.prepare();
    const { addresses } = parseMessagingUrl(url);
    const namesrv = addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
    const client = RocketMqClient.open({
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
    await this.#findQueues(connected, performance.now() + startupTimeoutMs);
    this.#keep(this.#followQueues(connected));
  }

  /** Starts the readers, again while waiting may help. @throws RpcError */
  async #findQueues(connected: Connected, endsAt: number): Promise<void> {
    const { topic } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#readQueues(connected, 'end');
        return;
      } catch (error) {
        this.#receiving.signal.throwIfAborted();
        const failure = toLinkError(`Finding the queues of topic '${topic}'`, error);
        const pauseMs = backoffMs(failures);
        if (!failure.retriable || performance.now() + pauseMs >= endsAt) throw failure;
        await abortableDelay(pauseMs, this.#receiving.signal);
      }
    }
  }

  async send({ tag, properties, body }: OutboundMessage, timeoutMs: number): Promise<void> {
    const { producer } = this.#assertConnected();
    const action = `Sending to tag '${tag}' of topic '${this.#options.topic}'`;
    const sending = producer.send({ tag, properties, body });
    sending.catch(() => undefined);
    try {
      await withinTime(sending, timeoutMs, () => {
        const reason = `${action} failed: no answer within ${timeoutMs} ms`;
        return new RpcError(RPC_ERROR_CODES.unavailable, reason, { retriable: true });
      });
    } catch (error) {
      throw toLinkError(action, error);
    }
  }

  ack(): Promise<void> {
    return Promise.resolve();
  }

  retryLater(message: InboundMessage, delayMs: number): Promise<void> {
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
      await abortableDelay(lookAgainMs, signal);
      if (signal.aborted) return;
      await this.#readQueues(connected, 'beginning').catch(() => undefined);
    }
  }

  /** Starts a reader for each queue that has none; ends those of queues that are gone. */
  async #readQueues(connected: Connected, from: 'end' | 'beginning'): Promise<void> {
    const { client, states } = connected;
    const queues = new Map(
      readableQueues(await client.routes.get(this.#options.topic)).map((queue) => [keyOf(queue), queue]),
    );
    for (const [key, reader] of this.#readers) {
      if (queues.has(key) || queues.size === 0) continue;
      reader.close();
      this.#readers.delete(key);
      states.forget(key);
    }
    const added = [...queues.values()].filter((queue) => !this.#readers.has(keyOf(queue)));
    const offsets = await Promise.all(
      added.map((queue) => (from === 'end' ? client.admin.maxOffset(queue) : client.admin.minOffset(queue))),
    );
    this.#receiving.signal.throwIfAborted();
    for (const [at, queue] of added.entries()) this.#keep(this.#read(connected, queue, offsets[at] ?? 0));
  }

  /** Never rejects. */
  async #read({ client, listener, states }: Connected, queue: QueueRef, from: number): Promise<void> {
    const { signal } = this.#receiving;
    const { group, tag } = this.#options;
    const key = keyOf(queue);
    const reader = client.consumer.readQueue(queue, {
      from,
      group,
      filter: { tags: tag },
      signal,
      onState: (state) => {
        if (state.kind === 'reading') states.set(key, 'ready');
        else states.set(key, 'connecting', toLinkError(`Receiving from queue ${key}`, state.error));
        if (state.kind === 'retrying' && isLinkGroupMissing(state.error)) void this.#group.prepareAgain();
      },
    });
    this.#readers.set(key, reader);
    states.set(key, 'ready');
    const isOver = (): boolean => signal.aborted || this.#readers.get(key) !== reader;
    let failures = 0;
    while (!isOver()) {
      try {
        const messages = await reader.nextMessages();
        failures = 0;
        states.set(key, 'ready');
        for (const message of messages) listener.onMessage(inbound(message));
      } catch (error) {
        if (isOver()) return;
        failures += 1;
        if (error instanceof OffsetOutOfRangeError) reader.seek(error.range.nextOffset);
        else if (error instanceof MessageUnreadableError) reader.seek(reader.position + 1);
        else if (isLinkGroupMissing(error)) await this.#group.prepareAgain();
        const failure = toLinkError(`Receiving from queue ${key}`, error);
        states.set(key, failure.retriable || isLinkGroupMissing(error) ? 'connecting' : 'failed', failure);
        await abortableDelay(backoffMs(failures), signal);
      }
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

function inbound(message: LogicalMessage): InboundMessage {
  const properties = message.properties();
  const head = {
    messageId: properties.get('UNIQ_KEY') ?? '',
    tag: properties.get('TAGS') ?? '',
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
