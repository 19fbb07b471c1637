import { balance, placeOnLeastLoaded } from './balance.js';
import type { Fleet } from './fleet.js';

/**
 * `average`: deals tasks to workers by position alone, whoever ran them before. Tasks come in the order of connector
 * name and index, workers in the order of node ids. The next task goes to the worker with the smallest (load + 1) /
 * capacity, the first of equals. With one capacity that is round robin: task i goes to worker i modulo n.
 *
 * Where plugins or labels differ, the tasks that the fewest workers can run are dealt first. The strategy then moves
 * tasks until the fleet is balanced (see `balance.ts`). A change of the fleet moves most tasks.
 *
 * Sources: `DefaultAllocateConnAndTaskStrategy` of Apache RocketMQ Connect (one running index modulo the workers),
 * modelled on the averaging of queues over consumers. By capacity it is the highest-averages method of D'Hondt (1878).
 */
export function assignAverage(fleet: Fleet): void {
  placeOnLeastLoaded(fleet, fleet.items);
  balance(fleet);
}
