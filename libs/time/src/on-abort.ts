interface Waiting {
  readonly callbacks: Set<() => void>;
  readonly fire: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls back once when a signal aborts that is not aborted yet. Returns a function that cancels the callback.
 * All callbacks of a signal share one listener: Node warns of a leak from the eleventh listener of a signal on.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => undefined;
  const waiting = waitingFor.get(signal) ?? listen(signal);
  // Two waits with one function are two.
  const own = (): void => {
    callback();
  };
  waiting.callbacks.add(own);
  return () => {
    if (!waiting.callbacks.delete(own) || waiting.callbacks.size > 0) return;
    signal.removeEventListener('abort', waiting.fire);
    if (waitingFor.get(signal) === waiting) waitingFor.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>();
  const fire = (): void => {
    waitingFor.delete(signal);
    for (const callback of [...callbacks]) if (callbacks.has(callback)) callback();
  };
  const waiting = { callbacks, fire };
  waitingFor.set(signal, waiting);
  signal.addEventListener('abort', fire, { once: true });
  return waiting;
}
