import { randomBytes } from 'node:crypto';
import {
  AuthenticationError,
  AuthorizationError,
  isRocketMqError,
  type RocketMqClient,
  TOPIC_PERM,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, RetriableError } from '@sluice/sdk';
import { pause } from '@sluice/time';

/** The topics whose names say which cluster it is begin with this; they are never copied. */
export const IDENTITY_PREFIX = 'sluice-identity-';

/** The time of its creation in milliseconds, and a random part, both in base 36. */
const NAME = /^sluice-identity-([0-9a-z]{9})([0-9a-z]{8})$/;
const TIME_DIGITS = 9;
const RANDOM_DIGITS = 8;

/** For the creation on one broker, in milliseconds: one that does not answer holds up nobody for longer. */
const BROKER_LIMIT_MS = 2_000;
/** From the look that found no identity to the end of a creation, in milliseconds: what took longer is undone. */
const CREATE_LIMIT_MS = 3_500;
/** Longer than a creation takes, by what clocks and name servers may differ: nobody creates a smaller name any more. */
const SETTLE_MS = 5_000;
const MAX_ROUNDS = 6;

export interface ClusterIdentityOptions {
  /** The name of the setting with the URL, for errors. */
  readonly setting: string;
  readonly signal: AbortSignal;
  /** Hears of brokers that lack the identity still. That changes nothing while another broker has it. */
  readonly warn?: (message: string) => void;
}

/** What the identity needs of a client. */
export interface IdentityClient {
  readonly admin: Pick<RocketMqClient['admin'], 'listTopics' | 'createTopic' | 'deleteTopic' | 'clusterInfo' | 'topicRoute'>;
}

/**
 * Finds out which cluster a client is connected to: the name of a topic that is created once, on every broker. Names of clusters and brokers may
 * be equal in two clusters, and addresses change. Brokers keep and register topics, so this outlives name servers.
 *
 * The name begins with the time of its creation: of several that were created at once the smallest is the identity, for everybody. Who finds one
 * that is new waits until nobody can be creating another. A broker that lacks the topic gets it, so that any broker alone shows the identity.
 *
 * @returns the name: letters, digits and "-", 33 characters
 * @throws ConnectError that says which permission is missing; a RetriableError where nobody can tell now; the signal's reason
 */
export async function clusterIdentity(client: IdentityClient, options: ClusterIdentityOptions): Promise<string> {
  const { setting, signal } = options;
  const settled = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const lookedAt = performance.now();
    const found = smallestOf(await explained(client.admin.listTopics({ signal }), options));
    if (found === undefined) {
      await create(client, lookedAt, options);
      continue;
    }
    const ageMs = Date.now() - Number.parseInt(NAME.exec(found)?.[1] ?? '0', 36);
    if (ageMs >= SETTLE_MS || settled.has(found)) {
      await spread(client, found, options);
      return found;
    }
    // Clocks differ: a name of the future is waited for once.
    await pause(Math.min(SETTLE_MS, SETTLE_MS - ageMs), signal);
    settled.add(found);
  }
  throw new RetriableError(`${setting}: the identity of the cluster is not settled yet`);
}

/**
 * Checks that a client is connected to the cluster that is expected. Positions belong to a cluster, and an address may lead to another one later.
 *
 * @throws ConnectError that names both; the errors of {@link clusterIdentity}
 */
export async function requireCluster(client: IdentityClient, identity: string, options: ClusterIdentityOptions): Promise<void> {
  const found = await clusterIdentity(client, options);
  if (found === identity) return;
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `${options.setting} leads to cluster ${found}; expected is ${identity}, with which the connector was divided. Give a connector of another cluster another name`,
  );
}

function smallestOf(topics: readonly string[]): string | undefined {
  let smallest: string | undefined;
  for (const topic of topics) if (NAME.test(topic) && (smallest === undefined || topic < smallest)) smallest = topic;
  return smallest;
}

async function create(client: IdentityClient, lookedAt: number, options: ClusterIdentityOptions): Promise<void> {
  const time = Date.now().toString(36).padStart(TIME_DIGITS, '0');
  const random = BigInt(`0x${randomBytes(8).toString('hex')}`)
    .toString(36)
    .padStart(RANDOM_DIGITS, '0')
    .slice(-RANDOM_DIGITS);
  const name = `${IDENTITY_PREFIX}${time}${random}`;
  await spread(client, name, options);
  if (performance.now() - lookedAt <= CREATE_LIMIT_MS) return;
  // Somebody may rely on a greater name already.
  await explained(client.admin.deleteTopic(name, { signal: options.signal }), options);
}

/** Creates the topic on each broker that lacks it. Rejects where no broker has it then. */
async function spread({ admin }: IdentityClient, topic: string, options: ClusterIdentityOptions): Promise<void> {
  const { setting, signal, warn } = options;
  const { brokers } = await explained(admin.clusterInfo({ signal }), options);
  const having = new Set((await explained(brokersOf(admin, topic, signal), options)).map(({ brokerName }) => brokerName));
  const lacking = brokers.filter(({ brokerName }) => !having.has(brokerName));
  const outcomes = await Promise.allSettled(
    lacking.map(async ({ brokerName, masterAddress }) => {
      if (masterAddress === undefined) throw new RetriableError(`${setting}: broker ${brokerName} has no master`);
      const wanted = { topic, brokerName, readQueues: 1, writeQueues: 1, perm: TOPIC_PERM.READ };
      await explained(admin.createTopic({ ...wanted, signal, timeoutMs: BROKER_LIMIT_MS }), options);
    }),
  );
  signal.throwIfAborted();
  const failures = outcomes.flatMap((outcome, at) =>
    outcome.status === 'fulfilled' ? [] : [{ brokerName: lacking[at]?.brokerName ?? '', reason: outcome.reason as Error }],
  );
  if (having.size === 0 && failures.length === lacking.length) {
    throw failures[0]?.reason ?? new RetriableError(`${setting}: the name servers know no broker`);
  }
  for (const { brokerName, reason } of failures)
    warn?.(`Broker ${brokerName} lacks topic ${topic}, the identity of its cluster: ${reason.message}`);
}

async function brokersOf(
  admin: IdentityClient['admin'],
  topic: string,
  signal: AbortSignal,
): Promise<readonly { readonly brokerName: string }[]> {
  try {
    return (await admin.topicRoute(topic, { signal })).brokers;
  } catch (error) {
    if (error instanceof TopicNotFoundError) return [];
    throw error;
  }
}

/** Makes an error of the client one that says what to do. */
async function explained<T>(answer: Promise<T>, { setting, signal }: ClusterIdentityOptions): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AuthorizationError) {
      const message =
        `${setting}: the cluster does not let this user create the topic that shows its identity. Allow the user the actions Create and Get on topics ` +
        `that begin with ${IDENTITY_PREFIX} (ACL 2.0), or make it an admin (plain ACL): ${error.message}`;
      throw new ConnectError(ConnectErrorCode.configInvalid, message, { cause: error });
    }
    if (error instanceof AuthenticationError) {
      throw new ConnectError(ConnectErrorCode.configInvalid, `${setting}: the cluster refuses the keys: ${error.message}`, {
        cause: error,
      });
    }
    if (!isRocketMqError(error)) throw error;
    throw new RetriableError(`${setting}: ${error.message}`, { cause: error });
  }
}
