import { pause } from '@sluice/time';
import {
  isGroupMissing,
  type MessageReceiver,
  type MessageSender,
  type MessagingCluster,
  openMessaging,
  type ReceivedMessage,
} from '@sluice/rocketmq';
import type { ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';
import { stateAfter, toLinkError } from './link-error.js';
import { LinkGroup } from './link-group.js';
import { LinkStates } from './link-states.js';
import type { InboundMessage, OutboundMessage, RpcLink, RpcLinkListener } from '../contract/rpc-link.port.js';

/**
 * A poll misses a message that comes in while the broker registers the poll. With two polls the other one sees it, so their length costs
 * nothing.
 */
const polling = { pollsPerBroker: 2, pollMs: 20_000 } as const;
/** The most that a broker gives in one answer. */
const MAX_MESSAGES = 32;
/** After this time at the latest a failure at one broker of several shows in the state. */
const WAIT_MS = 1_000;
/** The receiver paces its polls; this only keeps an error that comes at once from turning the loop without a pause. */
const PAUSE_AFTER_ERROR_MS = 100;

interface Connected {
  readonly cluster: MessagingCluster;
  readonly sender: MessageSender;
  readonly receiver: MessageReceiver;
}

/** Sends and receives the messages of the rpc topic through the cluster's Proxy. */
export class GrpcLink implements RpcLink {
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #group: LinkGroup;
  readonly #receiving = new AbortController();
  #connected: Connected | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    options: ResolvedRpcEndpointOptions,
    private readonly open: typeof openMessaging = openMessaging,
  ) {
    this.#options = options;
    this.#group = new LinkGroup(options);
  }

  async start(listener: RpcLinkListener): Promise<void> {
    const { callTimeoutMs, credentials, group, mapAddress, maxBodyBytes, tag, tls, topic, url } = this.#options;
    await this.#group.prepare();
    const grpc = { ...polling, mapAddress, maxBodyBytes };
    const cluster = await this.open(url, { credentials, tls, requestTimeoutMs: callTimeoutMs, grpc });
    const receiver = cluster.receiver({ topic, group, filter: tag });
    this.#connected = { cluster, sender: cluster.sender(topic), receiver };
    this.#receiving.signal.throwIfAborted();
    this.#running = this.#receive(receiver, listener);
  }

  async send({ tag, properties, body }: OutboundMessage, timeoutMs: number): Promise<void> {
    const [outcome] = await this.#assertConnected().sender.send([{ tag, properties, body }], { timeoutMs });
    if (outcome?.status === 'stored') return;
    throw toLinkError(`Sending to tag '${tag}' of topic '${this.#options.topic}'`, outcome?.error);
  }

  async ack(message: InboundMessage): Promise<void> {
    const [outcome] = await this.#assertConnected().receiver.ack([message.receipt as ReceivedMessage]);
    if (outcome?.status === 'acknowledged') return;
    throw toLinkError(`Acknowledging message ${message.messageId}`, outcome?.error);
  }

  async retryLater(message: InboundMessage, delayMs: number): Promise<void> {
    try {
      await this.#assertConnected().receiver.extend(message.receipt as ReceivedMessage, delayMs);
    } catch (error) {
      throw toLinkError(`Putting back message ${message.messageId}`, error);
    }
  }

  pause(): void {
    this.#receiving.abort();
  }

  async stop(): Promise<void> {
    this.pause();
    await this.#connected?.cluster.close();
    await this.#running;
  }

  /** Never rejects. */
  async #receive(receiver: MessageReceiver, listener: RpcLinkListener): Promise<void> {
    const { signal } = this.#receiving;
    const { invisibleMs, topic } = this.#options;
    const isStopped = (): boolean => signal.aborted;
    const states = new LinkStates(listener);
    const setState = (error: unknown): void => {
      states.set('all', ...stateAfter(`Receiving from topic '${topic}'`, error));
    };
    while (!isStopped()) {
      try {
        const messages = await receiver.receive({ maxMessages: MAX_MESSAGES, waitMs: WAIT_MS, invisibleMs, signal });
        // One broker that has messages does not hide another that fails.
        if (receiver.failure === undefined) states.set('all', 'ready');
        else setState(receiver.failure);
        for (const message of messages) listener.onMessage(inbound(message));
      } catch (error) {
        if (isStopped()) return;
        setState(error);
        if (isGroupMissing(error)) await this.#group.prepareAgain();
        await pause(PAUSE_AFTER_ERROR_MS, signal);
      }
    }
  }

  #assertConnected(): Connected {
    if (this.#connected !== undefined) return this.#connected;
    throw new RpcError(RPC_ERROR_CODES.unavailable, 'The link is not started', { retriable: true });
  }
}

function inbound(message: ReceivedMessage): InboundMessage {
  const { messageId, tag = '', properties, body, bodyError, deliveryAttempt } = message;
  const problem = bodyError === undefined ? {} : { problem: bodyError.message };
  return { messageId, tag, properties, body, ...problem, deliveryAttempt, receipt: message };
}
