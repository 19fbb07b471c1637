import { divideQueues, type PlannedTopic } from '@sluice/replication';
import { ConfigError, queueKey, requireConfig, RetriableError, type SplitContext, type TaskConfig } from '@sluice/sdk';
import { type FlowClusters, type FlowSides, openFlow, SINK_SIDES, SOURCE_SIDES } from './flow-clusters.js';
import { beginOf, beginPairs, clustersIn, clustersPair, hasBegun, MARK_OF_BEGIN, queuesIn, requireSameClusters } from './agreed-queues.js';
import { lookForTopics } from './flow-topics.js';
import { linksText, type QueueLink, QUEUES_SETTING } from './queue-links.js';
import { rocketMqSourceSpec, SOURCE_IDENTITY_SETTING, TARGET_IDENTITY_SETTING, type TopicSettings } from './settings.js';
import { sinkTopicSettings } from './sink-settings.js';
import { startOffsets, type StartSettings } from './start-offsets.js';
import { isCreationAllowed, pairTopic } from './target-queues.js';

/** Another split of the same connector may be under way: who loses takes what the other has agreed upon. */
const MAX_ROUNDS = 5;

/**
 * Looks at both clusters, agrees upon the target of each queue and where it begins, and divides the queues.
 *
 * @throws {ConfigError} for two sides that are one cluster, and for topics of the target that have too few queues and may not grow
 */
export async function splitSource(config: TaskConfig, maxTasks: number, context: SplitContext): Promise<readonly TaskConfig[]> {
  const settings = requireConfig(SOURCE_SIDES.subject, rocketMqSourceSpec, config, { unknownKeys: 'ignore' });
  const mayGrow = isCreationAllowed(config);
  const { links, identities } = await agreedFlow(config, { sides: SOURCE_SIDES, settings, starts: settings, mayGrow, context });
  const parts = divideQueues(
    links.map((link) => link.source),
    maxTasks,
    settings['task.granularity'],
  );
  const byKey = new Map(links.map((link) => [queueKey(link.source), link]));
  // A connector without work has one task, which waits: its instance needs one.
  return (parts.length === 0 ? [[]] : parts).map((queues) => ({
    ...config,
    ...identities,
    [QUEUES_SETTING]: linksText(queues.flatMap((queue) => byKey.get(queueKey(queue)) ?? [])),
  }));
}

/**
 * Looks at both clusters and agrees upon the target of each queue. Every task knows all of them: the runtime gives queues to the tasks of a sink.
 *
 * @throws {ConfigError} as {@link splitSource}
 */
export async function splitSink(config: TaskConfig, maxTasks: number, context: SplitContext): Promise<readonly TaskConfig[]> {
  const settings = sinkTopicSettings(config);
  const mayGrow = isCreationAllowed(config);
  const { links, identities } = await agreedFlow(config, { sides: SINK_SIDES, settings, starts: undefined, mayGrow, context });
  const task = { ...config, ...identities, [QUEUES_SETTING]: linksText(links) };
  return Array.from({ length: Math.max(1, Math.min(maxTasks, links.length)) }, () => task);
}

interface FlowToAgree {
  readonly sides: FlowSides;
  readonly settings: TopicSettings;
  /** Where queues begin that are there at first; `undefined` where that is not the connector's to say. */
  readonly starts: StartSettings | undefined;
  readonly mayGrow: boolean;
  readonly context: SplitContext;
}

interface AgreedFlow {
  readonly links: readonly QueueLink[];
  readonly identities: TaskConfig;
}

async function agreedFlow(config: TaskConfig, wanted: FlowToAgree): Promise<AgreedFlow> {
  const flow = await openFlow(wanted.sides, config, wanted.context.signal);
  try {
    const { source, target } = flow.clusters;
    const links = await agreedLinks(wanted, flow.clusters);
    return { links, identities: { [SOURCE_IDENTITY_SETTING]: source.identity, [TARGET_IDENTITY_SETTING]: target.identity } };
  } finally {
    await flow.close();
  }
}

/** Returns all queues of the flow, those too that are not there now, once each has a target and a beginning in the log. */
async function agreedLinks(
  { sides: flowSides, settings, starts, mayGrow, context: { pairs, signal } }: FlowToAgree,
  clusters: FlowClusters,
): Promise<readonly QueueLink[]> {
  const { subject } = flowSides;
  const sides = { source: clusters.source.client, target: clusters.target.client };
  const identities = { source: clusters.source.identity, target: clusters.target.identity };
  let inForce = await pairs.read();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    requireSameClusters(clustersIn(inForce), identities, flowSides);
    const { taken: topics, plan } = await lookForTopics(clusters, settings, queuesIn(inForce), signal);
    requireNoRefusal(subject, plan, settings, hasBegun(inForce));
    const wanted = new Map(clustersIn(inForce) === undefined ? clustersPair(identities) : []);
    for (const topic of topics) {
      const known = new Map([...inForce, ...wanted]);
      for (const [key, value] of await pairTopic(topic, known, { ...sides, mayGrow, signal, subject })) wanted.set(key, value);
    }
    const names = new Set(topics.map((topic) => topic.source));
    const linksOf = (all: ReadonlyMap<string, string>): ReturnType<typeof queuesIn> =>
      queuesIn(all).filter(({ source }) => names.has(source.topic));
    const all = new Map([...inForce, ...wanted]);
    if (starts !== undefined) {
      const unbegun = linksOf(all).flatMap(({ source }) => (beginOf(all, source) === undefined ? [source] : []));
      const begins = await startOffsets(clusters.source.client, unbegun, hasBegun(inForce) ? undefined : starts, signal);
      for (const [key, value] of beginPairs(begins)) wanted.set(key, value);
    }
    if (wanted.size > 0) inForce = await pairs.extend(wanted);
    requireSameClusters(clustersIn(inForce), identities, flowSides);
    // Another split may have given a queue of the target to another queue of the source.
    if ([...wanted.keys()].some((key) => !inForce.has(key))) continue;
    if (!hasBegun(inForce)) inForce = await pairs.extend(MARK_OF_BEGIN);
    return linksOf(inForce).flatMap((link) => {
      const start = starts === undefined ? 0 : beginOf(inForce, link.source);
      return start === undefined ? [] : [{ ...link, start }];
    });
  }
  throw new RetriableError('Other runners agree upon the queues of this connector at the same time');
}

/** Later, a topic of another name that cannot be copied must not stop those that are: the instance reports it. */
function requireNoRefusal(subject: string, plan: readonly PlannedTopic[], { topics = [] }: TopicSettings, hasTasks: boolean): void {
  const refused = plan.filter(({ topic, problem }) => problem !== undefined && (!hasTasks || topics.includes(topic)));
  if (refused.length === 0) return;
  const errors = refused.map(({ topic, problem = '' }) => ({
    field: topics.includes(topic) ? 'topics' : 'topics.regex',
    message: problem,
  }));
  throw new ConfigError(subject, errors);
}
