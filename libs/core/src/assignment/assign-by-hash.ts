import { give, type Fleet, type Group, type Slot } from './fleet.js';
import { hashOfKey, HashRing, pointsOf } from './hash-ring.js';

/**
 * `consistent-hash`: a task belongs to the worker whose point on a ring of hashes is the first at or after the hash of the
 * task's key. Each worker has points in proportion to its capacity, made from its node id alone. A worker that joins takes
 * tasks only for itself, one that goes gives only its own away, and one that comes back gets the same tasks again. Loads
 * are even only on average: no bound is promised.
 *
 * Each set of workers that can run the same tasks has a ring of its own, with the same points, so that this also holds
 * where plugins or labels differ.
 *
 * Sources: consistent hashing (Karger et al.: Consistent Hashing and Random Trees, 1997) with virtual nodes weighted by
 * capacity (DeCandia et al.: Dynamo, 2007); the counterpart of Apache RocketMQ Connect's
 * `AllocateConnAndTaskStrategyByConsistentHash`.
 */
export function assignByHash(fleet: Fleet): void {
  const points = new Map<Slot, readonly number[]>();
  const rings = new Map<Group, HashRing>();
  const pointsOfSlot = (slot: Slot): readonly number[] => {
    let own = points.get(slot);
    if (own === undefined) {
      own = pointsOf(slot.worker.nodeId, slot.worker.capacity);
      points.set(slot, own);
    }
    return own;
  };
  for (const group of fleet.groups) {
    rings.set(group, new HashRing(group.eligible.map((slot) => [slot.order, pointsOfSlot(slot)])));
  }
  for (const item of fleet.items) {
    const owner = rings.get(item.group)?.ownerOf(hashOfKey(item.task.key));
    const slot = owner === undefined ? undefined : fleet.slots[owner];
    if (slot !== undefined) give(slot, item);
  }
}
