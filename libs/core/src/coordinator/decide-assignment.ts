import type { AssignmentPlan } from '../assignment/assignment-types.js';
import { assignIndexed, keysOfKept } from '../assignment/assign-tasks.js';
import type { ClusterDraft } from '../log/cluster-draft.js';
import { clusterSettings } from '../model/cluster-settings.js';
import { taskKey, type TaskId } from '../model/connector.js';
import type { EventBatch } from './event-batch.js';
import { inChunks } from './in-chunks.js';
import type { CoordinatorState, PlanBasis, Workforce } from './state.js';

const REPLAN_PAUSE_MS = 250;

/**
 * Gives free tasks to runners and revokes what must move.
 *
 * @returns what the plan was computed from: the leader plans again only once that changes or `rebalance.interval.ms`
 * has passed. Undefined where it has to look again once the batch is read.
 */
export function decideAssignment(
  state: CoordinatorState,
  { workers, isCalm, readiness }: Workforce,
  now: number,
  batch: EventBatch,
): PlanBasis | undefined {
  const { index, planned } = state;
  const { draft } = batch;
  const { members, header } = draft;
  const { draining, settings } = header;
  indexDraft(state, batch);
  const basis: PlanBasis = { version: index.version, members, readiness, draining, settings, at: now };
  const { assignmentStrategy, rebalanceIntervalMs } = clusterSettings(settings);
  if (planned !== undefined && isSameBasis(planned, basis, rebalanceIntervalMs)) return planned;
  if (planned !== undefined && isWorthWaiting(planned, basis, isCalm)) return planned;
  const plan = assignIndexed(assignmentStrategy, index, workers);
  const assigned = inChunks(plan.assign).map((chunk) => batch.add({ kind: 'tasks.assigned', tasks: chunk }));
  const revoke = isCalm ? withDrainLimit(state, draft, plan) : [];
  for (const chunk of inChunks(revoke)) batch.add({ kind: 'tasks.revoked', tasks: chunk, reason: 'moved' });
  if (revoke.length > 0 || assigned.includes(false)) return undefined;
  // Carried out, the plan leaves nothing to do: what it leads to would be found balanced.
  indexDraft(state, batch);
  return { ...basis, version: index.version };
}

/** Moves the index to the tasks as the batch leaves them. */
function indexDraft({ index }: CoordinatorState, { draft }: EventBatch): void {
  const { tasks, connectors } = draft.settled();
  index.moveTo(tasks, connectors);
}

/**
 * Returns whether the next plan can wait, as only the readiness of runners has changed. Runners come by the hundred:
 * heard for the first time after a change of leaders, or suspected. The leader does not compute the plan again for
 * each.
 */
function isWorthWaiting(planned: PlanBasis, basis: PlanBasis, isCalm: boolean): boolean {
  const isOnlyReadiness = isSameBasis({ ...planned, readiness: basis.readiness }, basis, Infinity);
  return isOnlyReadiness && !isCalm && basis.at - planned.at < REPLAN_PAUSE_MS;
}

function isSameBasis(planned: PlanBasis, basis: PlanBasis, rebalanceIntervalMs: number): boolean {
  return (
    planned.version === basis.version &&
    planned.members === basis.members &&
    planned.readiness === basis.readiness &&
    planned.draining === basis.draining &&
    planned.settings === basis.settings &&
    basis.at - planned.at < rebalanceIntervalMs
  );
}

/**
 * Limits what is revoked now to a few tasks of each draining node, so that most keep running until it is their turn. It
 * revokes none that nobody else could run.
 */
function withDrainLimit({ settings }: CoordinatorState, { tasks, header }: ClusterDraft, plan: AssignmentPlan): readonly TaskId[] {
  const { revoke } = plan;
  if (header.draining.length === 0) return revoke;
  const open = new Map(header.draining.map((nodeId) => [nodeId, settings.maxDrainMoves]));
  for (const { assignment } of tasks.values()) {
    if (assignment?.revokedAt !== undefined) takeOne(open, assignment.nodeId);
  }
  const kept = keysOfKept(plan);
  return revoke.filter((id) => {
    const key = taskKey(id);
    const nodeId = tasks.get(key)?.assignment?.nodeId;
    return !kept.has(key) && (nodeId === undefined || takeOne(open, nodeId));
  });
}

/** Takes a place where places are limited; returns whether there was one. */
function takeOne(open: Map<string, number>, nodeId: string): boolean {
  const places = open.get(nodeId);
  if (places === undefined) return true;
  open.set(nodeId, places - 1);
  return places > 0;
}
