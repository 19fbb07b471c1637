import type { ClusterState } from '../model/cluster-state.js';
import { taskKey, type TaskId } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import type { KnownReport } from './state.js';

/** By `memberKey`. */
export type KnownReports = ReadonlyMap<string, KnownReport>;

/** Tasks of a connector that their owners report as FAILED; undefined while one of the owners was not heard. */
export function failedTasks(
  { connectors, tasks }: Pick<ClusterState, 'connectors' | 'tasks'>,
  reports: KnownReports,
  name: string,
): readonly TaskId[] | undefined {
  const failed: TaskId[] = [];
  const count = connectors.get(name)?.taskCount ?? 0;
  for (let index = 0; index < count; index += 1) {
    const id = { connector: name, index };
    const key = taskKey(id);
    const assignment = tasks.get(key)?.assignment;
    if (assignment === undefined) continue;
    const known = reports.get(memberKey(assignment));
    if (known === undefined) return undefined;
    const { generation } = assignment;
    const hasFailed = known.report.tasks.some(
      (task) => task.state === 'FAILED' && task.generation === generation && taskKey(task.id) === key,
    );
    if (hasFailed) failed.push(id);
  }
  return failed;
}
