import { completion, taskKey, type TaskCompletion, type TaskId, type TaskState } from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';
import type { TaskReport } from '../model/report.js';
import { listedTasks } from './decide-members.js';
import type { EventBatch } from './event-batch.js';
import { inChunks } from './in-chunks.js';
import type { CoordinatorState } from './state.js';

const NO_TASK_COMPLETED: LogEvent = { kind: 'tasks.completed', tasks: [] };

/**
 * Frees the revoked tasks whose owner has applied the revocation and does not run them. Marks those that have committed, and those that
 * have completed. Returns whether the reports had anything to say.
 */
export function decideReports(state: CoordinatorState, batch: EventBatch): boolean {
  const { index } = state;
  index.moveTo(state.cluster.tasks, state.cluster.connectors);
  const released: TaskId[] = [];
  const committed: TaskId[] = [];
  const completed: (TaskId & TaskCompletion)[] = [];
  const canComplete = batch.isKnownToAll(NO_TASK_COMPLETED);
  for (const key of state.touched) {
    const report = state.reports.get(key)?.report;
    if (report === undefined) continue;
    const listed = listedTasks(report);
    for (const { id, assignment } of index.ownedBy(key)) {
      if (assignment?.revokedAt === undefined || report.appliedSeq < assignment.revokedAt) continue;
      if (!listed.has(taskKey(id))) released.push(id);
    }
    for (const reported of report.tasks) {
      if (!reported.committed && reported.completedAt === undefined) continue;
      const { id } = reported;
      const task = batch.draft.tasks.find(id);
      if (hasNewlyCommitted(reported, task)) committed.push(id);
      const at = canComplete ? newEndOf(reported, task) : undefined;
      if (at !== undefined) completed.push({ ...id, ...completionOf(reported, at) });
    }
  }
  for (const tasks of inChunks(committed)) batch.add({ kind: 'tasks.committed', tasks });
  for (const tasks of inChunks(completed)) batch.add({ kind: 'tasks.completed', tasks });
  for (const tasks of inChunks(released)) batch.add({ kind: 'tasks.released', tasks });
  return released.length + committed.length + completed.length > 0;
}

/** What a task left out is known once its runner is gone, too: a load that misses records must not look like a whole one. */
function completionOf({ generation, counters }: TaskReport, at: number): TaskCompletion {
  return completion({ generation, at, skipped: counters['recordsSkipped'], deadLetters: counters['deadLettersWritten'] });
}

/** Returns whether a report says of a task what the log does not say yet and has to. */
export function isMark(reported: TaskReport, task: TaskState | undefined): boolean {
  return hasNewlyCommitted(reported, task) || newEndOf(reported, task) !== undefined;
}

function hasNewlyCommitted({ generation, committed }: TaskReport, task: TaskState | undefined): boolean {
  return committed && task?.committed === false && task.assignment?.generation === generation;
}

/**
 * Returns when a task came to its end of data, if that is new and counts. A generation that was asked to stop, for a restart or new settings, may
 * not have seen all; the next one finds the end again. The instance of a connector may find more, and runs where its first task is held. A
 * task that stops, with its node, shows none any more.
 */
function newEndOf({ generation, state, completedAt, instance }: TaskReport, task: TaskState | undefined): number | undefined {
  const { assignment } = task ?? {};
  if (state === 'STOPPING') return undefined;
  if (instance !== undefined || assignment?.generation !== generation || assignment.revokedAt !== undefined) return undefined;
  return completedAt;
}
