import { taskKey, type TaskId } from '../model/connector.js';
import { listedTasks } from './decide-members.js';
import type { EventBatch } from './event-batch.js';
import { inChunks } from './in-chunks.js';
import type { CoordinatorState } from './state.js';

/**
 * Frees the revoked tasks whose owner has applied the revocation and does not run them, and marks those that have
 * committed. Returns whether the reports had anything to say.
 */
export function decideReports(state: CoordinatorState, batch: EventBatch): boolean {
  const { index } = state;
  index.moveTo(state.cluster.tasks, state.cluster.connectors);
  const released: TaskId[] = [];
  const committed: TaskId[] = [];
  for (const key of state.touched) {
    const report = state.reports.get(key)?.report;
    if (report === undefined) continue;
    const listed = listedTasks(report);
    for (const { id, assignment } of index.ownedBy(key)) {
      if (assignment?.revokedAt === undefined || report.appliedSeq < assignment.revokedAt) continue;
      if (!listed.has(taskKey(id))) released.push(id);
    }
    for (const { id, generation, committed: hasCommitted } of report.tasks) {
      const task = hasCommitted ? batch.draft.tasks.find(id) : undefined;
      if (task === undefined || task.committed || task.assignment?.generation !== generation) continue;
      committed.push(id);
    }
  }
  for (const tasks of inChunks(committed)) batch.add({ kind: 'tasks.committed', tasks });
  for (const tasks of inChunks(released)) batch.add({ kind: 'tasks.released', tasks });
  return released.length + committed.length > 0;
}
