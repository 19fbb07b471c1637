import { describe, expect, it } from '@jest/globals';
import { untilCalled } from './until-called.js';

describe('a wait for a call', () => {
  const begin = (signal: AbortSignal): { readonly resume: () => void; readonly isOver: () => boolean; readonly handedOut: number } => {
    let resume: (() => void) | undefined;
    let handedOut = 0;
    let over = false;
    void untilCalled(signal, (given) => {
      handedOut += 1;
      resume = given;
    }).then(() => {
      over = true;
    });
    return { resume: () => resume?.(), isOver: () => over, handedOut };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('ends with the call, and leaves no listener behind', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const wait = begin(signal);
    await turn();
    expect([wait.isOver(), listeners]).toEqual([false, 1]);
    wait.resume();
    await turn();
    expect([wait.isOver(), listeners]).toEqual([true, 0]);
  });

  it('ends with the signal, and does not begin after it', async () => {
    const stop = new AbortController();
    const wait = begin(stop.signal);
    stop.abort();
    await turn();
    expect(wait.isOver()).toBe(true);
    const late = begin(stop.signal);
    await turn();
    expect([late.isOver(), late.handedOut]).toEqual([true, 0]);
  });
});
