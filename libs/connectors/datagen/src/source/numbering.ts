/** How the records of a generator are numbered. Everything follows from a partition and a number within it: there is no other state. */
export interface Numbering {
  readonly partitions: number;
  /** Over all partitions; not fewer than these. */
  readonly keys: number;
}

/** Key `n` belongs to partition `n % partitions`, so that all records of a key are in one partition and in order. */
export function keysOfPartition({ partitions, keys }: Numbering, partition: number): number {
  return shareOf(keys, partitions, partition);
}

/** Names the key of a partition that has this place among its keys; the first place is 0. */
export function keyName({ partitions }: Numbering, partition: number, place: number): string {
  return `key-${partition + place * partitions}`;
}

/** Computes how many of `records` a partition makes; 0 records are no end. */
export function recordsOfPartition(records: number, partitions: number, partition: number): number {
  return records === 0 ? Infinity : shareOf(records, partitions, partition);
}

/**
 * Assigns partitions to tasks in turn. A whole partition goes to one task, whatever their number.
 * @returns one list per task, none empty
 */
export function dealPartitions(partitions: number, maxTasks: number): readonly (readonly number[])[] {
  const tasks = Math.min(partitions, maxTasks);
  return Array.from({ length: tasks }, (_, task) =>
    Array.from({ length: shareOf(partitions, tasks, task) }, (_item, turn) => task + turn * tasks),
  );
}

function shareOf(total: number, holders: number, holder: number): number {
  return Math.floor(total / holders) + (holder < total % holders ? 1 : 0);
}
