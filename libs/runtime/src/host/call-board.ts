/** The calls that the runtime makes to a task, and to its connector's instance. */
const CALLS = [
  ...(['start', 'poll', 'commit', 'commitRecord', 'open', 'put', 'tick', 'flush', 'close', 'stop'] as const),
  ...(['instance start', 'instance stop'] as const),
] as const;
export type TaskCall = (typeof CALLS)[number];

const Phase = { none: 0, running: 1, waiting: 2 } as const;
/** Two numbers of 32 bits, the call and its phase, then the time of its start. */
const NUMBERS_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;
const BOARD_BYTES = NUMBERS_BYTES + BigInt64Array.BYTES_PER_ELEMENT;
const Cell = { call: 0, phase: 1 } as const;

/** A call that has not returned. */
export interface OngoingCall {
  readonly call: TaskCall;
  /** By {@link sharedNowMs}. */
  readonly sinceMs: number;
  /** It has not even returned its promise; else it waits. */
  readonly isRunning: boolean;
}

/** Monotonic milliseconds, with the same origin in all threads of the process: that of `performance.now()` differs. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export function newCallMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(BOARD_BYTES);
}

/** A call that has returned a promise, which is pending. */
interface PendingCall {
  readonly call: TaskCall;
  readonly since: bigint;
}

/**
 * Shows a call of one task in memory that other threads read while this one does not return. That is the call which works, else the oldest that
 * waits.
 */
export class CallBoard {
  readonly #cells: Int32Array;
  readonly #since: BigInt64Array;
  /** The oldest first: one that was given up is pending beside those after it. */
  readonly #pending = new Set<PendingCall>();

  constructor(readonly memory: SharedArrayBuffer = newCallMemory()) {
    this.#cells = new Int32Array(memory, 0, 2);
    this.#since = new BigInt64Array(memory, NUMBERS_BYTES, 1);
  }

  /** The call under way; of several the one that works, else the oldest. */
  get ongoing(): OngoingCall | undefined {
    const phase = Atomics.load(this.#cells, Cell.phase);
    const call = CALLS[Atomics.load(this.#cells, Cell.call)];
    if (phase === Phase.none || call === undefined) return undefined;
    return { call, sinceMs: Number(Atomics.load(this.#since, 0)), isRunning: phase === Phase.running };
  }

  /**
   * Makes a call, and shows it until it is over. Returns what the call returned.
   * @param timed takes how long it took, in milliseconds, however it went
   */
  run<T>(call: TaskCall, action: () => T, timed?: (durationMs: number) => void): T {
    const since = BigInt(sharedNowMs());
    const beganMs = timed === undefined ? 0 : performance.now();
    this.#show(call, since, Phase.running);
    let result: T;
    try {
      result = action();
    } catch (error) {
      timed?.(performance.now() - beganMs);
      this.#showPending();
      throw error;
    }
    if (result instanceof Promise) {
      const pending = { call, since };
      this.#pending.add(pending);
      const over = (): void => {
        timed?.(performance.now() - beganMs);
        this.#pending.delete(pending);
        this.#showPending();
      };
      result.then(over, over);
    } else {
      timed?.(performance.now() - beganMs);
    }
    this.#showPending();
    return result;
  }

  #showPending(): void {
    for (const { call, since } of this.#pending) {
      this.#show(call, since, Phase.waiting);
      return;
    }
    Atomics.store(this.#cells, Cell.phase, Phase.none);
  }

  #show(call: TaskCall, since: bigint, phase: number): void {
    Atomics.store(this.#since, 0, since);
    Atomics.store(this.#cells, Cell.call, CALLS.indexOf(call));
    Atomics.store(this.#cells, Cell.phase, phase);
  }
}
