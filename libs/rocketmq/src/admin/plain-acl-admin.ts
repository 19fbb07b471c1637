import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallOptions } from '../connection/call-deadline.js';
import { InvalidArgumentError, UnsupportedByBrokerError } from '../errors.js';
import type { ExtFields, RemotingCommand } from '../wire/remoting-codec.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import type { TolerantMap } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readBoolean, readList, readText } from '../wire/tolerant-reader.js';

export type PlainAclPerm = 'DENY' | 'PUB' | 'SUB' | 'PUB|SUB';

/** An account of `plain_acl.yml`. */
export interface PlainAclAccount {
  readonly accessKey: string;
  /** A secret; only where it was asked for and the broker shows it. */
  readonly secretKey?: string;
  /** The one address or pattern (`192.168.1.*`) whose requests need no signature. */
  readonly whiteRemoteAddress?: string;
  /** Whether the account may do all, administration included. */
  readonly isAdmin: boolean;
  readonly defaultTopicPerm?: PlainAclPerm;
  readonly defaultGroupPerm?: PlainAclPerm;
  /** By topic. */
  readonly topicPerms: ReadonlyMap<string, PlainAclPerm>;
  /** By consumer group. */
  readonly groupPerms: ReadonlyMap<string, PlainAclPerm>;
}

/** Which brokers a call concerns. */
interface PlainAclTarget extends CallOptions {
  /** On this broker only. Default: all masters. */
  readonly brokerName?: string | undefined;
}

export interface PlainAclConfigOptions extends PlainAclTarget {
  /** Whether accounts come with their secret keys, which brokers show to admin accounts. Default false. */
  readonly areSecretKeysIncluded?: boolean;
}

export interface PutPlainAclAccountOptions extends PlainAclTarget {
  /** 7 characters or more. */
  readonly accessKey: string;
  /** 7 characters or more; brokers want it at every change. */
  readonly secretKey: string;
  /** Default: as it is. */
  readonly whiteRemoteAddress?: string;
  /** Default false, also when the account exists. */
  readonly isAdmin?: boolean;
  /** Default: as it is, `DENY` for a new account. */
  readonly defaultTopicPerm?: PlainAclPerm;
  /** Default: as it is, `DENY` for a new account. */
  readonly defaultGroupPerm?: PlainAclPerm;
  /** All of them. Default: as they are. */
  readonly topicPerms?: Readonly<Record<string, PlainAclPerm>>;
  /** All of them. Default: as they are. */
  readonly groupPerms?: Readonly<Record<string, PlainAclPerm>>;
}

export interface PlainAclConfig {
  /** Addresses or patterns whose requests need no signature. */
  readonly globalWhiteAddresses: readonly string[];
  readonly accounts: readonly PlainAclAccount[];
}

const MIN_KEY_CHARS = 7;
const PERMS: readonly string[] = ['DENY', 'PUB', 'SUB', 'PUB|SUB'];
const HINT =
  'plain ACL is in RocketMQ 4.4 to 5.3.2, its administration in 4.6 and later; brokers of ACL 2.0 (5.3.0 and later) are administered by client.acl';

/**
 * Administers accounts of plain ACL (RocketMQ's ACL 1.0, `plain_acl.yml`; brokers of 4.6 to 5.3.2 with
 * `aclEnable=true`). Each broker keeps accounts for itself, so a change goes to every master. A broker looks at its
 * file every half second, so a change takes a moment. Every call may throw UnsupportedByBrokerError for brokers without
 * plain ACL, the connection's errors, AuthenticationError, AuthorizationError (the caller must be an admin account) and
 * BrokerResponseError.
 */
export class PlainAclAdmin {
  constructor(private readonly cluster: ClusterAccess) {}

  /** Creates an account or changes one. @throws InvalidArgumentError */
  async putAccount(options: PutPlainAclAccountOptions): Promise<void> {
    const { accessKey, secretKey, whiteRemoteAddress, isAdmin = false, defaultTopicPerm, defaultGroupPerm } = options;
    checkKey('accessKey', accessKey);
    checkKey('secretKey', secretKey);
    checkPerm('defaultTopicPerm', defaultTopicPerm);
    checkPerm('defaultGroupPerm', defaultGroupPerm);
    const ext: Record<string, string> = { accessKey, secretKey, admin: String(isAdmin) };
    if (whiteRemoteAddress !== undefined) ext['whiteRemoteAddress'] = whiteRemoteAddress;
    if (defaultTopicPerm !== undefined) ext['defaultTopicPerm'] = defaultTopicPerm;
    if (defaultGroupPerm !== undefined) ext['defaultGroupPerm'] = defaultGroupPerm;
    if (options.topicPerms !== undefined) ext['topicPerms'] = encodePerms('topicPerms', options.topicPerms);
    if (options.groupPerms !== undefined) ext['groupPerms'] = encodePerms('groupPerms', options.groupPerms);
    await this.#askMasters(REQUEST_CODE.UPDATE_AND_CREATE_ACL_CONFIG, ext, options);
  }

  /** Deletes an account; one that a broker does not know is a BrokerResponseError. */
  async deleteAccount(accessKey: string, options?: PlainAclTarget): Promise<void> {
    checkKey('accessKey', accessKey);
    await this.#askMasters(REQUEST_CODE.DELETE_ACL_CONFIG, { accessKey }, options);
  }

