import { balance, placeOnLeastLoaded } from './balance.js';
import { give, shareOf, type Fleet, type Item, type Slot } from './fleet.js';

/**
 * `sticky`: balances a fleet (see `balance.ts`) with the fewest moves. It keeps what runs where it runs, and gives free
 * tasks to their last owner or else to the least loaded worker. It then moves single tasks from the most to the least
 * loaded worker until no move helps. Tasks that a worker is still stopping are treated as placed where they will go, so
 * that repeated plans converge.
 *
 * Among workers that can all run the same tasks, no balanced assignment moves fewer. Where plugins or labels overlap
 * only in part, the moves are those of a local search. They are mostly the fewest, never more than balance needs step
 * by step.
 *
 * Sources: the aim is that of Kafka's sticky assignors (KIP-54, KIP-415). Handing out by (load + 1) / capacity is the
 * highest-averages method of D'Hondt (1878). The local search and its potential come from load balancing by
 * semi-matchings, with single moves in place of whole paths. See Harvey, Ladner, Lovász, Tamir: Semi-matchings for
 * bipartite graphs and load balancing (2006).
 */
export function assignSticky(fleet: Fleet): void {
  const open = keepWhatRuns(fleet);
  const rest = returnToLastOwners(fleet, open);
  placeOnLeastLoaded(fleet, rest, (item) => lastOwner(fleet, item));
  balance(fleet);
}

/** Returns the tasks to be placed. */
function keepWhatRuns({ items, slotOf }: Fleet): readonly Item[] {
  return items.filter((item) => {
    const { previous, group } = item;
    if (previous === undefined || previous.revoked) return true;
    const slot = slotOf(previous.nodeId);
    if (slot?.worker.incarnation !== previous.incarnation || !group.members.has(slot.order)) return true;
    shareOf(slot, group).kept.push(item);
    item.slot = slot;
    slot.load += 1;
    return false;
  });
}

/**
 * Gives tasks back to their last owners up to these workers' share of all tasks, and returns the others. The share is
 * rounded down: among workers that can all run the same tasks, balance never takes that much from one.
 */
function returnToLastOwners(fleet: Fleet, open: readonly Item[]): readonly Item[] {
  const able = fleet.slots.filter(({ worker }) => worker.capacity > 0 && worker.draining !== true);
  const capacity = able.reduce((sum, { worker }) => sum + worker.capacity, 0);
  return open.filter((item) => {
    const slot = lastOwner(fleet, item);
    if (slot === undefined || slot.load + 1 > Math.floor((fleet.runnable * slot.worker.capacity) / capacity)) return true;
    give(slot, item);
    return false;
  });
}

function lastOwner({ slotOf }: Fleet, { task, previous, group }: Item): Slot | undefined {
  const nodeId = previous?.nodeId ?? task.lastNodeId;
  const slot = nodeId === undefined ? undefined : slotOf(nodeId);
  return slot !== undefined && group.members.has(slot.order) ? slot : undefined;
}
