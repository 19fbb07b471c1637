/** A task as the status shows it. */
export interface TaskSeen {
  readonly task: string;
  readonly state: string;
  readonly workerId: string;
  readonly generation: number;
}

/** Returns whether a task that was on that node has a new generation, and all tasks run. */
export function ranAgain(before: readonly TaskSeen[], now: readonly TaskSeen[], nodeId: string): boolean {
  if (now.length < before.length || now.some(({ state }) => state !== 'RUNNING')) return false;
  const generations = new Map(now.map(({ task, generation }) => [task, generation]));
  return before.some(({ task, workerId, generation }) => workerId === nodeId && (generations.get(task) ?? 0) > generation);
}
