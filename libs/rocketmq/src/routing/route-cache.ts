import {
  BrokerNotFoundError,
  BrokerResponseError,
  ClientClosedError,
  isRocketMqError,
  NameServersFailedError,
  RequestAbortedError,
  TopicNotFoundError,
} from '../errors.js';
import { CallDeadline } from '../connection/call-deadline.js';
import type { RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import type { NameServers } from './name-servers.js';
import { decodeTopicRoute, type BrokerRoute, type QueueRef, type TopicRoute } from './topic-route.js';

interface Entry {
  route: TopicRoute;
  loadedAt: number;
  /** When the name servers are asked for its successor. */
  refreshAt: number;
  /** Set by `invalidate`: the next use asks the name servers first. */
  isSuspect: boolean;
}

/** How soon a failed refresh is tried again, however often the route is used. */
const FAILED_REFRESH_AGAIN_MS = 1_000;
/** A route as young as this is not put in doubt by a refusal that may have other causes. */
const UNDOUBTED_MS = 500;

interface RouteCacheOptions {
  readonly requestTimeoutMs: number;
  /** A route older than this is used once more while a new one is fetched. */
  readonly refreshAfterMs: number;
  /** Routes kept; beyond it the one loaded first is dropped. */
  readonly maxTopics: number;
}

/**
 * Keeps topic routes from the name servers. The cache gives an aged route while it fetches the successor in the
 * background, and also when no name server answers. So data flows without name servers.
 */
export class RouteCache {
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<TopicRoute>>();

  constructor(
    private readonly nameServers: Pick<NameServers, 'ask'>,
    private readonly options: RouteCacheOptions,
  ) {}

  /** Returns the route if it can be used without waiting. */
  cached(topic: string): TopicRoute | undefined {
    const entry = this.#entries.get(topic);
    if (entry === undefined || entry.isSuspect) return undefined;
    if (performance.now() > entry.refreshAt) this.#refreshBehind(topic, entry);
    return entry.route;
  }

  /** @throws TopicNotFoundError and the errors of a request */
  async route(topic: string, deadline: CallDeadline): Promise<TopicRoute> {
    return this.cached(topic) ?? this.#fetch(topic, deadline, this.#entries.get(topic)?.isSuspect === true);
  }

  /** Asks the name servers now. Others use the known route meanwhile. @throws as `route` */
  async refresh(topic: string, deadline: CallDeadline): Promise<TopicRoute> {
    return this.#fetch(topic, deadline, this.#entries.has(topic));
  }

  async #fetch(topic: string, deadline: CallDeadline, isOtherWanted: boolean): Promise<TopicRoute> {
    const what = `route of topic '${topic}'`;
    deadline.throwIfEnded(what);
    try {
      return await deadline.race(this.#load(topic, isOtherWanted), what, () => 'not-sent');
    } catch (error) {
      const known = this.#entries.get(topic);
      if (known === undefined || !isAnyServerUnheard(error)) throw error;
      known.isSuspect = false;
      known.refreshAt = performance.now() + FAILED_REFRESH_AGAIN_MS;
      return known.route;
    }
  }

  /** Marks a route that led to an error: its next use asks the name servers first. */
  invalidate(topic: string): void {
    const entry = this.#entries.get(topic);
    if (entry !== undefined) entry.isSuspect = true;
  }

  /** Says that a broker refused what was sent by a route, which may be old or not. */
  doubt(topic: string): void {
    const entry = this.#entries.get(topic);
    if (entry !== undefined && performance.now() - entry.loadedAt > UNDOUBTED_MS) entry.isSuspect = true;
  }

  forget(topic: string): void {
    this.#entries.delete(topic);
  }

  #refreshBehind(topic: string, entry: Entry): void {
    entry.refreshAt = performance.now() + Math.min(FAILED_REFRESH_AGAIN_MS, Math.max(0, this.options.refreshAfterMs));
    this.#load(topic, false).catch(() => undefined);
  }

  #load(topic: string, isOtherWanted: boolean): Promise<TopicRoute> {
    const running = this.#loading.get(topic);
    if (running !== undefined) return running;
    const loading = this.#ask(topic, isOtherWanted).finally(() => this.#loading.delete(topic));
    this.#loading.set(topic, loading);
    return loading;
  }

  async #ask(topic: string, isOtherWanted: boolean): Promise<TopicRoute> {
    const deadline = new CallDeadline(this.options.requestTimeoutMs, undefined);
    const request: RemotingRequest = {
      code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC,
      ext: { topic, acceptStandardJsonOnly: 'true' },
    };
    try {
      const reply = await this.nameServers.ask(request, deadline, { isOtherWanted });
      const route = decodeTopicRoute(topic, reply.body);
      this.#keep(topic, route);
      return route;
    } catch (error) {
      const isKnown = this.#entries.has(topic);
      if (isTopicMissing(error) || (!isKnown && failuresOf(error).some(isTopicMissing))) {
        throw new TopicNotFoundError(topic);
      }
      throw error;
    }
  }

  #keep(topic: string, route: TopicRoute): void {
    const loadedAt = performance.now();
    this.#entries.delete(topic);
    this.#entries.set(topic, { route, loadedAt, refreshAt: loadedAt + this.options.refreshAfterMs, isSuspect: false });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.options.maxTopics && oldest !== undefined) this.#entries.delete(oldest);
  }
}

function failuresOf(error: unknown): readonly unknown[] {
  return error instanceof NameServersFailedError ? error.failures.map((failure) => failure.error) : [error];
}

function isTopicMissing(error: unknown): boolean {
  return error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.TOPIC_NOT_EXIST;
}

/** Returns whether a name server that did not answer may know the topic. */
function isAnyServerUnheard(error: unknown): boolean {
  return failuresOf(error).some(
    (failure) =>
      isRocketMqError(failure) &&
      !(failure instanceof BrokerResponseError) &&
      !(failure instanceof TopicNotFoundError) &&
      !(failure instanceof RequestAbortedError) &&
      !(failure instanceof ClientClosedError),
  );
}

/** @throws BrokerNotFoundError when the route knows no master of the queue's broker */
export function masterAddressOf(route: TopicRoute, queue: QueueRef): string {
  const broker = route.brokers.find((candidate: BrokerRoute) => candidate.brokerName === queue.brokerName);
  if (broker?.masterAddress !== undefined) return broker.masterAddress;
  throw new BrokerNotFoundError(
    queue.brokerName,
    route.brokers.filter((known) => known.masterAddress !== undefined).map((known) => known.brokerName),
    `in the route of topic '${queue.topic}'`,
  );
}
