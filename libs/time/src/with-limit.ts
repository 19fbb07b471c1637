/** The reason that an action's signal has when its time limit is over. */
class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';
  readonly code = 'TIME_LIMIT';
  readonly retriable = true;

  constructor(readonly limitMs: number) {
    super(`Not done within ${limitMs} ms`);
  }
}

/**
 * Runs an action with a signal that aborts with `signal`, and after `limitMs` with a TimeLimitError. `AbortSignal.any` of `AbortSignal.timeout`
 * does not do: Node 20 forgets that timeout at the next garbage collection, and the action never ends.
 */
export async function withLimit<T>(signal: AbortSignal, limitMs: number, act: (limited: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new TimeLimitError(limitMs));
  }, limitMs);
  try {
    return await act(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
