import { describe, expect, it } from '@jest/globals';
import { retry, type RetryOptions } from './retry.js';

const limits = { initialMs: 1, maxMs: 2 };
const unavailable = new Error('unavailable');
const refused = new Error('refused');

/** Gives its outcomes one after the other. */
function answers(...outcomes: readonly (Error | string)[]): () => Promise<string> {
  const left = [...outcomes];
  return () => {
    const outcome = left.shift() ?? 'called too often';
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
}

function optionsWith(more: Partial<RetryOptions> = {}): RetryOptions {
  return { limits, signal: new AbortController().signal, mayRetry: (error) => error === unavailable, ...more };
}

describe('retry', () => {
  it('makes the call until one attempt succeeds, and reports each failure', async () => {
    const failures: unknown[] = [];
    const onRetry = (error: unknown, attempt: number): void => void failures.push([error, attempt]);
    await expect(retry(answers(unavailable, unavailable, 'done'), optionsWith({ onRetry }))).resolves.toBe('done');
    expect(failures).toEqual([
      [unavailable, 1],
      [unavailable, 2],
    ]);
  });

  it('throws at once what another attempt cannot change', async () => {
    await expect(retry(answers(unavailable, refused, 'done'), optionsWith())).rejects.toBe(refused);
  });

  it('starts no attempt after its limit', async () => {
    const late = optionsWith({ limits: { initialMs: 60_000, maxMs: 60_000 }, limitMs: 20_000 });
    await expect(retry(answers(unavailable, 'done'), late)).rejects.toBe(unavailable);
  });

  it.each(['attempt', 'pause'] as const)('throws the last error when the signal aborts in an %s', async (moment) => {
    const stopping = new AbortController();
    const abort = (): void => {
      stopping.abort();
    };
    const options = optionsWith({
      limits: { initialMs: 60_000, maxMs: 60_000 },
      signal: stopping.signal,
      onRetry: () => void setImmediate(abort),
    });
    const call = answers(unavailable, 'done');
    const calling = (): Promise<string> => {
      if (moment === 'attempt') abort();
      return call();
    };
    await expect(retry(calling, options)).rejects.toBe(unavailable);
  });
});
