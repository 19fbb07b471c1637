import { proposePairs } from '@sluice/replication';
import { type RocketMqClient, TopicNotFoundError, type TopicConfig, UnsupportedByBrokerError, writableQueues } from '@sluice/rocketmq';
import { ConfigError, type QueueRef, type TaskConfig } from '@sluice/sdk';
import type { FlowTopic } from './flow-topics.js';

export interface PairingOptions {
  /** The source's client, which knows how the topic is kept there. */
  readonly source: RocketMqClient;
  readonly target: RocketMqClient;
  /** Whether topics of the target may be created, and get more queues. */
  readonly mayGrow: boolean;
  readonly signal: AbortSignal;
  /** Stands in errors: whose configuration it is. */
  readonly subject: string;
}

/** Reads `topic.creation.enable` of the engine, which takes it in any case: topics of the target may be created, and get more queues. */
export function isCreationAllowed(config: TaskConfig): boolean {
  return (config['topic.creation.enable'] ?? 'true').trim().toLowerCase() !== 'false';
}

/**
 * Finds a queue of the target for each queue of a topic that has none yet. Creates the topic, or gives it more queues, where that is allowed.
 *
 * @param inForce the pairs that are agreed upon, and those that will be
 * @returns the pairs to add
 * @throws {ConfigError} where the target has too few queues and may not get more
 */
export async function pairTopic(
  topic: FlowTopic,
  inForce: ReadonlyMap<string, string>,
  options: PairingOptions,
): Promise<ReadonlyMap<string, string>> {
  const { target, mayGrow, signal, subject } = options;
  const targetBrokers = await masters(target, signal);
  const propose = async (): Promise<ReturnType<typeof proposePairs>> =>
    proposePairs({ source: topic.queues, target: await queuesOf(target, topic.target, signal), targetBrokers, inForce });
  const proposal = await propose();
  if (proposal.unplaced.length === 0) return proposal.add;
  if (!mayGrow) throw tooFewQueues(subject, topic, proposal.needed, 'topic.creation.enable is false');
  await grow(topic, proposal.needed, options);
  const grown = await propose();
  if (grown.unplaced.length > 0) throw tooFewQueues(subject, topic, grown.needed, 'its brokers did not give it more');
  return grown.add;
}

async function masters(client: RocketMqClient, signal: AbortSignal): Promise<readonly string[]> {
  const { brokers } = await client.admin.clusterInfo({ signal });
  return brokers.flatMap(({ brokerName, masterAddress }) => (masterAddress === undefined ? [] : [brokerName]));
}

async function queuesOf(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<readonly QueueRef[]> {
  try {
    return writableQueues(await client.admin.topicRoute(topic, { signal }));
  } catch (error) {
    if (error instanceof TopicNotFoundError) return [];
    throw error;
  }
}

/** Gives a topic as many queues as it needs on each broker, and the order and attributes of the source's where it is new. */
async function grow(
  { source: name, target: topic }: FlowTopic,
  needed: ReadonlyMap<string, number>,
  { source, target, signal }: PairingOptions,
): Promise<void> {
  const there = await target.admin.topicConfig(topic, { signal });
  const [model] = [...(await source.admin.topicConfig(name, { signal })).entries()].sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [brokerName, count] of needed) {
    const current = there.get(brokerName);
    const readQueues = Math.max(count, current?.readQueues ?? 0);
    const writeQueues = Math.max(count, current?.writeQueues ?? 0);
    if (current !== undefined) await target.admin.updateTopic({ topic, brokerName, readQueues, writeQueues, signal });
    else await create(target, { topic, brokerName, readQueues, writeQueues, signal }, model?.[1]);
  }
}

async function create(
  target: RocketMqClient,
  options: Parameters<RocketMqClient['admin']['createTopic']>[0],
  model: TopicConfig | undefined,
): Promise<void> {
  const isOrdered = model?.isOrdered ?? false;
  try {
    await target.admin.createTopic({ ...options, isOrdered, attributes: Object.fromEntries(model?.attributes ?? []) });
  } catch (error) {
    // RocketMQ before 5.0 has no attributes: messages are kept there without them too.
    if (!(error instanceof UnsupportedByBrokerError)) throw error;
    await target.admin.createTopic({ ...options, isOrdered });
  }
}

function tooFewQueues(
  subject: string,
  { source, target, queues }: FlowTopic,
  needed: ReadonlyMap<string, number>,
  why: string,
): ConfigError {
  const numbers = [...needed].map(([broker, count]) => `${count} on broker ${broker}`).join(', ');
  const expected = numbers === '' ? '' : `; expected are ${numbers}`;
  const message =
    `Topic ${target} of the target has too few queues for the ${queues.length} queue(s) of topic ${source}, ` +
    `each of which needs one of its own, and ${why}${expected}`;
  return new ConfigError(subject, [{ field: 'topic.creation.enable', message }]);
}
