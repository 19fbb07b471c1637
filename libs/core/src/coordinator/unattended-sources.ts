import type { ClusterState } from '../model/cluster-state.js';
import { taskKey, type TaskState } from '../model/connector.js';
import { memberKey } from '../model/member.js';
import type { KnownReports } from './failed-tasks.js';

/**
 * Lists the source connectors that have stored positions and no task that runs or is paused on its runner. Their tasks
 * are stopped, completed, failed, waiting for a runner, or held by one that does not report them. Nobody else keeps retention from
 * taking their positions.
 */
export function unattendedSources(
  { connectors, tasks }: Pick<ClusterState, 'connectors' | 'tasks'>,
  reports: KnownReports,
): readonly string[] {
  const unattended = new Set<string>();
  const attended = new Set<string>();
  for (const task of tasks.values()) {
    const { connector } = task.id;
    if (task.type !== 'source' || !connectors.has(connector)) continue;
    if (task.committed) unattended.add(connector);
    if (isAttended(task, reports)) attended.add(connector);
  }
  return [...unattended].filter((name) => !attended.has(name));
}

function isAttended({ id, assignment }: TaskState, reports: KnownReports): boolean {
  if (assignment === undefined) return false;
  const key = taskKey(id);
  const running = reports.get(memberKey(assignment))?.report.tasks ?? [];
  return running.some(
    ({ id: other, generation, state }) =>
      generation === assignment.generation &&
      (state === 'RUNNING' || state === 'PAUSED') &&
      other.index === id.index &&
      taskKey(other) === key,
  );
}
