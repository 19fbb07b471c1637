import { FIRST_LEVEL } from '../model/feature-level.js';
import { memberKey } from '../model/member.js';
import type { EventBatch } from './event-batch.js';
import type { CoordinatorState } from './state.js';

/** Raises the feature level of the cluster as soon as all members can read it; the rule is at `levelOf`. */
export function decideLevel(state: CoordinatorState, batch: EventBatch): void {
  const { level } = batch.draft.header;
  if (level >= state.settings.maxLevel) return;
  const supported = levelOfAll(state);
  if (supported !== undefined && supported > level) batch.add({ kind: 'cluster.version', level: supported });
}

/** The highest level that this leader and all members support; undefined while one of them was not heard. */
function levelOfAll({ cluster, reports, settings }: CoordinatorState): number | undefined {
  let level = settings.maxLevel;
  for (const member of cluster.members.values()) {
    const known = reports.get(memberKey(member));
    if (known === undefined) return undefined;
    level = Math.min(level, known.report.maxLevel ?? FIRST_LEVEL);
  }
  return level;
}
