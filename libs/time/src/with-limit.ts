/**
 * Gives an action a signal that is aborted with `signal`, and after `limitMs` with a TimeoutError. Not `AbortSignal.any` of `AbortSignal.timeout`:
 * Node 20 forgets that timeout at the next garbage collection, and whoever waits then waits for ever.
 */
export async function withLimit<T>(
  signal: AbortSignal,
  limitMs: number,
  act: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new DOMException(`Not done within ${String(limitMs)} ms`, 'TimeoutError'));
  }, limitMs);
  try {
    return await act(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
