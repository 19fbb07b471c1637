import { onAbort } from './on-abort.js';

/** Hands out a function, and resolves when somebody calls it or the signal aborts; at once, without handing it out, where the signal has aborted. */
export function untilCalled(signal: AbortSignal, handOut: (resume: () => void) => void): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = onAbort(signal, resolve);
    handOut(() => {
      cancel();
      resolve();
    });
  });
}
