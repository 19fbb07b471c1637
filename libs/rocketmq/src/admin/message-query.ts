import { BrokerNotFoundError, BrokerResponseError, InvalidArgumentError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import { parseBrokerAddress } from '../connection/broker-address.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import { MESSAGE_PROPERTY } from '../wire/message-property.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { decodeStoredMessages, type StoredMessage } from '../wire/stored-message.js';
import { checkGroupName, checkInteger, checkNotEmpty, checkQueue, checkTopicName } from '../routing/check-argument.js';
import { offsetByTime } from './offset-admin.js';
import { decodeOffsetMessageId, encodeOffsetMessageId } from './offset-message-id.js';

/** Brokers give no more of them in one answer (`maxMsgsNumBatch`). */
const MAX_INDEXED = 64;
/** The index keeps store times rounded down by up to a second. */
const INDEX_STEP_MS = 1_000;
const MAX_IN_RANGE = 100_000;
/** The brokers' own group for tools; it is there on every broker. */
const TOOLS_GROUP = 'TOOLS_CONSUMER';
const QUERY_MS = 10_000;

export interface MessageByKeyOptions extends CallOptions {
  readonly topic: string;
  /** One of the message's keys. */
  readonly key: string;
  /** Store time from, ms since the epoch. Default: no limit. */
  readonly fromMs?: number;
  /** Store time to, inclusive. Default: no limit. */
  readonly toMs?: number;
  /** Of each broker, 1 to 64. Default 64. */
  readonly maxMessages?: number;
}

export interface MessagesInTimeOptions extends CallOptions {
  readonly queue: QueueRef;
  /** Store time from, ms since the epoch. */
  readonly fromMs: number;
  /** Store time to, inclusive. */
  readonly toMs: number;
  /** 1 to 100 000. Default 1000. */
  readonly maxMessages?: number;
  /** Reads as this group; nothing is committed. Default: `TOOLS_CONSUMER`, which every broker has. */
  readonly group?: string;
}

export interface FoundMessages {
  /** By store time, then as the brokers gave them. */
  readonly messages: readonly StoredMessage[];
  /** Whether a broker gave as many as were asked for, so there may be more. One set to `maxMsgsNumBatch` below 64 hides it. */
  readonly isTruncated: boolean;
}

export interface MessagesInTime {
  readonly messages: readonly StoredMessage[];
  /** Where to resume when `maxMessages` ended the search; undefined when all messages of the range are there. */
  readonly nextOffset: number | undefined;
}

/** Reads a queue from an offset on: the client's consumer. */
export interface MessagePuller {
  pull(options: CallOptions & { readonly queue: QueueRef; readonly offset: number; readonly group: string }): Promise<{
    readonly messages: readonly StoredMessage[];
    readonly nextOffset: number;
    readonly maxOffset: number;
  }>;
}

/**
 * Finds stored messages. All calls have a default limit of 10 s and may throw the connection's errors, MalformedDataError
 * and BrokerResponseError.
 */
export class MessageQuery {
  constructor(
    private readonly cluster: ClusterAccess,
    private readonly consumer: MessagePuller,
  ) {}

  /**
   * Returns the message with the id that its broker gave it (`offsetMsgId`); undefined when no message begins there. Only a broker
   * that the name servers know at the address in the id is asked.
   * @param options `topic`: a message of another topic is not returned; brokers with ACL 2.0 want to know it. `brokerName`:
   * asks this broker instead of the one in the id, such as one whose address has changed
   * @throws InvalidArgumentError, BrokerNotFoundError
   */
  async byOffsetId(
    offsetMessageId: string,
    options?: CallOptions & { readonly topic?: string; readonly brokerName?: string },
  ): Promise<StoredMessage | undefined> {
    const { host, port, commitLogOffset } = decodeOffsetMessageId(offsetMessageId);
    const { topic, brokerName } = options ?? {};
    if (topic !== undefined) checkTopicName(topic);
    const deadline = this.#deadline(options);
    const address =
      brokerName === undefined
        ? await this.#registeredAddress(offsetMessageId, { host, port }, deadline)
        : [...(await this.cluster.masters({ brokerName }, deadline)).values()][0];
    const ext = { offset: String(commitLogOffset), ...(topic === undefined ? {} : { topic }) };
    try {
      const reply = await this.cluster.call(address ?? '', { code: REQUEST_CODE.VIEW_MESSAGE_BY_ID, ext }, deadline);
      const [message] = decodeStoredMessages(reply.body);
      const isIt = message?.commitLogOffset === commitLogOffset && (topic === undefined || message.topic === topic);
      return isIt ? message : undefined;
    } catch (error) {
      if (error instanceof BrokerResponseError && /can not find message by the offset/.test(error.remark)) return undefined;
      throw error;
    }
  }

  /** Returns messages with a key, of all brokers of the topic. @throws InvalidArgumentError, TopicNotFoundError */
  async byKey(options: MessageByKeyOptions): Promise<FoundMessages> {
    return this.#byIndex(options, 'K', (message) => message.keys?.split(' ').includes(options.key) === true);
  }

  /** Returns messages with the id that their producer gave them (`UNIQ_KEY`); several when one was resent. @throws as `byKey` */
  async byUniqueKey(options: Omit<MessageByKeyOptions, 'maxMessages'>): Promise<FoundMessages> {
    return this.#byIndex(options, 'U', (message) => message.property(MESSAGE_PROPERTY.messageId) === options.key);
  }

  /** Returns messages of one queue by their store time, in the order of the queue. @throws InvalidArgumentError, TopicNotFoundError */
  async inTimeRange(options: MessagesInTimeOptions): Promise<MessagesInTime> {
    const { queue, fromMs, toMs, maxMessages = 1_000, group = TOOLS_GROUP } = options;
    checkQueue(queue);
    checkTimeRange(fromMs, toMs);
    checkInteger('maxMessages', maxMessages, 1, MAX_IN_RANGE);
    checkGroupName(group);
    const deadline = this.#deadline(options);
    // Brokers of 4.x may answer any of several messages of one ms, so the search begins a ms before.
    let offset = await offsetByTime(this.cluster, queue, Math.max(0, fromMs - 1), 'lower', deadline);
    const messages: StoredMessage[] = [];
    for (;;) {
      deadline.throwIfEnded('search by time');
      const { signal } = options;
      const pulled = await this.consumer.pull({
        queue,
        offset,
        group,
        timeoutMs: Math.max(1, deadline.remainingMs),
        signal,
      });
      for (const message of pulled.messages) {
        if (message.storeTimestamp > toMs) return { messages, nextOffset: undefined };
        if (message.storeTimestamp < fromMs) continue;
        if (messages.length === maxMessages) return { messages, nextOffset: message.queueOffset };
        messages.push(message);
      }
      if (pulled.nextOffset <= offset || pulled.nextOffset >= pulled.maxOffset) return { messages, nextOffset: undefined };
      offset = pulled.nextOffset;
    }
  }

  /**
   * Different keys may share an entry of the index, so what the broker gives is looked at. The protocol's flag
   * `_UNIQUE_KEY_QUERY` is not sent: it only overrides `maxNum`, and brokers of plain ACL leave it out of the signature.
   */
  async #byIndex(options: MessageByKeyOptions, indexType: 'K' | 'U', isIt: (message: StoredMessage) => boolean): Promise<FoundMessages> {
    const { topic, key, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, maxMessages = MAX_INDEXED } = options;
    checkTopicName(topic);
    checkNotEmpty('key', key);
    if (/\s/.test(key)) throw new InvalidArgumentError(`key '${key}': allowed is one key, without spaces`);
    checkTimeRange(fromMs, toMs);
    checkInteger('maxMessages', maxMessages, 1, MAX_INDEXED);
    const deadline = this.#deadline(options);
    const route = await this.cluster.routes.refresh(topic, deadline);
    const range = { beginTimestamp: String(Math.max(0, fromMs - INDEX_STEP_MS)), endTimestamp: String(toMs) };
    const ext = { topic, key, maxNum: String(maxMessages), ...range, indexType };
    const addresses = route.brokers.flatMap((broker) => broker.masterAddress ?? []);
    const answers = await Promise.all(addresses.map((address) => this.#askIndex(address, ext, deadline)));
    const messages = answers
      .flat()
      .filter((message) => message.storeTimestamp >= fromMs && message.storeTimestamp <= toMs && isIt(message))
      .sort((a, b) => a.storeTimestamp - b.storeTimestamp);
    return { messages, isTruncated: answers.some((answer) => answer.length >= maxMessages) };
  }

  async #askIndex(address: string, ext: Readonly<Record<string, string>>, deadline: CallDeadline): Promise<StoredMessage[]> {
    try {
      const reply = await this.cluster.call(address, { code: REQUEST_CODE.QUERY_MESSAGE, ext }, deadline);
      return decodeStoredMessages(reply.body);
    } catch (error) {
      if (error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.QUERY_NOT_FOUND) return [];
      throw error;
    }
  }

  /** Signed requests go to nobody but the cluster's brokers, whatever address an id holds. */
  async #registeredAddress(
    id: string,
    { host, port }: { readonly host: string; readonly port: number },
    deadline: CallDeadline,
  ): Promise<string> {
    const { brokers } = await this.cluster.clusterInfo(deadline);
    const addresses = brokers.flatMap((broker) => [...broker.addresses.values()]);
    const wanted = encodeOffsetMessageId({ host, port, commitLogOffset: 0 });
    const found = addresses.find((address) => {
      const known = parseBrokerAddress(address);
      return known.port === port && (known.host === host || idOf(known) === wanted);
    });
    if (found !== undefined) return found;
    throw new BrokerNotFoundError(`${host}:${port}`, addresses, `of message id ${id}: name the broker`);
  }

  #deadline(options: CallOptions | undefined): CallDeadline {
    return this.cluster.deadline(options, Math.max(QUERY_MS, this.cluster.requestTimeoutMs));
  }
}

/** Makes different spellings of one IPv6 address the same. */
function idOf({ host, port }: { readonly host: string; readonly port: number }): string | undefined {
  return host.includes(':') ? encodeOffsetMessageId({ host, port, commitLogOffset: 0 }) : undefined;
}

function checkTimeRange(fromMs: number, toMs: number): void {
  checkInteger('fromMs', fromMs, 0);
  checkInteger('toMs', toMs, fromMs);
}
