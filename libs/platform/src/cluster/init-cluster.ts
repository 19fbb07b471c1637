import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogEvent } from '@sluice/core';
import { encodeLogEntry, readerGroupOf, topicsOf, type ClusterTopics, type TopicDefinition } from '@sluice/protocol';
import { TopicNotFoundError, type RocketMqClient } from '@sluice/rocketmq';

export interface InitOptions {
  readonly clusterId: string;
  /** The broker that holds the log; by default the first one by name. */
  readonly brokerName?: string;
  /** How long to wait for a broker to appear at the name servers, in milliseconds. Default 30 s. */
  readonly brokerWaitMs?: number;
}

export interface InitResult {
  readonly brokerName: string;
  /** Names of the topics that were not there before. */
  readonly created: readonly string[];
}

const brokerWaitMs = 30_000;
const registrationTimeoutMs = 10_000;
const registrationPollMs = 50;

/** Thrown when the cluster cannot be set up as asked. */
export class InitError extends Error {
  override readonly name = 'InitError';
}

/**
 * Creates the topics of a Connect cluster, all on one broker, and the first entry of its log. Does nothing where they are there.
 *
 * @throws InitError, also where the topic of the log alone is gone: an empty one would make a second cluster.
 */
export async function initCluster(client: RocketMqClient, options: InitOptions): Promise<InitResult> {
  const topics = topicsOf(options.clusterId);
  const logBroker = await brokerOf(client, topics.log.name);
  const orphan = logBroker === undefined ? await firstThere(client, topics) : undefined;
  if (orphan !== undefined) {
    throw new InitError(
      `Topic ${topics.log.name} is gone, though ${orphan.topic} is there: the log of this Connect cluster was lost. Run \`sluice restore\` ` +
        'with the files of a node, or delete all of its topics to begin anew',
    );
  }
  const brokerName = logBroker ?? (await chooseBroker(client, options));
  const created = await createTopics(client, options, brokerName);
  const log = { topic: topics.log.name, brokerName, queueId: 0 };
  if ((await client.admin.maxOffset(log)) === 0) {
    const event: LogEvent = { kind: 'genesis', broker: brokerName };
    const logId = randomUUID();
    const { body } = encodeLogEntry({ logId, epoch: 0, claimId: logId, seq: 0, prevDigest: '', at: Date.now(), event });
    await client.producer.send(log, { body });
  }
  return { brokerName, created };
}

/** Creates the topics that are missing, and the group of their readers. Returns the names of those that were not there before. */
export async function createTopics(
  client: RocketMqClient,
  { clusterId, brokerName: wanted }: InitOptions,
  brokerName: string,
): Promise<readonly string[]> {
  if (wanted !== undefined && wanted !== brokerName) {
    throw new InitError(`The log is on broker ${brokerName}; --broker ${wanted} cannot move it`);
  }
  const created: string[] = [];
  for (const topic of Object.values(topicsOf(clusterId)) as TopicDefinition[]) {
    if ((await brokerOf(client, topic.name)) !== undefined) continue;
    await client.admin.createTopic({
      topic: topic.name,
      readQueues: topic.queues,
      writeQueues: topic.queues,
      brokerName,
    });
    created.push(topic.name);
  }
  await Promise.all(created.map((topic) => untilRouted(client, topic)));
  // Brokers that create no groups by themselves refuse a pull of one that they do not know.
  await client.admin.createGroup({ group: readerGroupOf(clusterId) });
  return created;
}

/** One of the cluster's topics that is there, and its broker. */
export async function firstThere(
  client: RocketMqClient,
  topics: ClusterTopics,
): Promise<{ readonly topic: string; readonly brokerName: string } | undefined> {
  for (const { name } of Object.values(topics) as TopicDefinition[]) {
    const brokerName = await brokerOf(client, name);
    if (brokerName !== undefined) return { topic: name, brokerName };
  }
  return undefined;
}

/** The name servers learn of a new topic with the broker's next registration, which follows at once. */
async function untilRouted(client: RocketMqClient, topic: string): Promise<void> {
  const deadline = AbortSignal.timeout(registrationTimeoutMs);
  while ((await brokerOf(client, topic)) === undefined) {
    if (deadline.aborted)
      throw new InitError(
        `Topic ${topic} was created, but the name servers do not know it after ${String(registrationTimeoutMs)} ms`,
      );
    await delay(registrationPollMs);
  }
}

/** The first broker of a topic; undefined where the name servers do not know it. */
export async function brokerOf(client: RocketMqClient, topic: string): Promise<string | undefined> {
  try {
    return (await client.routes.refresh(topic)).brokers[0]?.brokerName;
  } catch (error) {
    if (error instanceof TopicNotFoundError) return undefined;
    throw error;
  }
}

/** Waits for the broker that is wanted, or for any. */
export async function chooseBroker(client: RocketMqClient, options: InitOptions): Promise<string> {
  const { brokerName: wanted, brokerWaitMs: waitMs = brokerWaitMs } = options;
  const deadline = AbortSignal.timeout(waitMs);
  for (;;) {
    const names = await masterNames(client);
    const chosen = wanted === undefined ? names[0] : names.find((name) => name === wanted);
    if (chosen !== undefined) return chosen;
    if (deadline.aborted) {
      const found = `there are: ${names.join(', ') || 'none'}`;
      throw new InitError(
        wanted === undefined
          ? `The name servers know no broker with a master after ${String(waitMs)} ms`
          : `There is no broker "${wanted}" with a master after ${String(waitMs)} ms; ${found}`,
      );
    }
    await delay(registrationPollMs);
  }
}

async function masterNames(client: RocketMqClient): Promise<readonly string[]> {
  const { brokers } = await client.admin.clusterInfo();
  return brokers.flatMap((broker) => (broker.masterAddress === undefined ? [] : [broker.brokerName]));
}
