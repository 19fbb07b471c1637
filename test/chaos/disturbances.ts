import type { AppliedFault, Interval, TaskSighting } from './observations.js';
import type { Stay } from './task-history.js';

/** After a task runs on another worker, and after a fault is over, its records may come unevenly for this long, in milliseconds. */
export const SETTLE_MS = 2000;
/** The broker's clients find it again and tasks get their leases back within this time after its restart, in milliseconds. */
export const BROKER_SETTLE_MS = 10_000;

/** When a task was RUNNING with a generation first, as its worker says; infinite if it never was. */
export function runningSince(sightings: readonly TaskSighting[], connector: string, generation: number): number {
  const times = sightings
    .filter((seen) => seen.connector === connector && seen.generation === generation && seen.state === 'RUNNING')
    .map(({ sinceMs }) => sinceMs ?? Infinity);
  return Math.min(Infinity, ...times);
}

/**
 * Returns the times in which the only task of a connector was concerned. The cause is a fault or change of its worker, its first start, or
 * a restart of the broker, which concerns all.
 */
export function disturbancesOf(
  connector: string,
  stays: readonly Stay[],
  faults: readonly AppliedFault[],
  sightings: readonly TaskSighting[],
): readonly Interval[] {
  const own = stays.filter(({ id }) => id.connector === connector);
  const changes = own.map((stay, at) => {
    const before = own[at - 1];
    const toMs = runningSince(sightings, connector, stay.generation) + SETTLE_MS;
    return { fromMs: before === undefined ? -Infinity : before.toMs, toMs };
  });
  const struck = faults.flatMap(({ nodeId, fromMs, toMs }) => {
    const held = own.some((stay) => stay.nodeId === nodeId && stay.fromMs <= toMs && stay.toMs >= fromMs);
    return held ? [{ fromMs, toMs: untilMoved(own, nodeId, fromMs, toMs) + SETTLE_MS }] : [];
  });
  return [...changes, ...struck, ...brokerTimes(faults)];
}

/** A fault stops to concern a task once the task has left the worker. */
function untilMoved(own: readonly Stay[], nodeId: string, fromMs: number, toMs: number): number {
  const ends = own.filter((stay) => stay.nodeId === nodeId && stay.toMs >= fromMs && stay.fromMs <= toMs);
  return Math.min(toMs, Math.max(fromMs, ...ends.map((stay) => stay.toMs)));
}

export function brokerTimes(faults: readonly AppliedFault[]): readonly Interval[] {
  return faults.filter(({ nodeId }) => nodeId === 'broker').map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs + BROKER_SETTLE_MS }));
}

export function overlaps(left: Interval, right: Interval): boolean {
  return left.fromMs <= right.toMs && right.fromMs <= left.toMs;
}
