import { parseTopicRename, type PlannedTopic, planTopics, type TopicReason } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import { JavaPattern } from '@sluice/transforms';
import { oneLine } from '../dead-letters/letter-text.js';
import type { Settings } from './flow-settings.js';

/** Why a topic is left out, for people. */
const LEFT_OUT: Readonly<Partial<Record<TopicReason, string>>> = {
  missing: 'the source does not have it yet',
  'not-asked-for': 'nobody asks for it',
  excluded: 'topics.exclude',
  rocketmq: "RocketMQ's own",
  sluice: "Sluice's own",
  retry: 'retries of a group; topics.include.retry takes them',
  'dead-letter': 'dead letters of a group; topics.include.dlq takes them',
};

/**
 * Plans which topics a flow takes.
 *
 * @throws Error for a pattern or a renaming that is none, with the name of the setting
 */
export async function planFlow(source: RocketMqClient, target: RocketMqClient, settings: Settings): Promise<readonly PlannedTopic[]> {
  const rename = parseTopicRename(settings['topic.rename'] ?? 'identity', settings['topic.rename.prefix'] ?? '');
  if (!rename.ok) throw new Error(rename.errors.map(({ message }) => message).join('\n'));
  const regex = settings['topics.regex'];
  const pattern = regex === undefined ? undefined : patternOf('topics.regex', regex);
  const excluded = listOf(settings['topics.exclude']);
  const patterns = excluded.map((entry) => patternOf('topics.exclude', entry));
  const [topics, sourceServers, targetServers] = await Promise.all([source.admin.listTopics(), serversOf(source), serversOf(target)]);
  const choice = {
    names: new Set(listOf(settings['topics'])),
    isMatch: pattern === undefined ? undefined : (topic: string) => pattern.matches(topic),
    isExcluded: (topic: string) => excluded.includes(topic) || patterns.some((each) => each.matches(topic)),
    isRetryIncluded: settings['topics.include.retry'] === 'true',
    isDlqIncluded: settings['topics.include.dlq'] === 'true',
  };
  return planTopics({ topics, sourceServers, targetServers }, choice, rename.rename);
}

/** Writes a plan for people: what is taken and as what, then what is left out and why. */
export function planAsText(plan: readonly PlannedTopic[]): readonly string[] {
  const taken = plan.filter(({ target }) => target !== undefined);
  const others = plan.filter(({ target }) => target === undefined);
  return [
    `${taken.length} of ${plan.length} topics are copied:`,
    ...taken.map(({ topic, target = '', reason }) => oneLine(`  ${topic}${target === topic ? '' : ` -> ${target}`} (${reason})`)),
    ...(others.length === 0 ? [] : ['Left out:']),
    ...others.map(({ topic, reason, problem }) => oneLine(`  ${topic}: ${problem ?? LEFT_OUT[reason] ?? reason}`)),
  ];
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function patternOf(setting: string, text: string): JavaPattern {
  try {
    return new JavaPattern(text);
  } catch (error) {
    throw new Error(`${setting} is "${text}": ${(error as Error).message}`, { cause: error });
  }
}

async function serversOf(client: RocketMqClient): Promise<ReadonlySet<string>> {
  const { brokers } = await client.admin.clusterInfo();
  return new Set(brokers.flatMap(({ brokerName, cluster }) => [brokerName, cluster]));
}
