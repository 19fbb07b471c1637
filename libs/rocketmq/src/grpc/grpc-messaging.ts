import { hostname } from 'node:os';
import type { CredentialsSource } from '../connection/credentials.js';
import type { TlsOptions } from '../connection/tls-settings.js';
import { ClientClosedError, InvalidArgumentError } from '../errors.js';
import { MessageIds } from '../messaging/message-id.js';
import type { MessageReceiver, MessageSender, MessagingCluster, ReceiverOptions } from '../messaging/message-port.js';
import type { MessagingAddress } from '../messaging/messaging-url.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../wire/batch-encoder.js';
import { GrpcReceiver } from './grpc-receiver.js';
import { GrpcSender } from './grpc-sender.js';
import { ProxyChannels } from './proxy-channels.js';
import { TopicRoutes } from './topic-routes.js';

export interface GrpcMessagingOptions {
  /** Asked one after the other for routes. */
  readonly proxies: readonly MessagingAddress[];
  /** Signs every call. A function is asked again about once per second of use, so new credentials need no restart. */
  readonly credentials?: CredentialsSource | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Default: host name and process id. */
  readonly clientId?: string | undefined;
  /** Default limit of every call. Default 3 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** The brokers' and the Proxy's `maxMessageSize`. Default 4 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Whether several messages go in one request. It is about twenty times as fast, and only for brokers of 5.4.0 and
   * later. Older ones store each message of such a request with the first one's properties, id and tag. No call of the
   * protocol reports a broker's version, and the Proxy's own says nothing about the brokers behind it. Hence the default,
   * `off`.
   */
  readonly batchSend?: 'on' | 'off' | undefined;
  /** Of one `send`, for messages that do not share a request. Default 32. */
  readonly maxConcurrentRequests?: number | undefined;
  /**
   * Long polls that a receiver keeps at each broker. Default 1. A message that comes in while the broker registers a poll
   * waits for that poll's end; with two the other poll sees it.
   */
  readonly pollsPerBroker?: number | undefined;
  /** How long a poll waits at the broker, 5,000 to 20,000 ms. Default 5,000: it limits how late such a message is seen. */
  readonly pollMs?: number | undefined;
  /** Limit of what one compressed body may hold. A poll brings up to 32 of them. Default 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Replaces an address `host:port` that the Proxy gives out by the one under which it can be reached from here. */
  readonly mapAddress?: ((address: string) => string) | undefined;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 3_000;
const MAX_MESSAGES_PER_REQUEST = 1_024;
const DEFAULT_CONCURRENT_REQUESTS = 32;
const DEFAULT_POLLS_PER_BROKER = 1;
const DEFAULT_MAX_BODY_BYTES = 64 * 1024 * 1024;
/** The Proxy keeps every poll within these. */
const POLL_MS = { min: 5_000, max: 20_000 } as const;

let clustersOpened = 0;

/** A cluster that is reached through its proxies. It connects at first use. */
export class GrpcMessaging implements MessagingCluster {
  readonly protocol = 'grpc';
  readonly clientId: string;
  readonly #options: GrpcMessagingOptions;
  readonly #requestTimeoutMs: number;
  readonly #channels: ProxyChannels;
  readonly #routes: TopicRoutes;
  readonly #receivers = new Set<GrpcReceiver>();
  readonly #ids = new MessageIds();
  #receiversOpened = 0;

  /** @throws InvalidArgumentError */
  constructor(options: GrpcMessagingOptions) {
    const { maxConcurrentRequests = DEFAULT_CONCURRENT_REQUESTS, proxies } = options;
    if (proxies.length === 0) throw new InvalidArgumentError('proxies: at least one address');
    if (!Number.isSafeInteger(maxConcurrentRequests) || maxConcurrentRequests < 1) {
      throw new InvalidArgumentError(`maxConcurrentRequests ${maxConcurrentRequests}: expected an integer from 1`);
    }
    const { pollMs = POLL_MS.min, pollsPerBroker = DEFAULT_POLLS_PER_BROKER } = options;
    if (!Number.isSafeInteger(pollsPerBroker) || pollsPerBroker < 1) {
      throw new InvalidArgumentError(`pollsPerBroker ${pollsPerBroker}: expected an integer from 1`);
    }
    if (!(pollMs >= POLL_MS.min && pollMs <= POLL_MS.max)) {
      throw new InvalidArgumentError(`pollMs ${pollMs}: the Proxy takes ${POLL_MS.min} to ${POLL_MS.max}`);
    }
    const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
    if (!Number.isSafeInteger(maxBodyBytes) || maxBodyBytes < 1) {
      throw new InvalidArgumentError(`maxBodyBytes ${maxBodyBytes}: expected an integer from 1`);
    }
    clustersOpened += 1;
    this.clientId = options.clientId ?? `${hostname()}@${process.pid}@${clustersOpened}`;
    this.#options = options;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#channels = new ProxyChannels({
      credentials: options.credentials,
      tls: options.tls,
      mapAddress: options.mapAddress ?? ((address) => address),
    });
    this.#routes = new TopicRoutes(this.#channels, proxies, this.clientId, this.#requestTimeoutMs);
  }

  sender(topic: string): MessageSender {
    this.#assertOpen(`sender of topic '${topic}'`);
    const { batchSend = 'off', maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = this.#options;
    return new GrpcSender(topic, {
      channels: this.#channels,
      routes: this.#routes,
      clientId: this.clientId,
      ids: this.#ids,
      requestTimeoutMs: this.#requestTimeoutMs,
      maxMessageBytes,
      limits: { maxMessages: batchSend === 'on' ? MAX_MESSAGES_PER_REQUEST : 1, maxBytes: maxMessageBytes },
      maxConcurrentRequests: this.#options.maxConcurrentRequests ?? DEFAULT_CONCURRENT_REQUESTS,
    });
  }

  receiver(options: ReceiverOptions): MessageReceiver {
    this.#assertOpen(`receiver of topic '${options.topic}'`);
    this.#receiversOpened += 1;
    const receiver = new GrpcReceiver(options, {
      channels: this.#channels,
      routes: this.#routes,
      clientId: `${this.clientId}@${this.#receiversOpened}`,
      requestTimeoutMs: this.#requestTimeoutMs,
      pollsPerBroker: this.#options.pollsPerBroker ?? DEFAULT_POLLS_PER_BROKER,
      pollMs: this.#options.pollMs ?? POLL_MS.min,
      maxBodyBytes: this.#options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES,
      onClose: (closed) => this.#receivers.delete(closed),
    });
    this.#receivers.add(receiver);
    return receiver;
  }

  /** Signs with these from the next call on; undefined signs no more. @throws InvalidArgumentError */
  setCredentials(credentials: CredentialsSource | undefined): void {
    this.#channels.setCredentials(credentials);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#receivers].map((receiver) => receiver.close()));
    this.#channels.close();
  }

  #assertOpen(what: string): void {
    if (this.#channels.isClosed) throw new ClientClosedError(what);
  }
}
