import type { Lane } from './lane.js';
import type { QueueChoice } from './queue-choice.js';

/**
 * Slots of sharding keys that moved to another queue while messages of theirs were under way to the old one. Those may come
 * back to be sent again, so later messages of the slot wait until it is known how they ended.
 */
export class MovedSlots {
  readonly #lanes = new Map<number, Lane>();

  has(slot: number): boolean {
    return this.#lanes.size > 0 && this.#lanes.has(slot);
  }

  /** Notes what is under way in the lane and belongs elsewhere now. */
  hold(lane: Lane, choice: QueueChoice): void {
    for (const { prepared } of lane.underWay) {
      const { slot } = prepared;
      if (slot === undefined || this.#lanes.has(slot) || choice.isOwner(lane.queue, slot)) continue;
      this.#lanes.set(slot, lane);
    }
  }

  /** The lane's batch has ended. Returns whether slots waited for it. */
  release(lane: Lane): boolean {
    let hasReleased = false;
    for (const [slot, held] of this.#lanes) {
      if (held === lane) hasReleased = this.#lanes.delete(slot);
    }
    return hasReleased;
  }
}
