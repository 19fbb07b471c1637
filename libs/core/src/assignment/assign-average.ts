import { balance, placeOnLeastLoaded } from './balance.js';
import type { Fleet } from './fleet.js';

/**
 * `average`: who runs what follows from positions alone, not from who ran it before. Tasks in the order of their
 * connectors' names and their indexes are dealt to workers in the order of their node ids; the next task goes to the
 * worker with the smallest (load + 1) / capacity, the first of equals. With one capacity that is round robin: task i goes
 * to worker i modulo n. Where plugins or labels differ, the tasks that the fewest workers can run are dealt first, and
 * tasks are then moved until the fleet is balanced (see `balance.ts`). A change of the fleet moves most tasks.
 *
 * Sources: Apache RocketMQ Connect's `DefaultAllocateConnAndTaskStrategy` (one running index modulo the workers), whose
 * model is the averaging of queues over consumers; by capacity the highest-averages method of D'Hondt (1878).
 */
export function assignAverage(fleet: Fleet): void {
  placeOnLeastLoaded(fleet, fleet.items);
  balance(fleet);
}
