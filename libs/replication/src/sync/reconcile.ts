import type { Difference } from './difference.js';
import type { SyncAction } from './sync-action.js';

/** What a flow remembers of one thing. */
export interface Remembered {
  /** The name at the source. */
  readonly from: string;
  /** Its settings at the source when both sides last agreed; undefined where that is not known. */
  readonly source?: string;
  /** Its settings at the target when both sides last agreed; undefined where that is not known. */
  readonly target?: string;
  /** What this flow has made of it: `''` the thing itself, else parts, as in `makes` of actions. */
  readonly made: readonly string[];
  /** The brokers of the source that had it. */
  readonly brokers: readonly string[];
}

/** What holds for all things of a flow now. */
export interface Direction {
  /** Whether a flow leads back from the target to the source, also over other clusters; unknown is treated as true. */
  readonly isTwoWay: boolean;
  /** Whether the source decides where both sides have changed a thing: its identity is the smaller one. */
  readonly isSourceFirst: boolean;
  readonly isDeleteAllowed: boolean;
  /** Whether this very difference has been left to the flow that leads back for so long that it will not be carried any more. */
  readonly isLeftLong: boolean;
  /** Brokers of the source that answered, and have its identity. */
  readonly answered: ReadonlySet<string>;
}

export interface Decision {
  readonly actions: readonly SyncAction[];
  /** Why something that differs stays as it is; undefined where nothing does. */
  readonly left?: string;
  /** Whether both sides are alike: what they say now is what they agree on. */
  readonly isAgreed: boolean;
}

/**
 * Decides what a flow does about one difference.
 *
 * In one direction the target becomes like the source. Where a flow leads back, the side that has changed since both last agreed wins. If both
 * have, or nobody knows, or the other flow does not carry its side's change, the cluster with the smaller identity does. So two flows never undo
 * each other's work without end, and come to rest with both sides alike.
 */
export function reconcile(difference: Difference, memory: Remembered | undefined, direction: Direction): Decision {
  const { source, target, additions, changes, removals } = difference;
  const isDifferent = additions.length + changes.length + removals.length > 0;
  if (!isDifferent) return { actions: [], isAgreed: source !== undefined && target !== undefined };
  if (source === undefined) return decideRemoval(difference, memory, direction);
  const mayReplace = replacement(difference, memory, direction);
  if (mayReplace !== undefined) {
    // What the other side deleted is not made again; more queues never take anything away.
    const kept = target === undefined ? [] : additions;
    return { actions: kept, left: mayReplace, isAgreed: false };
  }
  const deleted = removals.filter(({ part }) => direction.isDeleteAllowed && memory?.made.includes(part) === true);
  const extra = removals.length - deleted.length;
  const actions = [...additions, ...changes, ...deleted.map(({ action }) => action)];
  const isAgreed = actions.length === 0;
  return extra === 0 ? { actions, isAgreed } : { actions, isAgreed, left: extraText(difference, memory, direction) };
}

/** Why the settings of the source do not replace those of the target; undefined where they do. */
function replacement(difference: Difference, memory: Remembered | undefined, direction: Direction): string | undefined {
  const { source, target, changes } = difference;
  if (!direction.isTwoWay || (target !== undefined && changes.length === 0)) return undefined;
  const isKnown = memory?.source !== undefined && memory.target !== undefined;
  if (!isKnown) return target === undefined || direction.isSourceFirst ? undefined : 'it differs, and the other cluster decides';
  const hasSourceChanged = memory.source !== source;
  const hasTargetChanged = memory.target !== target;
  if (!hasTargetChanged && hasSourceChanged) return undefined;
  if (hasTargetChanged && !hasSourceChanged) {
    if (target === undefined) return 'it was deleted at the target, and a flow leads back';
    if (!direction.isSourceFirst || !direction.isLeftLong) return 'it was changed at the target, and a flow leads back';
  }
  return direction.isSourceFirst ? undefined : 'both clusters have changed it, and the other one decides';
}

function decideRemoval({ target, removals }: Difference, memory: Remembered | undefined, direction: Direction): Decision {
  const actions = removals.filter(({ part }) => memory?.made.includes(part) === true).map(({ action }) => action);
  if (actions.length === 0) return { actions: [], isAgreed: false };
  const left = whyKept(target, memory, direction);
  return left === undefined ? { actions, isAgreed: false } : { actions: [], left, isAgreed: false };
}

/** Why what is gone at the source is not deleted at the target; undefined where it is. */
function whyKept(target: string | undefined, memory: Remembered | undefined, direction: Direction): string | undefined {
  const { brokers = [], target: agreed } = memory ?? {};
  if (!direction.isDeleteAllowed) return 'it is gone at the source; sync.delete is false';
  if (brokers.length === 0) return 'it is gone at the source; nobody knows which broker had it';
  const missing = brokers.filter((broker) => !direction.answered.has(broker));
  if (missing.length > 0) return `it is gone at the source, or on ${missing.join(', ')}, which does not answer or was set up again`;
  if (direction.isTwoWay && agreed !== target) return 'it is gone at the source, and was changed at the target';
  return undefined;
}

function extraText({ removals }: Difference, memory: Remembered | undefined, { isDeleteAllowed }: Direction): string {
  const parts = removals.map(({ part }) => part).filter((part) => !isDeleteAllowed || memory?.made.includes(part) !== true);
  return `${parts.join(', ')}: the source does not have it; ${isDeleteAllowed ? 'this flow did not make it' : 'sync.delete is false'}`;
}
