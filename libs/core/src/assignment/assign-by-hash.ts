import type { Fleet, Group } from './fleet.js';
import { hashOfKey, HashRing, pointsOf } from './hash-ring.js';

/**
 * `consistent-hash`: gives each task to the worker that owns the task's place on a ring of hashes. That worker has the
 * first point at or after the hash of the task's key. Each worker has points in proportion to its capacity, made from
 * its node id alone. A worker that joins takes tasks only for itself, and one that leaves loses only its own. One that
 * comes back gets the same tasks again. Loads are even only on average: the strategy promises no bound.
 *
 * Each set of workers that can run the same tasks has its own ring, made of the same points. So this also holds where
 * plugins or labels differ.
 *
 * Sources: consistent hashing (Karger et al.: Consistent Hashing and Random Trees, 1997), with virtual nodes weighted
 * by capacity (DeCandia et al.: Dynamo, 2007). It is the counterpart of `AllocateConnAndTaskStrategyByConsistentHash`
 * in Apache RocketMQ Connect.
 */
export function assignByHash({ groups, slots, items }: Fleet): void {
  const points = slots.map(({ worker }) => pointsOf(worker.nodeId, worker.capacity));
  const rings = new Map<Group, HashRing>();
  for (const group of groups) {
    rings.set(group, new HashRing(group.eligible.map(({ order }) => [order, points[order] ?? []])));
  }
  for (const item of items) {
    const owner = rings.get(item.group)?.ownerOf(hashOfKey(item.task.key));
    if (owner !== undefined) item.slot = slots[owner];
  }
}
