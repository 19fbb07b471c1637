import { onAbort } from './on-abort.js';

/** Resolves after `delayMs`, or at once when the signal aborts; the timer is cleared then. Never rejects. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      unlisten();
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    const unlisten = onAbort(signal, end);
  });
}