  /** Sets the addresses and patterns whose requests need no signature, all of them at once. @throws InvalidArgumentError */
  async setGlobalWhiteAddresses(addresses: readonly string[], options?: CallOptions): Promise<void> {
    const wrong = addresses.find((address) => !/^[0-9a-fA-F.:*,{}-]+$/.test(address) || address.includes(','));
    if (wrong !== undefined || addresses.length === 0) {
      throw new InvalidArgumentError(
        `globalWhiteAddresses '${wrong ?? ''}': allowed are 1 or more addresses or patterns such as 10.10.15.*`,
      );
    }
    const ext = { globalWhiteAddrs: addresses.join(',') };
    await this.#askMasters(REQUEST_CODE.UPDATE_GLOBAL_WHITE_ADDRS_CONFIG, ext, options);
  }

  /**
   * Returns the version of the accounts by broker name; it changes with every change. A broker with `aclEnable=false` does not
   * answer: RequestTimeoutError.
   */
  async versions(options?: CallOptions): Promise<ReadonlyMap<string, string>> {
    const replies = await this.#askMasters(REQUEST_CODE.GET_BROKER_CLUSTER_ACL_INFO, {}, options);
    return new Map([...replies].map(([brokerName, reply]) => [brokerName, reply.ext['version'] ?? '']));
  }

  /** Returns what each broker allows, by broker name. RocketMQ 4.9.8 has no request for it: UnsupportedByBrokerError. */
  async config(options?: PlainAclConfigOptions): Promise<ReadonlyMap<string, PlainAclConfig>> {
    const replies = await this.#askMasters(REQUEST_CODE.GET_BROKER_CLUSTER_ACL_CONFIG, {}, options);
    return new Map([...replies].map(([brokerName, reply]) => [brokerName, decodeConfig(reply, options?.areSecretKeysIncluded === true)]));
  }

  async #askMasters(code: RequestCode, ext: ExtFields, options: PlainAclTarget | undefined): Promise<ReadonlyMap<string, RemotingCommand>> {
    const deadline = this.cluster.deadline(options);
    const masters = [...(await this.cluster.masters({ brokerName: options?.brokerName }, deadline))];
    const replies = await Promise.all(
      masters.map(async ([brokerName, address]): Promise<[string, RemotingCommand]> => {
        try {
          return [brokerName, await this.cluster.call(address, { code, ext }, deadline)];
        } catch (error) {
          if (error instanceof UnsupportedByBrokerError) throw new UnsupportedByBrokerError(error, HINT);
          throw error;
        }
      }),
    );
    return new Map(replies);
  }
}

function checkKey(field: string, key: string): void {
  const isAllowed = key.length >= MIN_KEY_CHARS && /^[\x21-\x7e]+$/.test(key);
  if (isAllowed) return;
  const given = field === 'secretKey' ? `of ${key.length} characters` : `'${key}'`;
  throw new InvalidArgumentError(`${field} ${given}: allowed are ${MIN_KEY_CHARS} or more visible ASCII characters`);
}

function checkPerm(field: string, perm: string | undefined): void {
  if (perm === undefined || PERMS.includes(perm)) return;
  throw new InvalidArgumentError(`${field} '${perm}': allowed are ${PERMS.join(', ')}`);
}

function encodePerms(field: string, perms: Readonly<Record<string, PlainAclPerm>>): string {
  return Object.entries(perms)
    .map(([name, perm]) => {
      if (!/^[%|a-zA-Z0-9_-]+$/.test(name)) {
        throw new InvalidArgumentError(`${field} of '${name}': allowed are names of [%|a-zA-Z0-9_-]`);
      }
      checkPerm(`${field}.${name}`, perm);
      return `${name}=${perm}`;
    })
    .join(',');
}

function decodeConfig(reply: RemotingCommand, areSecretKeysIncluded: boolean): PlainAclConfig {
  const root = readBodyMap(reply.body, 'plain ACL');
  const accounts = readList(root, 'plainAccessConfigs').map((item) => decodeAccount(asMap(item, 'account'), areSecretKeysIncluded));
  return {
    globalWhiteAddresses: readList(root, 'globalWhiteAddrs').filter((address) => typeof address === 'string'),
    accounts: accounts.sort((a, b) => (a.accessKey < b.accessKey ? -1 : 1)),
  };
}

function decodeAccount(account: TolerantMap, isSecretKeyIncluded: boolean): PlainAclAccount {
  const text = (field: string): string | undefined => {
    const value = account.get(field);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const perms = (field: string): ReadonlyMap<string, PlainAclPerm> =>
    new Map(
      readList(account, field).flatMap((item) => {
        const [name = '', perm] = typeof item === 'string' ? item.split('=') : [];
        const known = permOf(perm);
        return known === undefined ? [] : [[name, known]];
      }),
    );
  const secretKey = isSecretKeyIncluded ? text('secretKey') : undefined;
  const whiteRemoteAddress = text('whiteRemoteAddress');
  const defaultTopicPerm = permOf(text('defaultTopicPerm'));
  const defaultGroupPerm = permOf(text('defaultGroupPerm'));
  return {
    accessKey: readText(account, 'accessKey'),
    isAdmin: readBoolean(account, 'admin', false),
    topicPerms: perms('topicPerms'),
    groupPerms: perms('groupPerms'),
    ...(secretKey === undefined ? {} : { secretKey }),
    ...(whiteRemoteAddress === undefined ? {} : { whiteRemoteAddress }),
    ...(defaultTopicPerm === undefined ? {} : { defaultTopicPerm }),
    ...(defaultGroupPerm === undefined ? {} : { defaultGroupPerm }),
  };
}

/** Files written by hand also say `SUB|PUB` and have spaces; what is no permission denies. */
function permOf(text: string | undefined): PlainAclPerm | undefined {
  if (text === undefined) return undefined;
  const parts = text.split('|').map((part) => part.trim());
  const isPub = parts.includes('PUB');
  const isSub = parts.includes('SUB');
  if (isPub && isSub) return 'PUB|SUB';
  if (isPub) return 'PUB';
  return isSub ? 'SUB' : 'DENY';
}
