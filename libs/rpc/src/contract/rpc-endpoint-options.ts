import { type CredentialsSource, parseMessagingUrl, type TlsOptions } from '@sluice/rocketmq';
import { nodeGroup, nodeTag } from './node-tag.js';
import { invalidOption } from './rpc-error.js';

/** Where the transport reports what it recovers from by itself. */
export interface TransportLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface RpcEndpointOptions {
  /** Id of this node; also the address that others send to. */
  readonly node: string;
  /** The rpc topic of the Connect cluster, e.g. `sluice-main-rpc`. It must exist. */
  readonly topic: string;
  /** The cluster: `rocketmq+grpc://proxy:8081,…`, or `rocketmq://namesrv:9876,…` where it has no Proxy. */
  readonly url: string;
  /**
   * Creates the consumer group and sets its offset to the end of each queue of `topic`; idempotent. The gRPC protocol can do
   * neither. Called before every start, and again when the broker says that the group is gone.
   */
  readonly prepareGroup: (group: string, topic: string) => Promise<void>;
  readonly logger?: TransportLogger;
  /** Signs every request. A function is asked again about once per second of use, so new credentials need no restart. */
  readonly credentials?: CredentialsSource;
  /** Set to speak TLS. */
  readonly tls?: TlsOptions;
  /** Replaces an address that the Proxy advertises (`host:port`) by one that this node can reach; of the Proxy only. */
  readonly mapAddress?: (address: string) => string;
  /** Deadline of a request that sets none. @default 5000 */
  readonly requestTimeoutMs?: number;
  /** Deadline of an event, across all its deliveries. @default 60000 */
  readonly eventTtlMs?: number;
  /** @default 15000 */
  readonly startupTimeoutMs?: number;
  /** How long stop() waits for running handlers. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** Time limit of one call to the proxy, without long polling. @minimum 1000 @default 3000 */
  readonly callTimeoutMs?: number;
  /** After this time an unacknowledged message is delivered again. @minimum 10000 @default 60000 */
  readonly invisibleMs?: number;
  /** Handlers running at once. @default 32 */
  readonly maxConcurrentHandlers?: number;
  /** Requests waiting for a handler to end; above that they are refused as RPC_OVERLOADED. @default 1000 */
  readonly maxQueuedMessages?: number;
  /** Own requests waiting for a reply; above that request() fails as RPC_OVERLOADED. @default 1000 */
  readonly maxPendingRequests?: number;
  /** Deliveries of an event whose handler keeps failing. @default 5 */
  readonly maxDeliveryAttempts?: number;
  /** Larger bodies are refused; RocketMQ's and grpc's limit is 4 MiB with everything. @default 3145728 */
  readonly maxBodyBytes?: number;
}

export interface ResolvedRpcEndpointOptions extends Required<Omit<RpcEndpointOptions, 'credentials' | 'tls'>> {
  readonly credentials: RpcEndpointOptions['credentials'];
  readonly tls: RpcEndpointOptions['tls'];
  readonly tag: string;
  readonly group: string;
}

const ignore = (): undefined => undefined;
const silent: TransportLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Fills in the defaults. @throws RpcError RPC_INVALID_OPTIONS, or InvalidArgumentError for the URL, naming option, value given and what is allowed */
export function resolveRpcEndpointOptions(options: RpcEndpointOptions): ResolvedRpcEndpointOptions {
  if (!/^[a-zA-Z0-9_%|-]+$/.test(options.topic)) {
    throw invalidOption(`topic is '${options.topic}'; allowed are letters, digits, '_', '-', '%' and '|'`);
  }
  if (parseMessagingUrl(options.url).protocol === 'remoting' && options.mapAddress !== undefined) {
    throw invalidOption('mapAddress is given; only addresses of a Proxy can be replaced');
  }
  return {
    node: options.node,
    topic: options.topic,
    url: options.url,
    prepareGroup: options.prepareGroup,
    credentials: options.credentials,
    tls: options.tls,
    logger: options.logger ?? silent,
    mapAddress: options.mapAddress ?? ((address) => address),
    requestTimeoutMs: atLeast('requestTimeoutMs', options.requestTimeoutMs ?? 5_000, 1),
    eventTtlMs: atLeast('eventTtlMs', options.eventTtlMs ?? 60_000, 1),
    startupTimeoutMs: atLeast('startupTimeoutMs', options.startupTimeoutMs ?? 15_000, 1),
    drainTimeoutMs: atLeast('drainTimeoutMs', options.drainTimeoutMs ?? 5_000, 0),
    callTimeoutMs: atLeast('callTimeoutMs', options.callTimeoutMs ?? 3_000, 1_000),
    invisibleMs: atLeast('invisibleMs', options.invisibleMs ?? 60_000, 10_000),
    maxConcurrentHandlers: atLeast('maxConcurrentHandlers', options.maxConcurrentHandlers ?? 32, 1),
    maxQueuedMessages: atLeast('maxQueuedMessages', options.maxQueuedMessages ?? 1_000, 0),
    maxPendingRequests: atLeast('maxPendingRequests', options.maxPendingRequests ?? 1_000, 1),
    maxDeliveryAttempts: atLeast('maxDeliveryAttempts', options.maxDeliveryAttempts ?? 5, 1),
    maxBodyBytes: atLeast('maxBodyBytes', options.maxBodyBytes ?? 3 * 1024 * 1024, 1),
    tag: nodeTag(options.topic, options.node),
    group: nodeGroup(options.topic, options.node),
  };
}

function atLeast(name: string, value: number, minimum: number): number {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw invalidOption(`${name} is ${value}; expected a whole number of at least ${minimum}`);
  }
  return value;
}
