import { onAbort } from './on-abort.js';

/** Resolves when the signal aborts, or at once where it is aborted already. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    onAbort(signal, resolve);
  });
}
