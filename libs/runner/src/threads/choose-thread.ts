/** What a thread has to do already. */
export interface ThreadLoad {
  /** Tasks that it runs. */
  readonly tasks: number;
  /** Those of them that are of the same connector as the new one. */
  readonly ofConnector: number;
}

/**
 * Chooses the thread for a task: the one that runs the fewest, of those the one with the fewest of the same connector. A task that restarts stays
 * where it was unless another thread has less to do.
 *
 * @returns its index in `loads`, which must not be empty
 */
export function chooseThread(loads: readonly ThreadLoad[], before?: number): number {
  const least = Math.min(...loads.map(({ tasks }) => tasks));
  if (before !== undefined && loads[before]?.tasks === least) return before;
  let chosen = -1;
  for (const [index, { tasks, ofConnector }] of loads.entries()) {
    if (tasks === least && ofConnector < (loads[chosen]?.ofConnector ?? Infinity)) chosen = index;
  }
  return chosen;
}
