import type { Config } from '../model/connector.js';

/** Whether two settings hold the same keys and values. */
export function sameConfig(left: Config, right: Config): boolean {
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && left[key] === right[key])
  );
}
