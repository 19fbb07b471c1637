import { taskKey, type ConnectorState, type TaskId } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import { currentTasks, type TaskTable } from '../model/task-table.js';
import type { KnownReport } from './state.js';

/** By `memberKey`. */
export type KnownReports = ReadonlyMap<string, KnownReport>;

/** Tasks of a connector that their owners report as FAILED; undefined while one of the owners was not heard. */
export function failedTasks(tasks: TaskTable, reports: KnownReports, connector: ConnectorState): readonly TaskId[] | undefined {
  const failed: TaskId[] = [];
  for (const { id, assignment, completed } of currentTasks(tasks, connector)) {
    if (assignment === undefined || completed !== undefined) continue;
    const known = reports.get(memberKey(assignment));
    if (known === undefined) return undefined;
    const { generation } = assignment;
    const key = taskKey(id);
    const hasFailed = known.report.tasks.some(
      (task) => task.state === 'FAILED' && task.generation === generation && taskKey(task.id) === key,
    );
    if (hasFailed) failed.push(id);
  }
  return failed;
}
