import { onAbort } from '@sluice/time';

/** Resolves with the promise's value, or `undefined` once the signal is aborted and the promise rejected. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** As {@link unlessAborted}, and resolves with `undefined` as soon as the signal is aborted, whatever the promise does later. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  let unlisten = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    unlisten = onAbort(signal, () => {
      resolve(undefined);
    });
  });
  try {
    return await unlessAborted(Promise.race([promise, aborted]), signal);
  } finally {
    unlisten();
  }
}
