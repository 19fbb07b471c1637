/** Bounds what a reader pulls ahead. The first pull of a reader is counted too, and needs no room. */
export interface PullBudget {
  /** Returns whether another pull may start that is expected to bring so much. */
  hasRoom(bytes: number, messages: number): boolean;
  /** Adds what a pull brings, or is expected to bring; negative numbers take it back. */
  add(bytes: number, messages: number): void;
}

/** Bounds the bytes that one reader holds. */
export function byteBudget(maxBytes: number): PullBudget {
  let held = 0;
  return {
    hasRoom: (bytes) => held + bytes < maxBytes,
    add: (bytes) => {
      held += bytes;
    },
  };
}

/**
 * What one pull holds of a budget: what is expected at first, then the size of its answer, until that is taken or dropped. A pull at the head of its
 * queue holds nothing until messages come: that may take hours.
 */
export class PullCharge {
  #isEnded = false;
  #bytes = 0;
  #messages = 0;

  /** @param messages expected ones; none, or fewer, at the head of the queue */
  constructor(
    private readonly budget: PullBudget,
    bytes: number,
    messages: number,
  ) {
    this.received(bytes, messages);
  }

  received(bytes: number, messages: number): void {
    if (this.#isEnded) return;
    const isEmpty = bytes === 0 || messages <= 0;
    this.#hold(isEmpty ? 0 : bytes, isEmpty ? 0 : messages);
  }

  /** Called once. */
  end(): void {
    this.#isEnded = true;
    this.#hold(0, 0);
  }

  #hold(bytes: number, messages: number): void {
    this.budget.add(bytes - this.#bytes, messages - this.#messages);
    this.#bytes = bytes;
    this.#messages = messages;
  }
}
