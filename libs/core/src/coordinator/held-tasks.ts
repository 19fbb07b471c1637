import type { ClusterState } from '../model/cluster-state.js';
import type { TaskState } from '../model/connector.js';
import { memberKey } from '../model/member.js';

const known = new WeakMap<ClusterState['tasks'], ReadonlyMap<string, readonly TaskState[]>>();

/** Who holds what, by `memberKey`. Computed once per version of the map, which never changes once it is folded. */
export function tasksByHolder(tasks: ClusterState['tasks']): ReadonlyMap<string, readonly TaskState[]> {
  const before = known.get(tasks);
  if (before !== undefined) return before;
  const byHolder = new Map<string, TaskState[]>();
  for (const task of tasks.values()) {
    if (task.assignment === undefined) continue;
    const key = memberKey(task.assignment);
    const held = byHolder.get(key);
    if (held === undefined) byHolder.set(key, [task]);
    else held.push(task);
  }
  known.set(tasks, byHolder);
  return byHolder;
}
