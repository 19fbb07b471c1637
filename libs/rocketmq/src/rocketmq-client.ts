import { hostname } from 'node:os';
import type { BackoffLimits } from '@sluice/time';
import { AclAdmin } from './admin/acl-admin.js';
import { CredentialsCache, type CredentialsSource } from './connection/credentials.js';
import { PlainAclAdmin } from './admin/plain-acl-admin.js';
import { Admin } from './admin/admin.js';
import { QueueLocks } from './admin/queue-locks.js';
import type { ClientEventListener } from './connection/client-event.js';
import type { CallDeadline, CallOptions } from './connection/call-deadline.js';
import { InvalidArgumentError } from './errors.js';
import { ConnectionPool } from './connection/connection-pool.js';
import { TlsSettings, type TlsOptions } from './connection/tls-settings.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from './wire/batch-encoder.js';
import { NameServers, parseNameServers } from './routing/name-servers.js';
import { RouteCache } from './routing/route-cache.js';
import type { TopicRoute } from './routing/topic-route.js';
import type { HeaderFormat } from './wire/remoting-codec.js';
import { ClusterAccess } from './routing/cluster-access.js';
import { Consumer } from './consume/consumer.js';
import { GroupMembers } from './consume/group-members.js';
import { PopConsumer, type PopConsumerOptions } from './consume/pop/pop-consumer.js';
import { Producer } from './produce/producer.js';
import type { TopicProducerOptions } from './produce/topic-producer/producer-options.js';
import { TopicProducer } from './produce/topic-producer/topic-producer.js';

export interface RocketMqClientOptions {
  /** `host:port`, several separated by `;` or `,`. */
  readonly namesrv: string;
  /** Shown by the brokers. Default: host name and process id. */
  readonly clientId?: string;
  /** Default limit of every call. Default 3 s. */
  readonly requestTimeoutMs?: number;
  /** How request headers are written; replies are read in both forms. Default `json`. */
  readonly headerFormat?: HeaderFormat;
  /** Signs every request. A function is asked again about once per second of use, so new credentials need no restart. */
  readonly credentials?: CredentialsSource | undefined;
  /** Encrypts the connections to name servers and brokers. Default: they are not encrypted. */
  readonly tls?: TlsOptions | undefined;
  /** Talks to the brokers' second port (the first less 2) for all but pulls. Default false. */
  readonly vipChannel?: boolean | undefined;
  /** Called for each connection and at the end of each request: for logs and metrics. */
  readonly onEvent?: ClientEventListener | undefined;
  readonly connectTimeoutMs?: number;
  /** Default 30 s; brokers close connections that are idle for 120 s. */
  readonly heartbeatIntervalMs?: number;
  readonly reconnectBackoff?: BackoffLimits;
  /** The brokers' `maxMessageSize`. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Answers above it are not read: their requests reject with FrameTooLargeError. Default 16 MiB. */
  readonly maxFrameBytes?: number;
  /** Bodies of single sends above it are compressed with zlib. Default: none is. */
  readonly compressOverBytes?: number;
  /** Sent with every message. Default `sluice`. */
  readonly producerGroup?: string;
  /** Default 30 s. */
  readonly routeRefreshMs?: number;
}

/** Topic routes as the client caches them. */
export interface Routes {
  /** Returns the route, from the cache unless it is missing or led to an error. @throws TopicNotFoundError */
  get(topic: string, options?: CallOptions): Promise<TopicRoute>;
  /** Asks the name servers now. @throws TopicNotFoundError */
  refresh(topic: string, options?: CallOptions): Promise<TopicRoute>;
}

let clientsOpened = 0;
/** Three times what brokers themselves wait for disks and replicas at most. */
const OVERDUE_AFTER_MS = 15_000;

function maxFrameBytesOf({ maxFrameBytes = 16 * 1024 * 1024 }: RocketMqClientOptions): number {
  if (Number.isInteger(maxFrameBytes) && maxFrameBytes >= 1_024 && maxFrameBytes <= 0x7f_ff_ff_ff) return maxFrameBytes;
  throw new InvalidArgumentError(`maxFrameBytes ${maxFrameBytes}: allowed is an integer from 1024 to 2147483647`);
}

/** A client of one cluster; any number of users may share it. It connects at first use. */
export class RocketMqClient {
  /** Sends to named queues, call by call; `topicProducer` collects, chooses queues and retries. */
  readonly producer: Producer;
  readonly consumer: Consumer;
  readonly admin: Admin;
  readonly routes: Routes;
  readonly clientId: string;
  /** Users and rules of ACL 2.0. */
  readonly acl: AclAdmin;
  /** Accounts of plain ACL, which RocketMQ had before ACL 2.0. */
  readonly plainAcl: PlainAclAdmin;
  readonly queueLocks: QueueLocks;
  readonly #pool: ConnectionPool;
  readonly #cluster: ClusterAccess;
  readonly #maxMessageBytes: number;
  readonly #credentials: CredentialsCache;
  readonly #tls: TlsSettings | undefined;

