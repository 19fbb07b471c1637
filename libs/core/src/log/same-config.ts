import { isPlacementKey } from '../model/placement.js';
import type { Config, Overrides } from '../model/connector.js';

/** Settings of a connector that say how many tasks there are and where they may run: no task behaves differently for them. */
const COUNT_KEYS: readonly string[] = ['tasks.max', 'max.tasks'];
/** A runner limits the rate of all tasks of a connector that it has, also while they run. */
const RATE_KEYS: readonly string[] = ['rate.limit.records.per.second', 'rate.limit.bytes.per.second'];

/** Whether two settings hold the same keys and values. */
export function sameConfig(left: Overrides, right: Overrides): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && left[key] === right[key]);
}

/** Whether a task that runs with one of these settings need not be restarted for the other. */
export function sameTaskConfig(left: Config, right: Config): boolean {
  return sameConfig(ofTask(left), ofTask(right));
}

function ofTask(config: Config): Config {
  const matters = (key: string): boolean => !COUNT_KEYS.includes(key) && !RATE_KEYS.includes(key) && !isPlacementKey(key);
  return Object.fromEntries(Object.entries(config).filter(([key]) => matters(key)));
}
