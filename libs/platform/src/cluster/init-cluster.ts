import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogEvent } from '@sluice/core';
import { encodeLogEntry, readerGroupOf, topicsOf, type TopicDefinition } from '@sluice/protocol';
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
 * @throws InitError
 */
export async function initCluster(client: RocketMqClient, options: InitOptions): Promise<InitResult> {
  const topics = topicsOf(options.clusterId);
  const brokerName = (await brokerOf(client, topics.log.name)) ?? (await chooseBroker(client, options));
  if (options.brokerName !== undefined && options.brokerName !== brokerName) {
    throw new InitError(`The log is on broker ${brokerName}; --broker ${options.brokerName} cannot move it`);
  }
  const created: string[] = [];
  for (const topic of Object.values(topics) as TopicDefinition[]) {
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
  await client.admin.createGroup({ group: readerGroupOf(options.clusterId) });
  const log = { topic: topics.log.name, brokerName, queueId: 0 };
  if ((await client.admin.maxOffset(log)) === 0) {
    const event: LogEvent = { kind: 'genesis', broker: brokerName };
    const logId = randomUUID();
    const { body } = encodeLogEntry({ logId, epoch: 0, claimId: logId, seq: 0, prevDigest: '', at: Date.now(), event });
    await client.producer.send(log, { body });
  }
  return { brokerName, created };
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

async function brokerOf(client: RocketMqClient, topic: string): Promise<string | undefined> {
  try {
    return (await client.routes.refresh(topic)).brokers[0]?.brokerName;
  } catch (error) {
    if (error instanceof TopicNotFoundError) return undefined;
    throw error;
  }
}

async function chooseBroker(client: RocketMqClient, options: InitOptions): Promise<string> {
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