  /** @throws InvalidArgumentError */
  static open(options: RocketMqClientOptions): RocketMqClient {
    return new RocketMqClient(options);
  }

  private constructor(options: RocketMqClientOptions) {
    const requestTimeoutMs = options.requestTimeoutMs ?? 3_000;
    const heartbeatIntervalMs = options.heartbeatIntervalMs ?? 30_000;
    clientsOpened += 1;
    this.clientId = options.clientId ?? `${hostname()}@${process.pid}#${clientsOpened}`;
    const addresses = parseNameServers(options.namesrv);
    this.#credentials = new CredentialsCache(options.credentials);
    this.#tls = options.tls === undefined ? undefined : new TlsSettings(options.tls);
    const members = new GroupMembers({ clientId: this.clientId, heartbeatIntervalMs });
    this.#pool = new ConnectionPool({
      onNotice: (connection, notice) => {
        members.onNotice(connection, notice);
      },
      clientId: this.clientId,
      onEvent: options.onEvent,
      headerFormat: options.headerFormat ?? 'json',
      credentials: this.#credentials,
      tls: this.#tls,
      connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
      heartbeatIntervalMs,
      heartbeatTimeoutMs: Math.min(5_000, heartbeatIntervalMs),
      maxFrameBytes: maxFrameBytesOf(options),
      maxUnwrittenBytes: 16 * 1024 * 1024,
      maxWaitingRequests: 4_096,
      overdueAfterMs: OVERDUE_AFTER_MS,
      reconnectBackoff: options.reconnectBackoff ?? { initialMs: 50, maxMs: 3_000 },
    });
    this.#pool.closing.addEventListener('abort', () => {
      members.close();
    });
    const nameServers = new NameServers(addresses, this.#pool);
    const routes = new RouteCache(nameServers, {
      requestTimeoutMs,
      refreshAfterMs: options.routeRefreshMs ?? 30_000,
      maxTopics: 10_000,
    });
    const cluster = new ClusterAccess(this.#pool, nameServers, routes, requestTimeoutMs, options.vipChannel, members);
    this.#cluster = cluster;
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.producer = new Producer(cluster, options.producerGroup ?? 'sluice', this.#maxMessageBytes, options.compressOverBytes);
    this.consumer = new Consumer(cluster, members);
    this.admin = new Admin(cluster, this.consumer);
    this.acl = new AclAdmin(cluster);
    this.plainAcl = new PlainAclAdmin(cluster);
    this.queueLocks = new QueueLocks(cluster);
    const deadlineOf = (call?: CallOptions): CallDeadline => cluster.deadline(call);
    this.routes = {
      get: async (topic, call) => routes.route(topic, deadlineOf(call)),
      refresh: async (topic, call) => routes.refresh(topic, deadlineOf(call)),
    };
  }

  /**
   * Opens a producer that collects messages for one topic into batches, chooses queues and retries; `producer` does none of
   * it. Any number may exist; each keeps the order of its own sends. @throws InvalidArgumentError, UnsupportedCompressionError
   */
  topicProducer(topic: string, options: TopicProducerOptions = {}): TopicProducer {
    const context = { cluster: this.#cluster, producer: this.producer, maxMessageBytes: this.#maxMessageBytes };
    return new TopicProducer(topic, options, context);
  }

  /** Returns a consumer of messages that brokers hand out one by one. @throws InvalidArgumentError */
  popConsumer(options: PopConsumerOptions): PopConsumer {
    return new PopConsumer(options, this.#cluster);
  }

  /** Signs with these from the next request on; undefined signs no more. @throws InvalidArgumentError */
  setCredentials(credentials: CredentialsSource | undefined): void {
    this.#credentials.set(credentials);
  }

  /**
   * Opens connections with these from now on, as after a certificate was renewed; open ones stay as they are.
   * @throws InvalidArgumentError also for a client that was opened without `tls`: whether it encrypts does not change
   */
  setTls(tls: TlsOptions): void {
    if (this.#tls === undefined) throw new InvalidArgumentError('setTls: the client was opened without tls');
    this.#tls.set(tls);
  }

  get isClosed(): boolean {
    return this.#pool.isClosed;
  }

  /** Ends every call under way and every connection. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** As `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
