/**
 * Aborted with `signal`, and after `limitMs` with a TimeoutError. Not `AbortSignal.any` of `AbortSignal.timeout`: Node 20 forgets that timeout at
 * the next garbage collection, and whoever waits then waits for ever.
 */
export function limitedSignal(signal: AbortSignal, limitMs: number): AbortSignal {
  const limit = new AbortController();
  setTimeout(() => {
    limit.abort(new DOMException(`Not done within ${String(limitMs)} ms`, 'TimeoutError'));
  }, limitMs).unref();
  return AbortSignal.any([signal, limit.signal]);
}
