import { isIP } from 'node:net';
import { CallDeadline } from '../connection/call-deadline.js';
import {
  BrokerNotFoundError,
  ClientClosedError,
  InvalidArgumentError,
  isRocketMqError,
  type RocketMqError,
  TopicNotFoundError,
} from '../errors.js';
import { formatAddress, type MessagingAddress } from '../messaging/messaging-url.js';
import { messages, protocol, resourceOf } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { isOk, statusError, statusOf } from './status-error.js';

const { AddressScheme, Permission } = protocol;

/** A broker as the Proxy shows it. */
export interface ProxyBroker {
  readonly brokerName: string;
  /** Where its proxies listen, `host:port`. */
  readonly addresses: readonly string[];
  readonly isReadable: boolean;
  readonly isWritable: boolean;
}

export interface ProxyRoute {
  readonly brokers: readonly ProxyBroker[];
}

const REFRESH_AFTER_MS = 30_000;
const MAX_TOPICS = 10_000;

interface CachedRoute {
  readonly route: ProxyRoute;
  readonly staleAt: number;
}

/** Which brokers hold a topic, asked of any proxy that answers, and again every 30 s of use or after an error. */
export class TopicRoutes {
  readonly #cached = new Map<string, CachedRoute>();
  readonly #asking = new Map<string, Promise<ProxyRoute>>();

  constructor(
    private readonly channels: ProxyChannels,
    private readonly proxies: readonly MessagingAddress[],
    private readonly clientId: string,
    private readonly requestTimeoutMs: number,
  ) {}

  get accessPoint(): InstanceType<typeof protocol.Endpoints> {
    return endpointsOf(this.proxies);
  }

  /**
   * The last route is used until a newer one is there; the first, and the one after an error, is waited for.
   * @throws TopicNotFoundError and what the last proxy asked failed with
   */
  async route(topic: string, deadline: CallDeadline): Promise<ProxyRoute> {
    const cached = this.#cached.get(topic);
    if (cached === undefined) {
      const timeoutMs = Math.max(this.requestTimeoutMs, deadline.remainingMs);
      return deadline.race(this.#ask(topic, timeoutMs), `route of topic '${topic}'`, () => 'not-sent');
    }
    if (cached.staleAt <= performance.now()) {
      this.#ask(topic, this.requestTimeoutMs).catch(() => undefined);
    }
    return cached.route;
  }

  /** Has the next call wait for a new route. */
  invalidate(topic: string): void {
    this.#cached.delete(topic);
  }

  /** All who wait for a topic share one answer, so no caller's signal ends the question. */
  #ask(topic: string, timeoutMs: number): Promise<ProxyRoute> {
    const running = this.#asking.get(topic);
    if (running !== undefined) return running;
    const asking = this.#query(topic, new CallDeadline(timeoutMs, undefined)).finally(() => this.#asking.delete(topic));
    this.#asking.set(topic, asking);
    return asking;
  }

  async #query(topic: string, deadline: CallDeadline): Promise<ProxyRoute> {
    const all = this.proxies.map(formatAddress);
    const first = this.channels.pick(all);
    const ordered = first === undefined ? all : [first, ...all.filter((address) => address !== first)];
    let failure: RocketMqError | undefined;
    for (const [index, address] of ordered.entries()) {
      try {
        const share = deadline.within(deadline.remainingMs / (ordered.length - index));
        const route = await this.#queryAt(address, topic, share);
        this.#cached.delete(topic);
        this.#cached.set(topic, { route, staleAt: performance.now() + REFRESH_AFTER_MS });
        for (const oldest of this.#cached.keys()) {
          if (this.#cached.size <= MAX_TOPICS) break;
          this.#cached.delete(oldest);
        }
        return route;
      } catch (error) {
        if (!isRocketMqError(error)) throw error;
        failure = error;
        if (error instanceof TopicNotFoundError) this.#cached.delete(topic);
        if (error instanceof ClientClosedError) break;
      }
    }
    throw failure ?? new InvalidArgumentError('no proxy is configured');
  }

  async #queryAt(address: string, topic: string, deadline: CallDeadline): Promise<ProxyRoute> {
    const request = new messages.QueryRouteRequest().setTopic(resourceOf(topic)).setEndpoints(this.accessPoint);
    const response = await this.channels.unary<InstanceType<typeof messages.QueryRouteResponse>>(
      address,
      'QueryRoute',
      this.clientId,
      deadline,
      ({ stub, metadata, options }, done) => stub.queryRoute(request, metadata, options, done),
    );
    const status = statusOf(response.getStatus());
    if (!isOk(status)) {
      const error = statusError(status, { request: 'QueryRoute', address, topic });
      this.channels.noteFailure(address, error);
      throw error;
    }
    return routeOf(response.getMessageQueuesList().map((queue) => queue.toObject()));
  }
}

type RouteQueue = ReturnType<InstanceType<typeof protocol.MessageQueue>['toObject']>;

/** Returns one entry per broker: a poll names a broker and covers all of its queues, and the Proxy picks the queue of a send. */
export function routeOf(queues: readonly Pick<RouteQueue, 'permission' | 'broker'>[]): ProxyRoute {
  const brokers = new Map<string, ProxyBroker>();
  for (const { broker, permission } of queues) {
    if (broker === undefined) continue;
    const known = brokers.get(broker.name);
    const isReadable = permission === Permission.READ || permission === Permission.READ_WRITE;
    const isWritable = permission === Permission.WRITE || permission === Permission.READ_WRITE;
    brokers.set(broker.name, {
      brokerName: broker.name,
      addresses: known?.addresses ?? (broker.endpoints?.addressesList ?? []).map(formatAddress),
      isReadable: isReadable || known?.isReadable === true,
      isWritable: isWritable || known?.isWritable === true,
    });
  }
  return { brokers: [...brokers.values()] };
}

/** @throws BrokerNotFoundError when no broker of the route has a proxy that takes the topic's messages */
export function writableBrokers(route: ProxyRoute, topic: string): readonly [ProxyBroker, ...ProxyBroker[]] {
  const [first, ...others] = route.brokers.filter((broker) => broker.isWritable && broker.addresses.length > 0);
  if (first === undefined) {
    const names = route.brokers.map((broker) => broker.brokerName);
    throw new BrokerNotFoundError('*', names, `takes messages of topic '${topic}'`);
  }
  return [first, ...others];
}

/** Returns the broker's name if only one of the writable ones stands behind the address: the Proxy does not say which it chose. */
export function onlyBrokerAt(brokers: readonly ProxyBroker[], address: string): string | undefined {
  const behind = brokers.filter((broker) => broker.addresses.includes(address));
  return behind.length === 1 ? behind[0]?.brokerName : undefined;
}

function endpointsOf(addresses: readonly MessagingAddress[]): InstanceType<typeof protocol.Endpoints> {
  const endpoints = new protocol.Endpoints();
  for (const { host, port } of addresses) endpoints.addAddresses(new protocol.Address().setHost(host).setPort(port));
  const versions = new Set(addresses.map(({ host }) => isIP(host)));
  const [version] = versions;
  if (versions.size > 1 || version === 0) return endpoints.setScheme(AddressScheme.DOMAIN_NAME);
  return endpoints.setScheme(version === 6 ? AddressScheme.IPV6 : AddressScheme.IPV4);
}
