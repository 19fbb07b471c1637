import { describeAction, type SyncAction } from '@sluice/replication';
import type { FlowClusters } from '../flow/flow-clusters.js';
import { provenBrokers, readCluster } from './cluster-view.js';
import { FlowOrigins } from './flow-origins.js';
import { memoryTopic, readMemory } from './sync-memory.js';
import { decideRound } from './sync-round.js';
import type { SyncSettings } from './sync-settings.js';

export interface SyncPlan {
  /** In the order in which they would be done; `line` has no secrets. */
  readonly actions: readonly { readonly action: SyncAction; readonly line: string }[];
  /** What differs and would stay as it is, and why. */
  readonly left: readonly string[];
  /** What cannot be copied, and why. */
  readonly notes: readonly string[];
  /** What could not be read, such as brokers that did not answer. */
  readonly problems: readonly string[];
}

export interface SyncPlanOptions {
  readonly connectorName: string;
  /** Target names of topics by source name. */
  readonly topics: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/**
 * Returns what a configuration sync would do now. It changes nothing.
 * @throws the client's errors where name servers do not answer, and the signal's reason
 */
export async function planSync(clusters: FlowClusters, settings: SyncSettings, options: SyncPlanOptions): Promise<SyncPlan> {
  const { connectorName, topics, signal } = options;
  const [source, target, found] = await Promise.all([
    readCluster(clusters.source.client, settings, signal),
    readCluster(clusters.target.client, settings, signal),
    readMemory(clusters.target.client, memoryTopic(clusters.source.identity, connectorName), signal),
  ]);
  const decided = decideRound({
    settings,
    source,
    target,
    topics,
    memory: found?.memory.things ?? new Map(),
    proven: await provenBrokers(clusters.source, signal),
    origins: await new FlowOrigins(clusters.source.client).read(signal),
    sourceIdentity: clusters.source.identity,
    targetIdentity: clusters.target.identity,
  });
  return {
    actions: decided.flatMap(({ decision }) => decision.actions.map((action) => ({ action, line: describeAction(action) }))),
    left: decided.flatMap(({ difference, decision }) =>
      decision.left === undefined ? [] : [`${difference.kind} ${difference.name}: ${decision.left}`],
    ),
    notes: decided.flatMap(({ difference }) => difference.notes.map((note) => `${difference.kind} ${difference.name}: ${note}`)),
    problems: [
      ...[...source.problems].map(([part, text]) => `${part} at the source: ${text}`),
      ...[...target.problems].map(([part, text]) => `${part} at the target: ${text}`),
    ],
  };
}
