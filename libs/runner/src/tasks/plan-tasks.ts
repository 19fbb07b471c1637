import { sameTaskConfig, type DesiredTask } from '@sluice/core';
import type { HeldTask } from '@sluice/runtime';

export interface TaskPlan {
  readonly start: readonly string[];
  readonly stop: readonly string[];
  readonly pause: readonly string[];
  readonly resume: readonly string[];
  /** Need a new generation: the instance of their connector runs with old settings. */
  readonly renew: readonly string[];
}

/**
 * What a runner has to do so that it runs what it should, by task key. A task at another generation is stopped first and started by a later
 * plan, once it is gone.
 */
export function planTasks(desired: ReadonlyMap<string, DesiredTask>, held: ReadonlyMap<string, HeldTask>): TaskPlan {
  const stop: string[] = [];
  const pause: string[] = [];
  const resume: string[] = [];
  const renew: string[] = [];
  for (const [key, task] of held) {
    if (task.isStopping) continue;
    const wanted = desired.get(key);
    if (wanted?.generation !== task.generation) {
      stop.push(key);
      continue;
    }
    // The new generation may not come for long: a pause does not wait for it.
    if (isOutdated(wanted, task)) renew.push(key);
    if (wanted.paused !== task.paused) (wanted.paused ? pause : resume).push(key);
  }
  const start = [...desired.keys()].filter((key) => !held.has(key));
  return { start, stop, pause, resume, renew };
}

/** The task itself may stay when settings of its connector change: `taskConfigs` may give it the same as before. */
function isOutdated({ connectorConfig }: DesiredTask, { instanceConfig }: HeldTask): boolean {
  return connectorConfig !== undefined && instanceConfig !== undefined && !sameTaskConfig(connectorConfig, instanceConfig);
}
