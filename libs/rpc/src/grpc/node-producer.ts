import {
  type MessageQueue,
  Producer,
  PublishingMessage,
  SendReceipt,
  type TopicRouteData,
} from 'rocketmq-client-nodejs';
import { randomBytes } from 'node:crypto';
import { type ResolvedRpcEndpointOptions } from '../rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError } from '../rpc-error.js';
import { type OutboundMessage } from '../rpc-link.port.js';
import { type ClientGuard } from './client-guard.js';
import { messages, protocol } from './grpc-module.js';

const AVOID_MS = 5_000;

/** Sends to the one rpc topic; every call is a single attempt, whoever calls decides about the next. */
export class NodeProducer extends Producer {
  readonly #guard: ClientGuard;
  readonly #topic: string;
  readonly #avoidedUntil = new Map<string, number>();
  #next = Math.floor(Math.random() * 1_024);

  constructor(options: ResolvedRpcEndpointOptions, guard: ClientGuard) {
    super({
      endpoints: options.endpoints,
      namespace: '',
      // With one topic the settings cannot come before startup() waits for them.
      topics: [options.topic],
      requestTimeout: options.callTimeoutMs,
      logger: guard.logger,
      ...(options.credentials === undefined ? {} : { sessionCredentials: options.credentials }),
    });
    this.#guard = guard;
    this.#topic = options.topic;
    guard.takeOver(this);
  }

  /**
   * Not `send()`: that one keeps the route of its first use for ever, bans an endpoint for good after one failure, looks for writable queues
   * under queue id 0 only, and repeats every failure at once, permanent ones too.
   */
  async publish(message: OutboundMessage, timeoutMs: number): Promise<void> {
    this.#guard.assertRunning();
    const queue = this.#takeQueue(await this.getRouteData(this.#topic));
    // The client's ids repeat across worker threads, and across containers whose MAC address it could not read.
    const messageId = `01${randomBytes(16).toString('hex').toUpperCase()}`;
    const publishing = Object.assign(
      new PublishingMessage(
        { topic: this.#topic, tag: message.tag, body: message.body, properties: new Map(message.properties) },
        this.publishingSettings,
        false,
      ),
      { messageId },
    );
    const request = new messages.SendMessageRequest();
    request.addMessages(publishing.toProtobuf('', queue));
    const { endpoints } = queue.broker;
    try {
      const response = await this.rpcClientManager.sendMessage(endpoints, request, timeoutMs);
      SendReceipt.processResponseInvocation(queue, response);
      this.#avoidedUntil.delete(endpoints.facade);
    } catch (error) {
      this.#avoidedUntil.set(endpoints.facade, Date.now() + AVOID_MS);
      throw error;
    }
  }

  /** A queue per broker in turn; brokers that failed a moment ago only when there is no other. */
  #takeQueue(route: TopicRouteData): MessageQueue {
    const byBroker = new Map<string, MessageQueue>();
    for (const queue of route.messageQueues) {
      const isWritable =
        queue.permission === protocol.Permission.WRITE || queue.permission === protocol.Permission.READ_WRITE;
      if (isWritable && !byBroker.has(queue.broker.name)) byBroker.set(queue.broker.name, queue);
    }
    const queues = [...byBroker.values()];
    const now = Date.now();
    const fit = queues.filter((queue) => (this.#avoidedUntil.get(queue.broker.endpoints.facade) ?? 0) <= now);
    const candidates = fit.length > 0 ? fit : queues;
    const queue = candidates[this.#next++ % Math.max(candidates.length, 1)];
    if (queue === undefined) {
      throw new RpcError(RPC_ERROR_CODES.unavailable, `Topic '${this.#topic}' has no writable queue`, {
        retriable: true,
      });
    }
    return queue;
  }

  override createTelemetryStream(
    endpoints: Parameters<Producer['createTelemetryStream']>[0],
  ): ReturnType<Producer['createTelemetryStream']> {
    return this.#guard.openTelemetry(this, endpoints, () => super.createTelemetryStream(endpoints)).asClientStream();
  }

  /** startup() would go on and set timers after shutdown(). */
  protected override async updateRoutes(): Promise<void> {
    this.#guard.assertRunning();
    await super.updateRoutes();
    this.#guard.assertRunning();
  }

  protected override sleep(ms: number): Promise<void> {
    return this.#guard.pause(ms);
  }
}
