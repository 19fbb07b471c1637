import { randomUUID } from 'node:crypto';
import { pause, retry } from '@sluice/time';
import type { LogEvent } from '@sluice/core';
import { encodeLogEntry, readerGroupOf, topicsOf, type TopicDefinition } from '@sluice/protocol';
import { isRetriableRocketMqError, type RocketMqClient } from '@sluice/rocketmq';
import { surveyCluster, type ClusterSurvey } from './cluster-survey.js';
import { InitError, planInit, type InitPurpose } from './init-plan.js';

export interface InitOptions {
  readonly clusterId: string;
  readonly purpose: InitPurpose;
  /** The broker that gets the topics of a new cluster, and must have those of one that exists. */
  readonly brokerName?: string;
  /** One client for each name server: nothing may be made that one of them knows. By default the one client is asked. */
  readonly nameServers?: readonly RocketMqClient[];
  /** Receives warnings: of name servers that do not answer, since what only they know was not looked at; of the broker that is waited for. */
  readonly warn?: (text: string) => void;
  /** Directory of a node that has worked with a log of this cluster: then no other is made. */
  readonly knownIn?: string;
  /** How long to wait for a broker to register, and for servers that do not answer, in milliseconds. Default 30 s. */
  readonly brokerWaitMs?: number;
}

export interface InitResult {
  readonly brokerName: string;
  /** Names of the topics that were not there before. */
  readonly created: readonly string[];
}

const DEFAULT_BROKER_WAIT_MS = 30_000;
const REGISTRATION_POLL_MS = 50;
const retryLimits = { initialMs: 500, maxMs: 500 } as const;

/**
 * Looks for a Connect cluster, or creates one where nothing of it exists anywhere. Creates its topics, all on one broker, and the first entry of
 * its log. Changes nothing where they exist.
 *
 * @throws InitError where the cluster is not there and may not be made: a second log would split it.
 */
export async function initCluster(client: RocketMqClient, options: InitOptions): Promise<InitResult> {
  const { clusterId, purpose, brokerName: wanted, nameServers = [client], knownIn } = options;
  const { brokerWaitMs = DEFAULT_BROKER_WAIT_MS } = options;
  const topics = topicsOf(clusterId);
  // The topics of a broker are known once it has registered, not before.
  const deadline = AbortSignal.timeout(brokerWaitMs);
  let registered = await untilRegistered(client, undefined, deadline);
  const look = async (): Promise<ClusterSurvey> => surveyCluster(await answering(nameServers, options.warn), topics);
  let survey = await untilUp(look, deadline);
  if (wanted !== undefined && !registered.includes(wanted) && !isElsewhere(survey, wanted)) {
    options.warn?.(`Waiting for broker ${wanted}; registered are ${registered.join(', ')}`);
    registered = await untilRegistered(client, wanted, deadline);
    survey = await untilUp(look, deadline);
  }
  const group = readerGroupOf(clusterId);
  const readerGroup = (await client.admin.groupExists(group)) ? group : undefined;
  const request = { clusterId, purpose, brokerName: wanted, registered, readerGroup, knownIn };
  const plan = planInit(survey, topics, request);
  const { brokerName, beginsLog } = plan;
  const created = purpose === 'check' ? [] : await createTopics(client, clusterId, brokerName, plan.missing);
  if (beginsLog) {
    const event: LogEvent = { kind: 'genesis', broker: brokerName };
    const logId = randomUUID();
    const { body } = encodeLogEntry({ logId, epoch: 0, claimId: logId, seq: 0, prevDigest: '', at: Date.now(), event });
    await client.producer.send({ topic: topics.log.name, brokerName, queueId: 0 }, { body });
  }
  return { brokerName, created };
}

/** Topics of the cluster are there, and none on this broker: waiting for it changes nothing. */
function isElsewhere(survey: ClusterSurvey, wanted: string): boolean {
  return survey.size > 0 && [...survey.values()].every(({ brokers }) => !brokers.includes(wanted));
}

/** Creates those of a cluster's topics that are missing, and the group of their readers. Returns their names. */
export async function createTopics(
  client: RocketMqClient,
  clusterId: string,
  brokerName: string,
  missing: readonly string[],
): Promise<readonly string[]> {
  for (const { name, queues } of Object.values(topicsOf(clusterId)) as TopicDefinition[]) {
    if (!missing.includes(name)) continue;
    await client.admin.createTopic({ topic: name, readQueues: queues, writeQueues: queues, brokerName });
  }
  // Brokers that create no groups by themselves refuse a pull of one that they do not know.
  await client.admin.createGroup({ group: readerGroupOf(clusterId) });
  return missing;
}

/**
 * Waits for a broker to register with its master; for any where none is named. Returns the names of all that have.
 * @throws InitError when it does not in time.
 */
async function untilRegistered(client: RocketMqClient, wanted: string | undefined, deadline: AbortSignal): Promise<readonly string[]> {
  for (;;) {
    const names = await untilUp(() => masterNames(client), deadline);
    if (wanted === undefined ? names.length > 0 : names.includes(wanted)) return names;
    if (deadline.aborted) {
      const found = `there are: ${names.join(', ') || 'none'}`;
      throw new InitError(
        wanted === undefined
          ? 'No broker has registered a master with the name servers'
          : `Broker "${wanted}" has registered no master with the name servers; ${found}`,
      );
    }
    await pause(REGISTRATION_POLL_MS, deadline);
  }
}

/** Those of the name servers that answer. @throws RocketMqError when none does. */
async function answering(nameServers: readonly RocketMqClient[], warn: InitOptions['warn']): Promise<readonly RocketMqClient[]> {
  const answers = await Promise.allSettled(nameServers.map((client) => client.admin.clusterInfo()));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
  if (failures.length === answers.length && failures[0] !== undefined) throw failures[0];
  for (const { message } of failures) {
    warn?.(`A name server does not answer, so topics that only it knows were not looked for: ${message}`);
  }
  return nameServers.filter((_, index) => answers[index]?.status === 'fulfilled');
}

/** Asks again while a server is starting or unavailable, until the deadline. */
function untilUp<T>(ask: () => Promise<T>, deadline: AbortSignal): Promise<T> {
  return retry(ask, { limits: retryLimits, signal: deadline, mayRetry: isRetriableRocketMqError });
}

/** Brokers that have registered with their master. */
export async function masterNames(client: RocketMqClient): Promise<readonly string[]> {
  const { brokers } = await client.admin.clusterInfo();
  return brokers.flatMap((broker) => (broker.masterAddress === undefined ? [] : [broker.brokerName]));
}
