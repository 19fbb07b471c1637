import { CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import { AuthenticationError, isRocketMqError, MalformedDataError, type RocketMqError } from '../errors.js';
import { checkMessage, PROXY_RULES } from '../messaging/check-message.js';
import type { MessageSender, SendOutcome, TopicMessage } from '../messaging/message-port.js';
import type { MessageIds } from '../messaging/message-id.js';
import { type CheckedMessage, encodeMessage } from './outgoing-message.js';
import { messages as messageStubs, resourceOf } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { type RequestLane, planRequests, type RequestLimits } from './request-plan.js';
import { failedOutcome, readSendReply } from './send-reply.js';
import { isMessageRefused, statusOf } from './status-error.js';
import { onlyBrokerAt, type TopicRoutes, writableBrokers } from './topic-routes.js';

export interface GrpcSenderContext {
  readonly channels: ProxyChannels;
  readonly routes: TopicRoutes;
  readonly clientId: string;
  readonly ids: MessageIds;
  readonly requestTimeoutMs: number;
  readonly maxMessageBytes: number;
  readonly limits: RequestLimits;
  /** Of one `send`. */
  readonly maxConcurrentRequests: number;
}

interface Item extends CheckedMessage {
  readonly index: number;
}

/** Sends to one topic through the Proxy, which needs no telemetry stream for it (seen on 5.5.0). */
export class GrpcSender implements MessageSender {
  readonly #context: GrpcSenderContext;
  #turn = Math.floor(Math.random() * 1_024);

  constructor(
    readonly topic: string,
    context: GrpcSenderContext,
  ) {
    this.#context = context;
  }

  async send(messages: readonly TopicMessage[], call?: CallOptions): Promise<readonly SendOutcome[]> {
    const { ids, limits, maxMessageBytes, requestTimeoutMs, maxConcurrentRequests } = this.#context;
    const deadline = new CallDeadline(call?.timeoutMs ?? requestTimeoutMs, call?.signal);
    const outcomes = new Array<SendOutcome>(messages.length);
    const items: Item[] = [];
    for (const [index, message] of messages.entries()) {
      const messageId = message.messageId ?? ids.next();
      try {
        checkMessage(message, { ...PROXY_RULES, maxMessageBytes });
        items.push({ message, messageId, index });
      } catch (error) {
        outcomes[index] = failedOutcome(messageId, typed(error), false);
      }
    }
    const waiting = planRequests(items, limits).reverse();
    const settle = (item: Item, outcome: SendOutcome): void => {
      outcomes[item.index] = outcome;
    };
    const worker = async (): Promise<void> => {
      for (let lane = waiting.pop(); lane !== undefined; lane = waiting.pop()) await this.#sendLane(lane, deadline, settle);
    };
    await Promise.all(Array.from({ length: Math.min(maxConcurrentRequests, waiting.length) }, worker));
    return outcomes;
  }

  /** What follows a failure in a lane is not sent: it would overtake the message that failed. */
  async #sendLane(lane: RequestLane<Item>, deadline: CallDeadline, settle: (item: Item, outcome: SendOutcome) => void): Promise<void> {
    let failure: RocketMqError | undefined;
    for (const request of lane) {
      if (failure !== undefined) {
        for (const item of request) settle(item, failedOutcome(item.messageId, failure, false));
        continue;
      }
      for (const [index, outcome] of (await this.#sendRequest(request, deadline)).entries()) {
        const item = request[index];
        if (item !== undefined) settle(item, outcome);
        if (outcome.status === 'failed') failure = outcome.error;
      }
    }
  }

  /** A batch that is refused for one of its messages is sent again one by one: nothing of it was stored. */
  async #sendRequest(request: readonly Item[], deadline: CallDeadline): Promise<readonly SendOutcome[]> {
    const outcomes = await this.#sendSigned(request, deadline);
    const [first] = outcomes;
    if (request.length === 1 || first?.status !== 'failed' || !isMessageRefused(first.error)) return outcomes;
    const alone: SendOutcome[] = [];
    for (const item of request) alone.push(...(await this.#sendSigned([item], deadline)));
    return alone;
  }

  /** What is refused for credentials that have been renewed since is sent again once. */
  async #sendSigned(request: readonly Item[], deadline: CallDeadline): Promise<readonly SendOutcome[]> {
    const { channels } = this.#context;
    const version = channels.credentialsVersion;
    const outcomes = await this.#sendOnce(request, deadline);
    const [first] = outcomes;
    if (first?.status !== 'failed' || !(first.error instanceof AuthenticationError)) return outcomes;
    return (await channels.renewCredentials(version, deadline)) ? this.#sendOnce(request, deadline) : outcomes;
  }

  async #sendOnce(request: readonly Item[], deadline: CallDeadline): Promise<readonly SendOutcome[]> {
    const { channels, clientId, routes } = this.#context;
    const { topic } = this;
    try {
      const brokers = writableBrokers(await routes.route(topic, deadline), topic);
      const turn = this.#turn++ % brokers.length;
      const inTurn = [...brokers.slice(turn), ...brokers.slice(0, turn)].flatMap((broker) => broker.addresses);
      const address = channels.pick(inTurn) ?? '';
      const resource = resourceOf(topic);
      const encoded = new messageStubs.SendMessageRequest().setMessagesList(request.map((item) => encodeMessage(item, resource)));
      const reply = await channels.unary<InstanceType<typeof messageStubs.SendMessageResponse>>(
        address,
        'SendMessage',
        clientId,
        deadline,
        ({ stub, metadata, options }, done) => stub.sendMessage(encoded, metadata, options, done),
      );
      const read = {
        status: statusOf(reply.getStatus()),
        entries: reply.getEntriesList().map((entry) => ({
          status: statusOf(entry.getStatus()),
          offset: entry.getOffset(),
        })),
      };
      const asked = { request: 'SendMessage', address, topic };
      const outcomes = readSendReply(read, request, asked, onlyBrokerAt(brokers, address));
      const [first] = outcomes;
      if (first?.status === 'failed') this.#learnFrom(address, first.error);
      return outcomes;
    } catch (cause) {
      const error = typed(cause);
      routes.invalidate(topic);
      return request.map(({ messageId }) => failedOutcome(messageId, error, error.outcome === 'unknown'));
    }
  }

  #learnFrom(address: string, error: RocketMqError): void {
    const { channels, routes } = this.#context;
    channels.noteFailure(address, error);
    if (error.retriable || error.code === 'TOPIC_NOT_FOUND') routes.invalidate(this.topic);
  }
}

function typed(error: unknown): RocketMqError {
  return isRocketMqError(error) ? error : new MalformedDataError('send over gRPC', String(error), error);
}
