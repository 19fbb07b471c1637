import { divideQueues, type PlannedTopic } from '@sluice/replication';
import { ConfigError, queueKey, requireConfig, RetriableError, type SplitContext, type TaskConfig } from '@sluice/sdk';
import { openFlow } from './flow-clusters.js';
import type { FlowClusters } from './flow-clusters.js';
import { beginOf, beginPairs, hasBegun, MARK_OF_BEGIN, queuesIn } from './agreed-queues.js';
import { lookForTopics } from './flow-topics.js';
import { linksText, type QueueLink, QUEUES_SETTING } from './queue-links.js';
import { rocketMqSourceSpec, SOURCE_IDENTITY_SETTING, type SourceSettings, TARGET_IDENTITY_SETTING } from './settings.js';
import { startOffsets } from './start-offsets.js';
import { pairTopic } from './target-queues.js';

/** Another split of the same connector may be under way: who loses takes what the other has agreed upon. */
const MAX_ROUNDS = 5;

/**
 * Looks at both clusters, agrees upon the target of each queue and where it begins, and divides the queues.
 *
 * @throws {ConfigError} for two sides that are one cluster, and for topics of the target that have too few queues and may not grow
 */
export async function splitFlow(config: TaskConfig, maxTasks: number, context: SplitContext): Promise<readonly TaskConfig[]> {
  const settings = requireConfig('Configuration of the source', rocketMqSourceSpec, config, { unknownKeys: 'ignore' });
  const flow = await openFlow(config, context.signal);
  try {
    const { source, target } = flow.clusters;
    const links = await agreedLinks(settings, flow.clusters, { context, mayGrow: config['topic.creation.enable'] !== 'false' });
    const parts = divideQueues(
      links.map((link) => link.source),
      maxTasks,
      settings['task.granularity'],
    );
    const byKey = new Map(links.map((link) => [queueKey(link.source), link]));
    // A connector without work has one task, which waits: its instance needs one.
    return (parts.length === 0 ? [[]] : parts).map((queues) => ({
      ...config,
      [SOURCE_IDENTITY_SETTING]: source.identity,
      [TARGET_IDENTITY_SETTING]: target.identity,
      [QUEUES_SETTING]: linksText(queues.flatMap((queue) => byKey.get(queueKey(queue)) ?? [])),
    }));
  } finally {
    await flow.close();
  }
}

/** Returns all queues of the flow, those too that are not there now, once each has a target and a beginning in the log. */
async function agreedLinks(
  settings: SourceSettings,
  clusters: FlowClusters,
  { context: { pairs, signal }, mayGrow }: { readonly context: SplitContext; readonly mayGrow: boolean },
): Promise<readonly QueueLink[]> {
  const sides = { source: clusters.source.client, target: clusters.target.client };
  let inForce = await pairs.read();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { taken: topics, plan } = await lookForTopics(clusters, settings, queuesIn(inForce), signal);
    requireNoRefusal(plan, settings, hasBegun(inForce));
    const wanted = new Map<string, string>();
    for (const topic of topics) {
      const known = new Map([...inForce, ...wanted]);
      for (const [key, value] of await pairTopic(topic, known, { ...sides, mayGrow, signal })) wanted.set(key, value);
    }
    const names = new Set(topics.map((topic) => topic.source));
    const linksOf = (all: ReadonlyMap<string, string>): ReturnType<typeof queuesIn> =>
      queuesIn(all).filter(({ source }) => names.has(source.topic));
    const all = new Map([...inForce, ...wanted]);
    const unbegun = linksOf(all).flatMap(({ source }) => (beginOf(all, source) === undefined ? [source] : []));
    const begins = await startOffsets(clusters.source.client, unbegun, hasBegun(inForce) ? undefined : settings, signal);
    for (const [key, value] of beginPairs(begins)) wanted.set(key, value);
    if (wanted.size > 0) inForce = await pairs.extend(wanted);
    // Another split may have given a queue of the target to another queue of the source.
    if ([...wanted.keys()].some((key) => !inForce.has(key))) continue;
    if (!hasBegun(inForce)) inForce = await pairs.extend(MARK_OF_BEGIN);
    return linksOf(inForce).flatMap((link) => {
      const start = beginOf(inForce, link.source);
      return start === undefined ? [] : [{ ...link, start }];
    });
  }
  throw new RetriableError('Other runners agree upon the queues of this connector at the same time');
}

/** Later, a topic of another name that cannot be copied must not stop those that are: the instance reports it. */
function requireNoRefusal(plan: readonly PlannedTopic[], { topics = [] }: SourceSettings, hasTasks: boolean): void {
  const refused = plan.filter(({ topic, problem }) => problem !== undefined && (!hasTasks || topics.includes(topic)));
  if (refused.length === 0) return;
  const errors = refused.map(({ topic, problem = '' }) => ({
    field: topics.includes(topic) ? 'topics' : 'topics.regex',
    message: problem,
  }));
  throw new ConfigError('Configuration of the source', errors);
}
