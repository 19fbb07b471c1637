import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { pause } from './pause.js';

describe('pause', () => {
  it('ends with its signal, which many pauses share without a listener each', async () => {
    const stopping = new AbortController();
    const pauses = Array.from({ length: 20 }, () => pause(60_000, stopping.signal));
    expect(getEventListeners(stopping.signal, 'abort')).toHaveLength(1);
    stopping.abort();
    await Promise.all(pauses);
    await pause(60_000, stopping.signal);
  });

  it('ends after its time and leaves no listener', async () => {
    const { signal } = new AbortController();
    await pause(1, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
