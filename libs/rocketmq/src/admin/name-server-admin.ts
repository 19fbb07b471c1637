import { BrokerResponseError } from '../errors.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import { responseError } from '../routing/response-error.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { readBodyMap, readExtInteger, readMap } from '../wire/tolerant-reader.js';
import { checkSettingsKnown } from './broker-config.js';
import { checkNotEmpty } from '../routing/check-argument.js';
import { formatSettings, parseSettings } from './properties-text.js';

/** One entry of the name servers' small store; brokers read the namespace `ORDER_TOPIC_CONFIG`. */
export interface KvKey {
  readonly namespace: string;
  readonly key: string;
}

/**
 * Administers the name servers: their settings, their key-value store and what they know of brokers. They do not know of
 * each other, so a change goes to every one that the client was given. It fails when one of them does not answer. Every
 * call may throw the connection's errors and BrokerResponseError.
 */
export class NameServerAdmin {
  constructor(private readonly cluster: ClusterAccess) {}

  /** `host:port` of each, as the client was given them. */
  get addresses(): readonly string[] {
    return this.cluster.nameServers.addresses;
  }

  /** Returns the settings of each name server by its address. */
  async config(options?: CallOptions): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    return this.#config(this.cluster.deadline(options));
  }

  /**
   * Changes settings of every name server, in use and in its file.
   * @throws InvalidArgumentError also for a setting that one of them does not have; BrokerResponseError for one that they
   * let nobody change
   */
  async updateConfig(settings: Readonly<Record<string, string>>, options?: CallOptions): Promise<void> {
    const body = formatSettings(settings);
    const deadline = this.cluster.deadline(options);
    for (const [address, known] of await this.#config(deadline)) checkSettingsKnown(settings, known, address);
    await this.#tellAll({ code: REQUEST_CODE.UPDATE_NAMESRV_CONFIG, ext: {}, body }, deadline);
  }

  async putKv({ namespace, key, value }: KvKey & { readonly value: string }, options?: CallOptions): Promise<void> {
    checkKvKey({ namespace, key });
    checkNotEmpty('value', value);
    const request = { code: REQUEST_CODE.PUT_KV_CONFIG, ext: { namespace, key, value } };
    await this.#tellAll(request, this.cluster.deadline(options));
  }

  /** From the first name server that has it; undefined when none has. */
  async getKv({ namespace, key }: KvKey, options?: CallOptions): Promise<string | undefined> {
    checkKvKey({ namespace, key });
    const request = { code: REQUEST_CODE.GET_KV_CONFIG, ext: { namespace, key } };
    return (await this.#askForEntry(request, this.cluster.deadline(options)))?.ext['value'];
  }

  /** A key that is not there is no error. */
  async deleteKv({ namespace, key }: KvKey, options?: CallOptions): Promise<void> {
    checkKvKey({ namespace, key });
    const request = { code: REQUEST_CODE.DELETE_KV_CONFIG, ext: { namespace, key } };
    await this.#tellAll(request, this.cluster.deadline(options));
  }

  /** Returns all keys with their values, from the first name server that has the namespace. */
  async listKv(namespace: string, options?: CallOptions): Promise<ReadonlyMap<string, string>> {
    checkNotEmpty('namespace', namespace);
    const request = { code: REQUEST_CODE.GET_KVLIST_BY_NAMESPACE, ext: { namespace } };
    const reply = await this.#askForEntry(request, this.cluster.deadline(options));
    const entries = new Map<string, string>();
    if (reply === undefined) return entries;
    for (const [key, value] of readMap(readBodyMap(reply.body, 'entries'), 'table')) {
      if (typeof key === 'string' && typeof value === 'string') entries.set(key, value);
    }
    return entries;
  }

  /**
   * Takes a broker's write permission from the routes, so that producers stop sending before the broker goes out of service.
   * The change lasts until `addWritePerm`, or until the broker registers a topic again, as at its start.
   * @returns the number of topics changed, by name server @throws BrokerNotFoundError
   */
  async wipeWritePerm(brokerName: string, options?: CallOptions): Promise<ReadonlyMap<string, number>> {
    return this.#changeWritePerm(REQUEST_CODE.WIPE_WRITE_PERM_OF_BROKER, brokerName, 'wipeTopicCount', options);
  }

  /**
   * Undoes `wipeWritePerm`: all of the broker's topics become readable and writable, also those that were not before. Name
   * servers have it from RocketMQ 4.9.3 on, older ones are an UnsupportedByBrokerError.
   * @returns the number of topics changed, by name server @throws BrokerNotFoundError
   */
  async addWritePerm(brokerName: string, options?: CallOptions): Promise<ReadonlyMap<string, number>> {
    return this.#changeWritePerm(REQUEST_CODE.ADD_WRITE_PERM_OF_BROKER, brokerName, 'addTopicCount', options);
  }

  async #changeWritePerm(
    code: RequestCode,
    brokerName: string,
    countField: string,
    options: CallOptions | undefined,
  ): Promise<ReadonlyMap<string, number>> {
    const deadline = this.cluster.deadline(options);
    await this.cluster.masters({ brokerName }, deadline);
    const replies = await this.#tellAll({ code, ext: { brokerName } }, deadline);
    return new Map([...replies].map(([address, reply]) => [address, readExtInteger(reply.ext, countField)]));
  }

  async #config(deadline: CallDeadline): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    const replies = await this.#tellAll({ code: REQUEST_CODE.GET_NAMESRV_CONFIG, ext: {} }, deadline);
    return new Map([...replies].map(([address, reply]) => [address, parseSettings(reply.body.toString('utf8'))]));
  }

  async #askForEntry(request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand | undefined> {
    try {
      return await this.cluster.nameServers.ask(request, deadline);
    } catch (error) {
      const isAbsent = error instanceof BrokerResponseError && error.responseCode === RESPONSE_CODE.QUERY_NOT_FOUND;
      if (isAbsent) return undefined;
      throw error;
    }
  }

  /** Replies by address; rejects with the first failure after all have ended. */
  async #tellAll(request: RemotingRequest, deadline: CallDeadline): Promise<ReadonlyMap<string, RemotingCommand>> {
    const results = await Promise.allSettled(
      this.addresses.map(async (address): Promise<[string, RemotingCommand]> => {
        const reply = await this.cluster.pool.invoke(address, request, deadline);
        if (reply.code !== RESPONSE_CODE.SUCCESS) throw responseError(reply, request, address);
        return [address, reply];
      }),
    );
    const replies = new Map<string, RemotingCommand>();
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      replies.set(...result.value);
    }
    return replies;
  }
}

function checkKvKey({ namespace, key }: KvKey): void {
  checkNotEmpty('namespace', namespace);
  checkNotEmpty('key', key);
}
