/** Bounds what a reader pulls ahead. The first pull of a reader is counted too, and needs no room. */
export interface PullBudget {
  /** Returns whether another pull may start that is expected to bring so much. */
  hasRoom(bytes: number, messages: number): boolean;
  /** Counts what a pull brings, or is expected to bring; negative numbers take it back. */
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

/** What one pull holds of a budget: what is expected at first, then the size of its answer, until that is taken or dropped. */
export class PullCharge {
  #isEnded = false;

  constructor(
    private readonly budget: PullBudget,
    private bytes: number,
    private readonly messages: number,
  ) {
    budget.add(bytes, messages);
  }

  received(bytes: number): void {
    if (this.#isEnded) return;
    this.budget.add(bytes - this.bytes, 0);
    this.bytes = bytes;
  }

  /** Called once. */
  end(): void {
    this.#isEnded = true;
    this.budget.add(-this.bytes, -this.messages);
  }
}
