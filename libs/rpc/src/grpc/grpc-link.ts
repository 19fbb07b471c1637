import { type MessageQueue } from 'rocketmq-client-nodejs';
import { type ResolvedRpcEndpointOptions } from '../rpc-endpoint-options.js';
import { isRpcError, RPC_ERROR_CODES, RpcError } from '../rpc-error.js';
import {
  type InboundMessage,
  type OutboundMessage,
  type RpcLink,
  type RpcLinkListener,
  type RpcLinkState,
} from '../rpc-link.port.js';
import { abortableDelay, backoffMs } from '../abortable-delay.js';
import { ClientGuard } from './client-guard.js';
import { createClientLogger } from './client-logger.js';
import { GrpcChannels } from './grpc-channels.js';
import { isGroupMissing, isStoredAlthoughFailed, rootMessage, toLinkError } from './link-error.js';
import { NodeConsumer } from './node-consumer.js';
import { NodeProducer } from './node-producer.js';
import { withinTime } from '../within-time.js';

/** An empty answer sooner than this is not a long poll: the proxy has no room to let us wait. */
const QUICK_ANSWER_MS = 500;
const QUICK_ANSWER_PAUSE_MS = 200;

/**
 * A message that comes in while the broker registers a poll is not seen by that poll; with two loops the other one's poll is there.
 */
const LOOPS_PER_BROKER = 2;

interface Loop {
  readonly broker: string;
  readonly stop: AbortController;
  state: RpcLinkState;
}

interface Clients {
  readonly producer: NodeProducer;
  readonly consumer: NodeConsumer;
  readonly producerGuard: ClientGuard;
  readonly consumerGuard: ClientGuard;
}

/**
 * The rpc topic over `rocketmq-client-nodejs`: one producer, one simple consumer, shared channels, and a receive loop per broker because a
 * poll waits at one broker only. grpc reconnects below, the telemetry streams announce us again, the loops retry with backoff.
 */
export class GrpcLink implements RpcLink {
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #channels: GrpcChannels;
  readonly #clients: Clients;
  readonly #loops = new Map<string, Loop>();
  readonly #receiving = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #preparing: Promise<void> | undefined;
  #listener: RpcLinkListener | undefined;
  #state: RpcLinkState = 'connecting';

