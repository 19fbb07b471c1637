import type { TopicProducer } from '../../produce/topic-producer/topic-producer.js';
import { CallDeadline, type CallOptions } from '../../connection/call-deadline.js';
import { isRocketMqError, MalformedDataError, RequestAbortedError, RequestTimeoutError, type RocketMqError } from '../../errors.js';
import { checkMessage, REMOTING_RULES } from '../check-message.js';
import type { MessageIds } from '../message-id.js';
import type { MessageSender, SendOutcome, TopicMessage } from '../message-port.js';
import { MESSAGE_PROPERTY } from '../../wire/message-property.js';

export interface RemotingSenderContext {
  readonly producer: TopicProducer;
  readonly ids: MessageIds;
  readonly requestTimeoutMs: number;
  readonly maxMessageBytes: number;
}

interface Item {
  readonly message: TopicMessage;
  readonly messageId: string;
  readonly index: number;
}

/** Sends to one topic in batches; what one broker surely did not store goes to another while there is time. */
export class RemotingSender implements MessageSender {
  readonly #context: RemotingSenderContext;

  constructor(
    readonly topic: string,
    context: RemotingSenderContext,
  ) {
    this.#context = context;
  }

  async send(messages: readonly TopicMessage[], call?: CallOptions): Promise<readonly SendOutcome[]> {
    const { ids, maxMessageBytes, requestTimeoutMs } = this.#context;
    const deadline = new CallDeadline(call?.timeoutMs ?? requestTimeoutMs, call?.signal);
    const outcomes = new Array<SendOutcome>(messages.length);
    const lanes = new Map<string, Item[]>();
    for (const [index, message] of messages.entries()) {
      const messageId = message.messageId ?? ids.next();
      try {
        checkMessage(message, { ...REMOTING_RULES, maxMessageBytes });
        const lane = message.messageGroup === undefined ? `alone ${index}` : `group ${message.messageGroup}`;
        const items = lanes.get(lane);
        if (items === undefined) lanes.set(lane, [{ message, messageId, index }]);
        else items.push({ message, messageId, index });
      } catch (error) {
        outcomes[index] = failedOutcome(messageId, typed(error));
      }
    }
    await Promise.all([...lanes.values()].map((lane) => this.#sendLane(lane, deadline, outcomes)));
    return outcomes;
  }

  /** What follows a failure in a message group is not sent: it would overtake the message that failed. */
  async #sendLane(lane: readonly Item[], deadline: CallDeadline, outcomes: SendOutcome[]): Promise<void> {
    let failure: RocketMqError | undefined;
    for (const { message, messageId, index } of lane) {
      if (failure !== undefined) {
        outcomes[index] = { status: 'failed', messageId, error: failure, mayBeStored: false };
        continue;
      }
      const outcome = await this.#sendOne(message, messageId, deadline);
      outcomes[index] = outcome;
      if (outcome.status === 'failed') failure = outcome.error;
    }
  }

  /** The producer waits for overdue replies; at the deadline the message is taken back if it is not under way yet. */
  async #sendOne(message: TopicMessage, messageId: string, deadline: CallDeadline): Promise<SendOutcome> {
    const what = `send to topic '${this.topic}'`;
    const taking = new AbortController();
    const { body, deliverAt, keys, messageGroup, properties, tag } = message;
    const sending = this.#context.producer.send(
      {
        body,
        tag,
        keys: keys === undefined || keys.length === 0 ? undefined : keys,
        properties: [...(properties ?? []), [MESSAGE_PROPERTY.messageId, messageId]],
        shardingKey: messageGroup,
        deliverAt,
      },
      { signal: taking.signal },
    );
    sending.catch(() => undefined);
    try {
      const { queue, offset } = await deadline.race(sending, what, () => 'unknown');
      return { status: 'stored', messageId, brokerName: queue.brokerName, queueId: queue.queueId, offset };
    } catch (error) {
      if (!(error instanceof RequestTimeoutError) && !(error instanceof RequestAbortedError)) {
        return failedOutcome(messageId, typed(error));
      }
      taking.abort();
      return failedOutcome(messageId, await whatIsKnown(sending, error));
    }
  }
}

/** A message that waits is rejected in the same turn when it is taken back: then nothing was sent. */
async function whatIsKnown(sending: Promise<unknown>, ended: RequestTimeoutError | RequestAbortedError): Promise<RocketMqError> {
  const underWay = Symbol('under way');
  const state: unknown = await Promise.race([
    sending.catch((error: unknown) => error),
    new Promise((resolve) => setImmediate(resolve, underWay)),
  ]);
  if (!(state instanceof RequestAbortedError)) return isRocketMqError(state) ? state : ended;
  return ended instanceof RequestTimeoutError
    ? new RequestTimeoutError(ended.what, ended.timeoutMs, 'not-sent')
    : new RequestAbortedError(ended.what, 'not-sent', ended.cause);
}

function failedOutcome(messageId: string, error: RocketMqError): SendOutcome {
  return { status: 'failed', messageId, error, mayBeStored: error.outcome === 'unknown' };
}

function typed(error: unknown): RocketMqError {
  return isRocketMqError(error) ? error : new MalformedDataError('send', String(error), error);
}
