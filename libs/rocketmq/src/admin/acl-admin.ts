import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import { BrokerResponseError, MalformedDataError, UnsupportedByBrokerError } from '../errors.js';
import type { ExtFields, RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { parseTolerantJson, type TolerantMap, type TolerantValue } from '../wire/tolerant-json.js';
import { asMap, readBodyMap, readList, readText } from '../wire/tolerant-reader.js';

const HINT = 'ACL 2.0 is in RocketMQ 5.3.0 and later; older brokers have plain ACL, administered by client.plainAcl';
/** Brokers have no code of its own for it. */
const NOT_THERE_REMARK = /^The (subject|policy|acl) is not exist/;

export type AclUserType = 'Super' | 'Normal';
export type AclAction = 'All' | 'Pub' | 'Sub' | 'Create' | 'Update' | 'Delete' | 'Get' | 'List';

export interface AclUser {
  readonly username: string;
  readonly userType: AclUserType;
  readonly isEnabled: boolean;
  /** A secret; only where it was asked for and the broker shows it. */
  readonly password?: string;
}

/** Which brokers a call concerns. */
interface AclTarget extends CallOptions {
  /** On this broker only. Default: all masters. */
  readonly brokerName?: string | undefined;
}

export interface ListAclUsersOptions extends AclTarget {
  readonly filter?: string;
  /** Whether users come with their passwords, which brokers show to super users. Default false. */
  readonly arePasswordsIncluded?: boolean;
}

export interface CreateAclUserOptions extends AclTarget {
  /** The access key of the user's requests. */
  readonly username: string;
  /** The secret key of the user's requests. */
  readonly password: string;
  /** `Super` users need no rules. Default `Normal`. */
  readonly userType?: AclUserType;
}

/** What is not given stays as it is. */
export interface UpdateAclUserOptions extends AclTarget {
  readonly username: string;
  readonly password?: string;
  readonly userType?: AclUserType;
  readonly isEnabled?: boolean;
}

export interface AclRule {
  /** `Topic:name`, `Group:name`, `Cluster:name`; a name may be `*` or end with it. */
  readonly resource: string;
  readonly actions: readonly AclAction[];
  /** Addresses or networks (`10.0.0.0/8`) of the clients. Default: all. */
  readonly sourceIps?: readonly string[];
  readonly decision: 'Allow' | 'Deny';
  /** Whether it holds only where no other rule of the subject does, as policies of the type `Default`. Default false. */
  readonly isDefault?: boolean;
}

/** The rules of one subject, `User:<username>`. */
export interface Acl {
  readonly subject: string;
  readonly rules: readonly AclRule[];
}

/**
 * Users and rules of ACL 2.0 (RocketMQ 5.3.0 and later). Brokers keep them each for itself, so changes go to every master.
 * Every call may throw UnsupportedByBrokerError for older brokers, the connection's errors, AuthenticationError, AuthorizationError (the caller must be a super user) and BrokerResponseError.
 */
export class AclAdmin {
  constructor(private readonly cluster: ClusterAccess) {}

  /** Creates a user. On a master that has the user already: BrokerResponseError. */
  async createUser(options: CreateAclUserOptions): Promise<void> {
    const { username, password, userType = 'Normal' } = options;
    await this.#askMasters(REQUEST_CODE.AUTH_CREATE_USER, { username }, { username, password, userType }, options);
  }

  async updateUser(options: UpdateAclUserOptions): Promise<void> {
    const { username, password, userType, isEnabled } = options;
    const userStatus = isEnabled === undefined ? undefined : isEnabled ? 'enable' : 'disable';
    const body = { username, password, userType, userStatus };
    await this.#askMasters(REQUEST_CODE.AUTH_UPDATE_USER, { username }, body, options);
  }

  /** Deletes a user; one that does not exist is no error. */
  async deleteUser(username: string, options?: AclTarget): Promise<void> {
    await this.#askMasters(REQUEST_CODE.AUTH_DELETE_USER, { username }, undefined, options);
  }

  /** Returns users that any master knows, sorted by name; of one that several know, the first master's. */
  async listUsers(options?: ListAclUsersOptions): Promise<AclUser[]> {
    const ext: Record<string, string> = options?.filter === undefined ? {} : { filter: options.filter };
    const users = new Map<string, AclUser>();
    for (const reply of await this.#askMasters(REQUEST_CODE.AUTH_LIST_USER, ext, undefined, options)) {
      for (const item of bodyList(reply, 'users')) {
        const user = decodeUser(asMap(item, 'user'), options?.arePasswordsIncluded === true);
        if (!users.has(user.username)) users.set(user.username, user);
      }
    }
    return [...users.values()].sort((a, b) => (a.username < b.username ? -1 : 1));
  }

  /** Returns a user as the first master knows it that has it, without the password; undefined when none has. */
  async getUser(username: string, options?: CallOptions): Promise<AclUser | undefined> {
    const replies = await this.#askMasters(REQUEST_CODE.AUTH_GET_USER, { username }, undefined, options);
    const found = replies.find((reply) => reply.body.length > 0);
    return found === undefined ? undefined : decodeUser(readBodyMap(found.body, 'user'), false);
  }

  /** Adds rules to a subject; a rule for the same resource is replaced. The user must exist. */
  async createAcl({ subject, rules, ...options }: Acl & AclTarget): Promise<void> {
    await this.#askMasters(REQUEST_CODE.AUTH_CREATE_ACL, { subject }, encodeAcl({ subject, rules }), options);
  }

  /** Replaces the rules for the same resources and adds the others; the subject must have rules already. */
  async updateAcl({ subject, rules, ...options }: Acl & AclTarget): Promise<void> {
    await this.#askMasters(REQUEST_CODE.AUTH_UPDATE_ACL, { subject }, encodeAcl({ subject, rules }), options);
  }

  /** Returns the rules of a subject on the first master that has any; undefined when none has. */
  async getAcl(subject: string, options?: CallOptions): Promise<Acl | undefined> {
    const deadline = this.cluster.deadline(options);
    const masters = await this.cluster.masters({}, deadline);
    const request = { code: REQUEST_CODE.AUTH_GET_ACL, ext: { subject } };
    const acls = await Promise.all(
      [...masters.values()].map(async (address) => {
        try {
          const reply = await this.#ask(address, request, deadline);
          return reply.body.length === 0 ? undefined : decodeAcl(readBodyMap(reply.body, 'subject with rules'));
        } catch (error) {
          if (isNotThere(error)) return undefined;
          throw error;
        }
      }),
    );
    return acls.find((acl) => acl !== undefined);
  }

  /** Deletes the rule for one resource, or all rules of the subject but those with `isDefault`; what does not exist is no error. */
  async deleteAcl(
    options: AclTarget & { readonly subject: string; readonly resource?: string; readonly isDefault?: boolean },
  ): Promise<void> {
    const { subject, resource, isDefault } = options;
    const ext = { subject, policyType: policyTypeOf(isDefault), ...(resource === undefined ? {} : { resource }) };
    try {
      await this.#askMasters(REQUEST_CODE.AUTH_DELETE_ACL, ext, undefined, options);
    } catch (error) {
      if (!isNotThere(error)) throw error;
    }
  }

  /** Rules that any master knows, by subject, sorted; of a subject that several know, the first master's. */
  async listAcls(options?: AclTarget & { readonly subjectFilter?: string; readonly resourceFilter?: string }): Promise<Acl[]> {
    const ext: Record<string, string> = {};
    if (options?.subjectFilter !== undefined) ext['subjectFilter'] = options.subjectFilter;
    if (options?.resourceFilter !== undefined) ext['resourceFilter'] = options.resourceFilter;
    const acls = new Map<string, Acl>();
    for (const reply of await this.#askMasters(REQUEST_CODE.AUTH_LIST_ACL, ext, undefined, options)) {
      for (const item of bodyList(reply, 'rules')) {
        const acl = decodeAcl(asMap(item, 'subject with rules'));
        if (!acls.has(acl.subject)) acls.set(acl.subject, acl);
      }
    }
    return [...acls.values()].sort((a, b) => (a.subject < b.subject ? -1 : 1));
  }

  async #askMasters(
    code: RequestCode,
    ext: ExtFields,
    content: object | undefined,
    options: AclTarget | undefined,
  ): Promise<RemotingCommand[]> {
    const deadline = this.cluster.deadline(options);
    const masters = await this.cluster.masters({ brokerName: options?.brokerName }, deadline);
    const body = content === undefined ? {} : { body: Buffer.from(JSON.stringify(content)) };
    const request = { code, ext, ...body };
    return Promise.all([...masters.values()].map((address) => this.#ask(address, request, deadline)));
  }

  async #ask(address: string, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    try {
      return await this.cluster.call(address, request, deadline);
    } catch (error) {
      if (error instanceof UnsupportedByBrokerError) throw new UnsupportedByBrokerError(error, HINT);
      throw error;
    }
  }
}

