import type { PullBudget } from '@sluice/rocketmq';

/** A part of a {@link ReadBudget}, for one queue. */
export interface QueueBudget extends PullBudget {
  /** Leaves the part to the others. Called once, when it holds nothing more. */
  end(): void;
}

/**
 * Bounds the bytes that the queues of a task hold: those that were asked for, and those that were read and not taken. Where they hold all they may,
 * each queue may still hold an equal share, so one that nobody takes from does not stop the others.
 */
export class ReadBudget {
  readonly #maxBytes: number;
  #heldBytes = 0;
  #parts = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Makes the part of another queue. */
  part(): QueueBudget {
    let heldBytes = 0;
    this.#parts++;
    return {
      hasRoom: (bytes) => {
        if (this.#heldBytes + bytes < this.#maxBytes) return true;
        return heldBytes + bytes < this.#maxBytes / this.#parts;
      },
      add: (bytes) => {
        heldBytes += bytes;
        this.#heldBytes += bytes;
      },
      end: () => {
        this.#parts--;
      },
    };
  }
}
