import type { TaskId } from './connector.js';

/** Orders text by code units: the same on every node, whatever its language. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By connector name, then index. */
export function compareIds(left: TaskId, right: TaskId): number {
  return compareText(left.connector, right.connector) || left.index - right.index;
}
