/** Resolves after `delayMs`, or at once when the signal aborts; the timer is cleared then. */
export function abortableDelay(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** 100 ms doubled per failure up to 5 s, less up to a half at random so that nodes do not return all at once. */
export function backoffMs(failures: number): number {
  const full = Math.min(100 * 2 ** Math.min(failures - 1, 10), 5_000);
  return Math.round(full * (0.5 + Math.random() / 2));
}
