import { FilterExpression, type MessageQueue, SimpleConsumer, StatusChecker } from 'rocketmq-client-nodejs';
import { type ResolvedRpcEndpointOptions } from '../rpc-endpoint-options.js';
import { type InboundMessage } from '../rpc-link.port.js';
import { type ClientGuard } from './client-guard.js';
import { decodeInboundMessage, type Receipt } from './decode-inbound-message.js';
import { createDuration, messages, protocol } from './grpc-module.js';

/** The proxy clamps a poll to 5 s … 20 s and refuses a call whose deadline leaves less than 5 s. */
const LONG_POLLING_MS = 20_000;
/** The proxy's limit. */
const MAX_BATCH = 32;

/** Receives one topic's messages with one tag. A client per topic: receive() of several takes their turns while it waits for each. */
export class NodeConsumer extends SimpleConsumer {
  readonly #guard: ClientGuard;
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #onRoute: () => void;

  constructor(options: ResolvedRpcEndpointOptions, guard: ClientGuard, onRoute: () => void) {
    super({
      endpoints: options.endpoints,
      namespace: '',
      consumerGroup: options.group,
      subscriptions: new Map([[options.topic, options.tag]]),
      awaitDuration: LONG_POLLING_MS,
      requestTimeout: options.callTimeoutMs,
      logger: guard.logger,
      ...(options.credentials === undefined ? {} : { sessionCredentials: options.credentials }),
    });
    this.#guard = guard;
    this.#options = options;
    this.#onRoute = onRoute;
    guard.takeOver(this);
  }

  /** One readable queue per broker of the last known route: a poll names a broker and covers all of its queues. */
  brokers(): ReadonlyMap<string, MessageQueue> {
    const brokers = new Map<string, MessageQueue>();
    for (const queue of this.topicRouteCache.get(this.#options.topic)?.messageQueues ?? []) {
      const isReadable =
        queue.permission === protocol.Permission.READ || queue.permission === protocol.Permission.READ_WRITE;
      if (isReadable && !brokers.has(queue.broker.name)) brokers.set(queue.broker.name, queue);
    }
    return brokers;
  }

  async refreshRoute(): Promise<void> {
    await this.updateRoutes();
  }

  /**
   * One long poll at one broker. Each message is handed on as it comes: the client's own receive() collects the whole stream first, so an
   * error at its end, or one body it cannot decompress, would lose every message before it until they become visible again.
   *
   * @returns the number of messages. @throws what the proxy answered.
   */
  async poll(queue: MessageQueue, onMessage: (message: InboundMessage) => void, signal: AbortSignal): Promise<number> {
    this.#guard.assertRunning();
    const request = this.wrapReceiveMessageRequest(
      MAX_BATCH,
      queue,
      new FilterExpression(this.#options.tag),
      this.#options.invisibleMs,
      LONG_POLLING_MS,
    );
    const { endpoints } = queue.broker;
    const deadline = Date.now() + LONG_POLLING_MS + this.#options.callTimeoutMs;
    const stream = this.#guard.channels
      .stub(endpoints)
      .receiveMessage(request, this.getRequestMetadata(), { deadline });
    const forget = this.#guard.channels.track(stream);
    const cancel = (): void => {
      stream.cancel();
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await new Promise<number>((resolve, reject) => {
        let received = 0;
        let failure: unknown;
        stream.on('data', (response: InstanceType<typeof messages.ReceiveMessageResponse>) => {
          const message = response.getMessage();
          if (message !== undefined) {
            received += 1;
            onMessage(decodeInboundMessage(message, endpoints));
          }
          const status = response.getStatus();
          if (status === undefined) return;
          try {
            StatusChecker.check(status.toObject());
          } catch (error) {
            failure = error;
          }
        });
        stream.on('error', reject);
        stream.on('end', () => {
          if (failure === undefined) resolve(received);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it was thrown
          else reject(failure);
        });
      });
    } finally {
      signal.removeEventListener('abort', cancel);
      forget();
    }
  }

  /** The client looks at the overall status only and takes "several results" for success, so the entry is checked here. */
  async acknowledge(message: InboundMessage): Promise<void> {
    const receipt = message.receipt as Receipt;
    const request = new messages.AckMessageRequest()
      .setGroup(new protocol.Resource().setName(this.#options.group))
      .setTopic(new protocol.Resource().setName(this.#options.topic));
    request.addEntries().setMessageId(message.messageId).setReceiptHandle(receipt.handle);
    const response = await this.rpcClientManager.ackMessage(receipt.endpoints, request, this.#options.callTimeoutMs);
    StatusChecker.check(response.getStatus()?.toObject());
    for (const entry of response.getEntriesList()) StatusChecker.check(entry.getStatus()?.toObject());
  }

  async makeVisibleAfter(message: InboundMessage, delayMs: number): Promise<void> {
    const receipt = message.receipt as Receipt;
    const request = new messages.ChangeInvisibleDurationRequest()
      .setGroup(new protocol.Resource().setName(this.#options.group))
      .setTopic(new protocol.Resource().setName(this.#options.topic))
      .setMessageId(message.messageId)
      .setReceiptHandle(receipt.handle)
      .setInvisibleDuration(createDuration(delayMs));
    const response = await this.rpcClientManager.changeInvisibleDuration(
      receipt.endpoints,
      request,
      this.#options.callTimeoutMs,
    );
    StatusChecker.check(response.getStatus()?.toObject());
    receipt.handle = response.getReceiptHandle();
  }

  /** The client's own balancer takes the broker id for a queue id and throws when it finds no queue 0; ours is `brokers()`. */
  protected override onTopicRouteDataUpdate(): void {
    this.#onRoute();
  }

  override createTelemetryStream(
    endpoints: Parameters<SimpleConsumer['createTelemetryStream']>[0],
  ): ReturnType<SimpleConsumer['createTelemetryStream']> {
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
