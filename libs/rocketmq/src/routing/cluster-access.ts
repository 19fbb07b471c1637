import { BrokerNotFoundError, BrokerResponseError, isRetriableRocketMqError, TopicNotFoundError } from '../errors.js';
import { vipAddressOf } from '../connection/broker-address.js';
import { CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import type { Connection } from '../connection/connection.js';
import { type ConnectionPool, laneOf } from '../connection/connection-pool.js';
import type { NameServers } from './name-servers.js';
import { masterAddressOf, type RouteCache } from './route-cache.js';
import { decodeClusterInfo, type BrokerRoute, type ClusterInfo, type QueueRef, type TopicRoute } from './topic-route.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE, requestName, type RequestCode } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { isQueueRefused, isUnauthenticated, responseError } from './response-error.js';

/** Busy brokers say it, and replicas that are asked for what only masters do. */
const REPLICA_REFUSAL_REMARK = /\[REJECTREQUEST\]/;

/** What brokers serve on their first port only. */
const NOT_ON_SECOND_PORT: ReadonlySet<RequestCode> = new Set([
  REQUEST_CODE.PULL_MESSAGE,
  REQUEST_CODE.POP_MESSAGE,
  REQUEST_CODE.ACK_MESSAGE,
  REQUEST_CODE.CHANGE_MESSAGE_INVISIBLETIME,
]);

/** Makes the client known to a broker as a member of a group. */
export interface GroupAnnouncer {
  /** Undefined where the broker knows it already, or need not. */
  beforePull(connection: Connection, group: string, deadline: CallDeadline): Promise<void> | undefined;
}

/** How the parts of the client reach name servers and masters. */
export class ClusterAccess {
  constructor(
    readonly pool: ConnectionPool,
    readonly nameServers: NameServers,
    readonly routes: RouteCache,
    readonly requestTimeoutMs: number,
    private readonly isVipChannelUsed = false,
    /** Of pulls; without it the client is no member of the groups that it pulls as. */
    private readonly members?: GroupAnnouncer,
  ) {}

  deadline(options: CallOptions | undefined, defaultMs = this.requestTimeoutMs): CallDeadline {
    return new CallDeadline(options?.timeoutMs ?? defaultMs, options?.signal);
  }

  /** Returns the address of the master that holds a queue, from the topic's route. */
  async queueAddress(queue: QueueRef, deadline: CallDeadline): Promise<string> {
    const address = this.#knownAddress(queue);
    if (address !== undefined) return address;
    const isCached = this.routes.cached(queue.topic) !== undefined;
    const route = isCached ? this.routes.refresh(queue.topic, deadline) : this.routes.route(queue.topic, deadline);
    return masterAddressOf(await route, queue);
  }

  #knownAddress({ topic, brokerName }: QueueRef): string | undefined {
    return this.routes.cached(topic)?.brokers.find((broker) => broker.brokerName === brokerName)?.masterAddress;
  }

  /** Returns the brokers that hold a queue, master or not. @throws BrokerNotFoundError when the route has none of that name */
  async queueBroker(queue: QueueRef, deadline: CallDeadline): Promise<BrokerRoute> {
    const { brokerName, topic } = queue;
    const find = (route: TopicRoute): BrokerRoute | undefined => route.brokers.find((broker) => broker.brokerName === brokerName);
    const known = find(await this.routes.route(topic, deadline));
    if (known !== undefined && known.addresses.size > 0) return known;
    const route = await this.routes.refresh(topic, deadline);
    const found = find(route);
    if (found !== undefined && found.addresses.size > 0) return found;
    const names = route.brokers.map((broker) => broker.brokerName);
    throw new BrokerNotFoundError(brokerName, names, `in the route of topic '${topic}'`);
  }

  /** Returns the connection to the master that holds a queue, where it is open and nothing has to be asked for first. */
  openQueueConnection(queue: QueueRef, code: RequestCode): Connection | undefined {
    const address = this.pool.isPrepared ? this.#knownAddress(queue) : undefined;
    return address === undefined ? undefined : this.pool.openConnection(this.#portFor(address, code), laneOf(code));
  }

  /** Returns an open connection to the master that holds a queue. A failure to connect makes the route suspect. */
  async queueConnection(queue: QueueRef, deadline: CallDeadline, what: string, code: RequestCode): Promise<Connection> {
    if (!this.pool.isPrepared) await this.pool.prepare(deadline);
    const address = this.#portFor(await this.queueAddress(queue, deadline), code);
    const lane = laneOf(code);
    const open = this.pool.openConnection(address, lane);
    if (open !== undefined) return open;
    try {
      return await this.pool.acquire(address, deadline, what, lane);
    } catch (error) {
      this.routes.invalidate(queue.topic);
      throw error;
    }
  }

  /** Sends to the master that holds a queue. Errors that a new route may cure make the route suspect. */
  async askQueue(queue: QueueRef, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    const what = requestName(request.code);
    const connection = this.openQueueConnection(queue, request.code) ?? (await this.queueConnection(queue, deadline, what, request.code));
    const announced = this.#announce(connection, request, deadline);
    if (announced !== undefined) await announced;
    const ask = async (): Promise<RemotingCommand> =>
      (await this.queueConnection(queue, deadline, what, request.code)).invoke(request, deadline);
    try {
      return await this.askSigned((isAgain) => (isAgain ? ask() : connection.invoke(request, deadline)), deadline);
    } catch (error) {
      if (isRetriableRocketMqError(error)) this.routes.invalidate(queue.topic);
      throw error;
    }
  }

  /**
   * Asks, and asks once more when the broker refused credentials that have been renewed since: a refused request was not
   * executed.
   */
  askSigned(ask: (isAgain: boolean) => Promise<RemotingCommand>, deadline: CallDeadline): Promise<RemotingCommand> {
    const version = this.pool.credentialsVersion;
    return ask(false).then((reply) => {
      if (!isUnauthenticated(reply)) return reply;
      return this.pool.renewCredentials(version, deadline).then((isRenewed) => (isRenewed ? ask(true) : reply));
    });
  }

  /** Sends to one of the brokers that hold a queue. Errors that a new route may cure make the route suspect. */
  async askBroker(queue: QueueRef, address: string, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    try {
      const to = this.#portFor(address, request.code);
      const connection = await this.pool.acquire(to, deadline, requestName(request.code), laneOf(request.code));
      const announced = this.#announce(connection, request, deadline);
      if (announced !== undefined) await announced;
      return await this.#invoke(to, request, deadline);
    } catch (error) {
      if (isRetriableRocketMqError(error)) this.routes.invalidate(queue.topic);
      throw error;
    }
  }

  /** Sends to an address; any code but SUCCESS is an error. */
  async call(address: string, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    const to = this.#portFor(address, request.code);
    const reply = await this.#invoke(to, request, deadline);
    if (reply.code !== RESPONSE_CODE.SUCCESS) throw responseError(reply, request, to);
    return reply;
  }

  /** Sends to the master that holds a queue; any code but SUCCESS is an error. */
  async callQueue(queue: QueueRef, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    const reply = await this.askQueue(queue, request, deadline);
    if (reply.code !== RESPONSE_CODE.SUCCESS) throw this.queueError(reply, request, queue);
    return reply;
  }

  queueError(reply: RemotingCommand, request: RemotingRequest, queue: QueueRef, count = 1): BrokerResponseError | TopicNotFoundError {
    if (reply.code === RESPONSE_CODE.TOPIC_NOT_EXIST) {
      this.routes.invalidate(queue.topic);
      return new TopicNotFoundError(queue.topic);
    }
    if (reply.code === RESPONSE_CODE.SERVICE_NOT_AVAILABLE) this.routes.invalidate(queue.topic);
    if (isQueueRefused({ responseCode: reply.code, remark: reply.remark })) this.routes.invalidate(queue.topic);
    if (REPLICA_REFUSAL_REMARK.test(reply.remark)) this.routes.doubt(queue.topic);
    return responseError(reply, request, queue.brokerName, count);
  }

  /** For the answer of a broker that the route takes for the master and that is none any more. */
  notMasterError(reply: RemotingCommand, request: RemotingRequest, queue: QueueRef): BrokerResponseError {
    this.routes.invalidate(queue.topic);
    const remark = `${reply.remark}; a replica answered, the route of topic '${queue.topic}' is old`;
    return new BrokerResponseError(
      { request: requestName(request.code), address: queue.brokerName, responseCode: reply.code, remark },
      { retriable: true },
    );
  }

  /** Announces the client's groups first: some brokers reject pulls of outsiders. */
  #announce(connection: Connection, request: RemotingRequest, deadline: CallDeadline): Promise<void> | undefined {
    const group = request.code === REQUEST_CODE.PULL_MESSAGE ? request.ext['consumerGroup'] : undefined;
    return group === undefined ? undefined : this.members?.beforePull(connection, group, deadline);
  }

  #portFor(address: string, code: RequestCode): string {
    return this.isVipChannelUsed && !NOT_ON_SECOND_PORT.has(code) ? vipAddressOf(address) : address;
  }

  #invoke(address: string, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    return this.askSigned(() => this.pool.invoke(address, request, deadline), deadline);
  }

  async clusterInfo(deadline: CallDeadline): Promise<ClusterInfo> {
    const reply = await this.nameServers.ask({ code: REQUEST_CODE.GET_BROKER_CLUSTER_INFO, ext: {} }, deadline);
    return decodeClusterInfo(reply.body);
  }

  /** Returns the address of a broker's master. @throws BrokerNotFoundError */
  async masterAddress(brokerName: string, deadline: CallDeadline): Promise<string> {
    const [address = ''] = (await this.masters({ brokerName }, deadline)).values();
    return address;
  }

  /**
   * Masters by broker name: of all brokers, of one cluster, or one named broker.
   * @throws BrokerNotFoundError when there is none
   */
  async masters(
    which: { readonly brokerName?: string | undefined; readonly cluster?: string | undefined },
    deadline: CallDeadline,
  ): Promise<ReadonlyMap<string, string>> {
    const { brokers } = await this.clusterInfo(deadline);
    const masters = new Map<string, string>();
    for (const broker of brokers) {
      if (which.brokerName !== undefined && broker.brokerName !== which.brokerName) continue;
      if (which.cluster !== undefined && broker.cluster !== which.cluster) continue;
      if (broker.masterAddress !== undefined) masters.set(broker.brokerName, broker.masterAddress);
    }
    if (masters.size === 0) {
      throw new BrokerNotFoundError(
        which.brokerName ?? '*',
        brokers.map((broker) => broker.brokerName),
        which.cluster === undefined ? 'registered at the name servers' : `in cluster '${which.cluster}'`,
      );
    }
    return masters;
  }
}
