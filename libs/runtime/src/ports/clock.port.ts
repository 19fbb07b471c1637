/** Time as the loops see it; tests move it by hand. */
export interface Clock {
  /** Milliseconds, monotonic, from an arbitrary start. */
  nowMs(): number;
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /** Rejects with the signal's reason, and leaves no timer behind, when aborted. */
  sleep(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Lets pending input and output happen before it resolves. */
  yieldToIo(): Promise<void>;
  /** A number in [0, 1), for jitter. */
  random(): number;
}
