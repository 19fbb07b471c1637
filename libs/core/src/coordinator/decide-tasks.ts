import { assignTasks } from '../assignment/assign-tasks.js';
import type { AssignableTask, PreviousAssignment, Worker } from '../assignment/assignment-plan.js';
import { connectorClass, TargetState, taskKey, type TaskId } from '../model/connector.js';
import { memberKey, Role } from '../model/member.js';
import { listedTasks } from './decide-members.js';
import type { EventBatch } from './event-batch.js';
import { tasksByHolder } from './held-tasks.js';
import { inChunks } from './in-chunks.js';
import type { CoordinatorState, PlanBasis } from './state.js';

/**
 * Frees the revoked tasks whose owner has applied the revocation and does not run them, and marks those that have
 * committed. Returns whether the reports had anything to say.
 */
export function decideReports(state: CoordinatorState, batch: EventBatch): boolean {
  const released: TaskId[] = [];
  const committed: TaskId[] = [];
  for (const key of state.touched) {
    const report = state.reports.get(key)?.report;
    if (report === undefined) continue;
    const listed = listedTasks(report);
    for (const { id, assignment } of tasksByHolder(state.cluster.tasks).get(key) ?? []) {
      if (assignment?.revokedAt === undefined || report.appliedSeq < assignment.revokedAt) continue;
      if (!listed.has(taskKey(id))) released.push(id);
    }
    for (const { id, generation, committed: hasCommitted } of report.tasks) {
      const task = hasCommitted ? batch.draft.tasks.get(taskKey(id)) : undefined;
      if (task === undefined || task.committed || task.assignment?.generation !== generation) continue;
      committed.push(id);
    }
  }
  for (const tasks of inChunks(committed)) batch.add({ kind: 'tasks.committed', tasks });
  for (const tasks of inChunks(released)) batch.add({ kind: 'tasks.released', tasks });
  return released.length + committed.length > 0;
}

/**
 * Gives free tasks to runners and revokes what must move. Returns what this was computed from if there was nothing to
 * do, so that it is not computed again before that changes.
 */
export function decideAssignment(state: CoordinatorState, batch: EventBatch): PlanBasis | undefined {
  const { draft } = batch;
  const { workers, isCalm, readiness } = workersOf(state, batch);
  const { tasks, connectors, members } = draft;
  const { planned } = state;
  const isPlanned =
    planned?.tasks === tasks &&
    planned.connectors === connectors &&
    planned.members === members &&
    planned.readiness === readiness;
  if (isPlanned) return planned;
  const assignable: AssignableTask[] = [];
  const previous = new Map<string, PreviousAssignment>();
  const classes = new Map<string, string>();
  for (const [key, { id, type, assignment, lastNodeId }] of tasks) {
    const connector = connectors.get(id.connector);
    if (connector === undefined || connector.targetState === TargetState.stopped) continue;
    const isHeld = assignment !== undefined && assignment.revokedAt === undefined;
    if (!isHeld && connector.tasksVersion !== connector.configVersion) continue;
    if (id.index >= (connector.taskCount ?? 0)) continue;
    let wanted = classes.get(connector.name);
    if (wanted === undefined) {
      wanted = connectorClass(connector.config);
      classes.set(connector.name, wanted);
    }
    assignable.push({ key, id, type, connectorClass: wanted, ...(lastNodeId === undefined ? {} : { lastNodeId }) });
    if (assignment === undefined) continue;
    previous.set(key, { nodeId: assignment.nodeId, incarnation: assignment.incarnation, revoked: !isHeld });
  }
  const plan = assignTasks({ tasks: assignable, workers, previous });
  for (const chunk of inChunks(plan.assign)) batch.add({ kind: 'tasks.assigned', tasks: chunk });
  const revoke = isCalm ? plan.revoke : [];
  for (const chunk of inChunks(revoke)) batch.add({ kind: 'tasks.revoked', tasks: chunk, reason: 'moved' });
  const isIdle = plan.assign.length + revoke.length === 0;
  return isIdle ? { tasks, connectors, members, readiness } : undefined;
}

/**
 * Runners that can be given tasks now. While one is suspected or was not heard yet nothing is moved for balance: it
 * will be back or gone soon.
 */
function workersOf(
  state: CoordinatorState,
  batch: EventBatch,
): { readonly workers: Worker[]; readonly isCalm: boolean; readonly readiness: string } {
  const workers: Worker[] = [];
  const absent: string[] = [];
  let isCalm = true;
  for (const member of batch.draft.members.values()) {
    if (member.role !== Role.sourceRunner && member.role !== Role.sinkRunner) continue;
    const report = state.reports.get(memberKey(member))?.report;
    if (report === undefined || member.suspectedAt !== undefined) isCalm = false;
    if (report === undefined || member.suspectedAt !== undefined || report.leaving) absent.push(memberKey(member));
    else workers.push(member);
  }
  return { workers, isCalm, readiness: `${String(isCalm)} ${absent.sort().join(' ')}` };
}
