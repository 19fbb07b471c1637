import { type Decision, type Difference, groupDifferences, keyOf, reconcile, type Remembered, topicDifferences } from '@sluice/replication';
import { aclDifferences } from './acl-round.js';
import type { ClusterView } from './cluster-view.js';
import { fingerprint, type Origins, type SyncPart } from './sync-memory.js';
import { type SyncSettings, takesGroup } from './sync-settings.js';

export interface RoundInput {
  readonly settings: SyncSettings;
  readonly source: ClusterView;
  readonly target: ClusterView;
  /** Target names of topics by source name. */
  readonly topics: ReadonlyMap<string, string>;
  /** What the flow remembers, by key of difference; settings are fingerprints. */
  readonly memory: ReadonlyMap<string, Remembered>;
  /** Brokers of the source that have its identity: what others lack was not deleted there. */
  readonly proven: ReadonlySet<string>;
  /** Clusters whose settings reach the source; undefined where nobody knows. */
  readonly origins: Origins | undefined;
  readonly sourceIdentity: string;
  readonly targetIdentity: string;
  /** Whether the same difference has been left for long, by its key. */
  readonly isLeftLong?: (key: string) => boolean;
}

/** One thing that was compared, and what a flow does about it. */
export interface Decided {
  readonly difference: Difference;
  readonly decision: Decision;
}

const PART_OF: Readonly<Record<Difference['kind'], SyncPart>> = { topic: 'topics', group: 'groups', user: 'acl', account: 'acl' };

/** Compares two clusters and decides what to do about each difference. Pure. */
export function decideRound(input: RoundInput): readonly Decided[] {
  const { settings, source, memory, origins, sourceIdentity, targetIdentity } = input;
  const isSourceFirst = sourceIdentity < targetIdentity;
  return differencesOf(input).map((found) => {
    const key = keyOf(found);
    const difference = { ...found, source: printed(found.source), target: printed(found.target) };
    const part = PART_OF[difference.kind];
    const direction = {
      isTwoWay: origins === undefined || origins[part].includes(targetIdentity),
      isSourceFirst,
      isDeleteAllowed: settings.isDeleteAllowed,
      isLeftLong: input.isLeftLong?.(key) ?? false,
      answered: new Set([...source[part].keys()].filter((broker) => input.proven.has(broker))),
    };
    return { difference, decision: reconcile(difference, memory.get(key), direction) };
  });
}

function printed(text: string | undefined): string | undefined {
  return text === undefined ? undefined : fingerprint(text);
}

function differencesOf(input: RoundInput): Difference[] {
  const { settings, source, target, topics, memory } = input;
  return [
    ...(settings.areTopicsSynced
      ? topicDifferences({
          source: source.topics,
          target: target.topics,
          sourceNames: source.names,
          targetNames: target.names,
          plan: topics,
          isCreationAllowed: settings.isCreationAllowed,
          made: new Map(madeOf(memory, 'topic').map(([name, { from }]) => [name, from])),
        })
      : []),
    ...(settings.areGroupsSynced
      ? groupDifferences({
          source: source.groups,
          target: target.groups,
          isTaken: (name) => takesGroup(settings.groups, name),
          made: new Set(madeOf(memory, 'group').map(([name]) => name)),
        })
      : []),
    ...(settings.isAclSynced
      ? aclDifferences({ settings, source: source.acl, target: target.acl, madeOf: (kind) => madeOf(memory, kind) })
      : []),
  ];
}

/** Things of one kind that the flow has made, or parts of them. */
function madeOf(memory: ReadonlyMap<string, Remembered>, kind: Difference['kind']): [string, Remembered][] {
  return [...memory].flatMap(([key, thing]) =>
    key.startsWith(`${kind} `) && thing.made.length > 0 ? [[key.slice(kind.length + 1), thing]] : [],
  );
}
