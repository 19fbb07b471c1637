import type { RocketMqClient } from '@sluice/rocketmq';
import { membershipOf } from './group-offsets.js';
import { heldBack, type HeldBack } from './held-back.js';
import { planOffsets, type PlanOptions } from './plan-offsets.js';

const RETRY_PREFIX = '%RETRY%';

/** One kind of messages that a group would not get at the target. */
export interface LossPart {
  readonly kind: 'not-copied' | 'other-topics' | 'retries' | 'delayed' | 'popped';
  /** Undefined where nobody can count them. */
  readonly messages: number | undefined;
  /** How they were counted, or why they cannot be. */
  readonly how: string;
}

/** What a group would lose if it continued at the target now. */
export interface SwitchLoss {
  readonly group: string;
  /** Of all parts that could be counted. */
  readonly messages: number;
  readonly isComplete: boolean;
  readonly parts: readonly LossPart[];
}

/**
 * Counts, part by part, the messages of the source that a group has not consumed and would not find at the target. Reads both clusters, writes nothing.
 *
 * @param delays what the source's brokers hold back, for callers that ask about many groups
 * @throws the client's errors, where a part cannot be asked for
 */
export async function switchLoss(group: string, options: Omit<PlanOptions, 'takesGroup'>, delays?: HeldBack): Promise<SwitchLoss> {
  const { clusters, queues, signal } = options;
  const { client } = clusters.source;
  const plan = await planOffsets({ ...options, takesGroup: (name) => name === group });
  const copied = new Set([...queues.keys()].map(topicOf));
  const stats = await client.admin.consumeStats(group, { signal });
  const topics = [...new Set(stats.map(({ queue }) => queue.topic))].filter((topic) => !topic.startsWith(RETRY_PREFIX));
  const retryTopics = retryTopicsOf(group, topics, await client.admin.listTopics({ signal })).filter((topic) => !copied.has(topic));
  const others = stats.filter(({ queue }) => !copied.has(queue.topic) && !queue.topic.startsWith(RETRY_PREFIX));
  const held = delays ?? (await heldBack(client, signal));
  const waiting = [...topics, ...retryTopics].reduce((sum, topic) => sum + (held.byTopic.get(topic) ?? 0), 0);
  const parts: LossPart[] = [
    {
      kind: 'not-copied',
      messages: plan.problems.length === 0 ? (plan.notCopied.get(group) ?? 0) : undefined,
      how:
        plan.problems.length === 0
          ? 'offsets of the source behind what is consumed and behind the last copy; messages that the flow passes over are among them'
          : `not all queues could be asked: ${plan.problems.join('; ')}`,
    },
    {
      kind: 'other-topics',
      messages: others.reduce((sum, { brokerOffset, consumerOffset }) => sum + Math.max(0, brokerOffset - consumerOffset), 0),
      how: `offsets that are not consumed in its topics that the flow does not copy: ${listOf(new Set(others.map(({ queue }) => queue.topic)))}`,
    },
    {
      kind: 'retries',
      messages: await unconsumed(client, group, retryTopics, signal),
      how: `offsets that are not consumed in its retry topics that the flow does not copy: ${listOf(new Set(retryTopics))}`,
    },
    {
      kind: 'delayed',
      messages: held.problems.length === 0 ? waiting : undefined,
      how:
        held.problems.length === 0
          ? 'messages that brokers of the source hold back for its topics and retries, read one by one'
          : `not all could be read: ${held.problems.join('; ')}`,
    },
    await poppedPart(client, group, signal),
  ];
  return {
    group,
    messages: parts.reduce((sum, { messages = 0 }) => sum + messages, 0),
    isComplete: parts.every(({ messages }) => messages !== undefined),
    parts,
  };
}

/** The offset of a group that pops is that of what was handed out. Brokers tell nobody what of it is not acknowledged. */
async function poppedPart(client: RocketMqClient, group: string, signal: AbortSignal): Promise<LossPart> {
  const { isWithoutPops } = await membershipOf(client, group, signal);
  if (isWithoutPops) return { kind: 'popped', messages: 0, how: 'its members say that they do not pop' };
  const how =
    'brokers do not say how many messages were handed out by pops and are not acknowledged, and no member says that it does not pop';
  return { kind: 'popped', messages: undefined, how };
}

/** A group has a retry topic of its own, and one for each topic that it pops: with `_` or `+` between. */
function retryTopicsOf(group: string, topics: readonly string[], present: readonly string[]): string[] {
  const own = `${RETRY_PREFIX}${group}`;
  const names = new Set([own, ...topics.flatMap((topic) => [`${own}_${topic}`, `${own}+${topic}`])]);
  return present.filter((topic) => names.has(topic));
}

async function unconsumed(client: RocketMqClient, group: string, topics: readonly string[], signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const topic of topics) {
    for (const { queue, minOffset, maxOffset } of await client.admin.topicStats(topic, { signal })) {
      if (maxOffset === minOffset) continue;
      const offset = await client.admin.queryOffset(group, queue, { signal });
      count += Math.max(0, maxOffset - Math.max(minOffset, offset ?? 0));
    }
  }
  return count;
}

function topicOf(key: string): string {
  return key.slice(0, key.indexOf('@'));
}

function listOf(names: ReadonlySet<string>): string {
  return names.size === 0 ? 'none' : [...names].sort().join(', ');
}