function isNotThere(error: unknown): boolean {
  return error instanceof BrokerResponseError && NOT_THERE_REMARK.test(error.remark);
}

function bodyList(reply: RemotingCommand, what: string): readonly TolerantValue[] {
  if (reply.body.length === 0) return [];
  const list = parseTolerantJson(reply.body.toString('utf8'));
  if (Array.isArray(list)) return list as readonly TolerantValue[];
  throw new MalformedDataError('server answer', `${what} are not a list`);
}

function decodeUser(user: TolerantMap, isPasswordIncluded: boolean): AclUser {
  const password = isPasswordIncluded ? user.get('password') : undefined;
  return {
    username: readText(user, 'username'),
    userType: readText(user, 'userType') === 'Super' ? 'Super' : 'Normal',
    isEnabled: user.get('userStatus') !== 'disable',
    ...(typeof password === 'string' && password !== '' ? { password } : {}),
  };
}

function encodeAcl({ subject, rules }: Acl): object {
  const policies = [false, true].flatMap((isDefault) => {
    const entries = rules
      .filter((rule) => (rule.isDefault ?? false) === isDefault)
      .map(({ resource, actions, sourceIps = [], decision }) => ({ resource, actions, sourceIps, decision }));
    return entries.length === 0 ? [] : [{ policyType: policyTypeOf(isDefault), entries }];
  });
  return { subject, policies };
}

function policyTypeOf(isDefault = false): string {
  return isDefault ? 'Default' : 'Custom';
}

function decodeAcl(acl: TolerantMap): Acl {
  const policies = readList(acl, 'policies').map((policy) => asMap(policy, 'policy'));
  const rules = policies.flatMap((policy) => {
    const isDefault = policy.get('policyType') === 'Default';
    return readList(policy, 'entries').map((e) => ({ ...decodeRule(asMap(e, 'rule')), ...(isDefault ? { isDefault } : {}) }));
  });
  return { subject: readText(acl, 'subject'), rules };
}

function decodeRule(entry: TolerantMap): AclRule {
  const texts = (field: string): string[] => readList(entry, field).filter((item) => typeof item === 'string');
  return {
    resource: readText(entry, 'resource'),
    actions: texts('actions') as AclAction[],
    sourceIps: texts('sourceIps'),
    decision: readText(entry, 'decision') === 'Allow' ? 'Allow' : 'Deny',
  };
}