  constructor(options: ResolvedRpcEndpointOptions) {
    this.#options = options;
    const logger = createClientLogger(options.logger);
    this.#channels = new GrpcChannels(options);
    const producerGuard = new ClientGuard(this.#channels, logger);
    const consumerGuard = new ClientGuard(this.#channels, logger);
    this.#clients = {
      producerGuard,
      consumerGuard,
      producer: new NodeProducer(options, producerGuard),
      consumer: new NodeConsumer(options, consumerGuard, () => {
        this.#followRoute();
      }),
    };
  }

  async start(listener: RpcLinkListener): Promise<void> {
    const { group, topic, startupTimeoutMs, endpoints } = this.#options;
    const startedAtMs = Date.now();
    const what = `Starting the rpc transport on topic '${topic}' at ${endpoints}, group '${group}'`;
    try {
      await withinTime(
        this.#options.prepareGroup(group, topic),
        startupTimeoutMs,
        () =>
          new RpcError(
            RPC_ERROR_CODES.startupFailed,
            `${what}: the group was not prepared within ${startupTimeoutMs} ms`,
          ),
      );
      const leftMs = Math.max(1, startupTimeoutMs - (Date.now() - startedAtMs));
      const { producer, consumer, producerGuard, consumerGuard } = this.#clients;
      await Promise.all([
        producerGuard.start(producer, leftMs, `${what} (producer)`),
        consumerGuard.start(consumer, leftMs, `${what} (consumer)`),
      ]);
      if (consumer.brokers().size === 0) {
        throw new RpcError(RPC_ERROR_CODES.startupFailed, `${what}: the topic has no readable queue`);
      }
      this.#receiving.signal.throwIfAborted();
    } catch (error) {
      await this.stop();
      const message =
        isRpcError(error) && error.message.startsWith(what) ? error.message : `${what}: ${rootMessage(error)}`;
      throw new RpcError(RPC_ERROR_CODES.startupFailed, message, {
        retriable: true,
        cause: error,
      });
    }
    this.#listener = listener;
    this.#followRoute();
  }

  async send(message: OutboundMessage, timeoutMs: number): Promise<void> {
    try {
      await this.#clients.producer.publish(message, timeoutMs);
    } catch (error) {
      if (isStoredAlthoughFailed(error)) return;
      throw toLinkError(`Sending to tag '${message.tag}' of topic '${this.#options.topic}'`, error);
    }
  }

  async ack(message: InboundMessage): Promise<void> {
    try {
      await this.#clients.consumer.acknowledge(message);
    } catch (error) {
      throw toLinkError(`Acknowledging message ${message.messageId}`, error);
    }
  }

  async retryLater(message: InboundMessage, delayMs: number): Promise<void> {
    try {
      await this.#clients.consumer.makeVisibleAfter(message, delayMs);
    } catch (error) {
      throw toLinkError(`Putting back message ${message.messageId}`, error);
    }
  }

  pause(): void {
    this.#receiving.abort();
  }

  async stop(): Promise<void> {
    this.pause();
    const { producer, consumer, producerGuard, consumerGuard } = this.#clients;
    await Promise.all([producerGuard.stop(producer), consumerGuard.stop(consumer)]);
    this.#channels.close();
    await Promise.all(this.#running);
  }

  /** The client asks for the route every 30 s and after failures; brokers come and go with it. */
  #followRoute(): void {
    if (this.#listener === undefined || this.#receiving.signal.aborted) return;
    const brokers = this.#clients.consumer.brokers();
    // An empty answer is more likely a name server that has just started than a topic without brokers.
    if (brokers.size === 0) return;
    for (const [key, loop] of this.#loops) {
      if (brokers.has(loop.broker)) continue;
      loop.stop.abort();
      this.#loops.delete(key);
    }
    for (const broker of brokers.keys()) {
      for (let index = 0; index < LOOPS_PER_BROKER; index += 1) {
        const key = `${broker}#${index}`;
        if (this.#loops.has(key)) continue;
        const loop: Loop = { broker, stop: new AbortController(), state: 'ready' };
        this.#loops.set(key, loop);
        const running = this.#receive(loop, AbortSignal.any([this.#receiving.signal, loop.stop.signal]));
        this.#running.add(running);
        void running.then(() => this.#running.delete(running));
      }
    }
    this.#publishState();
  }

  async #receive(loop: Loop, signal: AbortSignal): Promise<void> {
    const { broker } = loop;
    const isStopped = (): boolean => signal.aborted;
    let failures = 0;
    while (!isStopped()) {
      try {
        const queue = this.#clients.consumer.brokers().get(broker);
        if (failures > 0) await this.#recover(queue);
        if (queue === undefined)
          throw new RpcError(RPC_ERROR_CODES.unavailable, `Broker '${broker}' is not in the route`);
        this.#setState(loop, 'ready');
        const startedAtMs = Date.now();
        const received = await this.#clients.consumer.poll(
          queue,
          (message) => this.#listener?.onMessage(message),
          signal,
        );
        failures = 0;
        if (received === 0 && Date.now() - startedAtMs < QUICK_ANSWER_MS)
          await abortableDelay(QUICK_ANSWER_PAUSE_MS, signal);
      } catch (error) {
        if (isStopped()) return;
        failures += 1;
        const failure = toLinkError(`Receiving from broker '${broker}'`, error);
        this.#setState(loop, failure.retriable ? 'connecting' : 'failed', failure);
        await abortableDelay(backoffMs(failures), signal);
        if (isGroupMissing(error)) await this.#prepareGroupAgain();
      }
    }
  }

  /** A poll answers after up to 20 s of silence, too late to tell that the way is open again: these two calls tell at once. */
  async #recover(queue: MessageQueue | undefined): Promise<void> {
    const { consumer, consumerGuard } = this.#clients;
    await consumer.refreshRoute();
    if (queue !== undefined) await consumerGuard.whenSynced(queue.broker.endpoints, this.#options.callTimeoutMs);
  }

  /**
   * The leader removes groups of nodes that it takes for gone, and nothing else brings one back. One at a time: a second one would move the
   * group past what came in since the first.
   */
  #prepareGroupAgain(): Promise<void> {
    this.#preparing ??= this.#prepareGroup().finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  async #prepareGroup(): Promise<void> {
    const { group, topic, startupTimeoutMs, logger } = this.#options;
    try {
      await withinTime(
        this.#options.prepareGroup(group, topic),
        startupTimeoutMs,
        () => new Error(`not done within ${startupTimeoutMs} ms`),
      );
    } catch (error) {
      logger.warn(`Group '${group}' of topic '${topic}' is gone and could not be made again: ${rootMessage(error)}`);
    }
  }

  #setState(loop: Loop, state: RpcLinkState, cause?: unknown): void {
    loop.state = state;
    this.#publishState(cause);
  }

  #publishState(cause?: unknown): void {
    const states = [...this.#loops.values()].map((loop) => loop.state);
    const state: RpcLinkState = states.includes('failed')
      ? 'failed'
      : states.includes('connecting')
        ? 'connecting'
        : 'ready';
    if (state === this.#state || this.#receiving.signal.aborted) return;
    this.#state = state;
    this.#listener?.onState(state, cause);
  }
}
