import {
  HiddenText,
  type AccountShape,
  type GroupsOfBroker,
  type RuleShape,
  type TopicsOfBroker,
  type UserShape,
} from '@sluice/replication';
import {
  type AclRule,
  AuthenticationError,
  AuthorizationError,
  isRocketMqError,
  type PlainAclAccount,
  type RocketMqClient,
  TopicNotFoundError,
  UnsupportedByBrokerError,
} from '@sluice/rocketmq';
import type { FlowCluster } from '../flow/flow-clusters.js';
import type { SyncSettings } from './sync-settings.js';

/** A broker that answers nothing for longer is treated as unavailable in this round. */
const CALL_LIMIT_MS = 5_000;
const DEFAULT_RULE = 'default ';

/** The users of one broker: of ACL 2.0, or the accounts of plain ACL. */
export type AclView =
  | { readonly kind: 'users'; readonly users: ReadonlyMap<string, UserShape> }
  | { readonly kind: 'accounts'; readonly accounts: ReadonlyMap<string, AccountShape> };

/** What the brokers of a cluster said in one round. */
export interface ClusterView {
  /** All brokers that the name servers know, sorted. */
  readonly names: readonly string[];
  readonly topics: ReadonlyMap<string, TopicsOfBroker>;
  readonly groups: ReadonlyMap<string, GroupsOfBroker>;
  readonly acl: ReadonlyMap<string, AclView>;
  /** Why a part of a broker could not be read, by the broker's name and the part. */
  readonly problems: ReadonlyMap<string, string>;
}

type Part = 'topics' | 'groups' | 'access control';

/**
 * Reads topics, groups and users of each broker of a cluster. A broker that does not answer is named in `problems`; the others count.
 * @throws the client's errors where the name servers do not answer, and the signal's reason
 */
export async function readCluster(client: RocketMqClient, settings: SyncSettings, signal: AbortSignal): Promise<ClusterView> {
  const { brokers } = await client.admin.clusterInfo({ signal });
  const names = brokers.map(({ brokerName }) => brokerName).sort();
  const problems = new Map<string, string>();
  const topics = new Map<string, TopicsOfBroker>();
  const groups = new Map<string, GroupsOfBroker>();
  const acl = new Map<string, AclView>();
  await Promise.all(
    names.map(async (brokerName) => {
      const options = { signal, timeoutMs: CALL_LIMIT_MS };
      const read = async <T>(part: Part, into: Map<string, T>, get: () => Promise<T>): Promise<void> => {
        try {
          into.set(brokerName, await get());
        } catch (error) {
          signal.throwIfAborted();
          if (!isRocketMqError(error)) throw error;
          problems.set(`${part} of ${brokerName}`, explain(part, error));
        }
      };
      if (settings.areTopicsSynced) await read('topics', topics, () => client.admin.topicTable(brokerName, options));
      if (settings.areGroupsSynced) await read('groups', groups, () => client.admin.groupTable(brokerName, options));
      if (settings.isAclSynced) await read('access control', acl, () => readAcl(client, brokerName, options));
    }),
  );
  return { names, topics, groups, acl, problems };
}

/**
 * Returns the brokers that have the identity of their cluster. One that was set up again in place of another has the same name, and nothing else.
 * @throws the client's errors, and the signal's reason
 */
export async function provenBrokers({ client, identity }: FlowCluster, signal: AbortSignal): Promise<ReadonlySet<string>> {
  try {
    return new Set((await client.admin.topicRoute(identity, { signal })).brokers.map(({ brokerName }) => brokerName));
  } catch (error) {
    if (error instanceof TopicNotFoundError) return new Set();
    throw error;
  }
}

/** Returns an error of the client as text that says which permission is missing, where one is. */
export function explain(what: string, error: Error): string {
  if (error instanceof AuthorizationError) {
    return `the cluster does not let this user at ${what}; make it a super user (ACL 2.0) or an admin account (plain ACL): ${error.message}`;
  }
  if (error instanceof AuthenticationError) return `the cluster refuses the keys: ${error.message}`;
  return error.message;
}

interface ReadOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

async function readAcl(client: RocketMqClient, brokerName: string, options: ReadOptions): Promise<AclView> {
  try {
    const [users, acls] = await Promise.all([
      client.acl.listUsers({ ...options, brokerName, arePasswordsIncluded: true }),
      client.acl.listAcls({ ...options, brokerName }),
    ]);
    const rulesOf = new Map(acls.map(({ subject, rules }) => [subject, rules]));
    return {
      kind: 'users',
      users: new Map(
        users.map(({ username, userType, isEnabled, password }) => [
          username,
          { userType, isEnabled, password: hidden(password), rules: rulesByResource(rulesOf.get(`User:${username}`) ?? []) },
        ]),
      ),
    };
  } catch (error) {
    if (!(error instanceof UnsupportedByBrokerError)) throw error;
  }
  const configs = await client.plainAcl.config({ ...options, brokerName, areSecretKeysIncluded: true });
  const accounts = configs.get(brokerName)?.accounts ?? [];
  return { kind: 'accounts', accounts: new Map(accounts.map((account) => [account.accessKey, accountOf(account)])) };
}

function hidden(text: string | undefined): HiddenText | undefined {
  return text === undefined ? undefined : new HiddenText(text);
}

function rulesByResource(rules: readonly AclRule[]): ReadonlyMap<string, RuleShape> {
  return new Map(
    rules.map(({ resource, actions, sourceIps = [], decision, isDefault = false }) => [
      `${isDefault ? DEFAULT_RULE : ''}${resource}`,
      { actions, sourceIps, decision },
    ]),
  );
}

/** Returns a rule as brokers take it. */
export function ruleOf(key: string, { actions, sourceIps, decision }: RuleShape): AclRule {
  const { resource, isDefault } = resourceOf(key);
  return { resource, actions: actions as AclRule['actions'], sourceIps, decision, isDefault };
}

/** Returns the resource that a key of rules names. */
export function resourceOf(key: string): { readonly resource: string; readonly isDefault: boolean } {
  const isDefault = key.startsWith(DEFAULT_RULE);
  return { resource: isDefault ? key.slice(DEFAULT_RULE.length) : key, isDefault };
}

function accountOf(account: PlainAclAccount): AccountShape {
  const { secretKey, whiteRemoteAddress, isAdmin, defaultTopicPerm = 'DENY', defaultGroupPerm = 'DENY', topicPerms, groupPerms } = account;
  return { secretKey: hidden(secretKey), whiteRemoteAddress, isAdmin, defaultTopicPerm, defaultGroupPerm, topicPerms, groupPerms };
}
