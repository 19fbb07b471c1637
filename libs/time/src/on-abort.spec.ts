import { describe, expect, it } from '@jest/globals';
import { onAbort } from './on-abort.js';

describe('waits for one signal', () => {
  it('share a listener, which the last of them removes', () => {
    const stop = new AbortController();
    const { signal } = stop;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const called: number[] = [];
    const ends = Array.from({ length: 40 }, (_, index) => onAbort(signal, () => called.push(index)));
    expect(listeners).toBe(1);
    for (const end of ends) end();
    for (const end of ends) end();
    expect(listeners).toBe(0);
    onAbort(signal, () => called.push(40));
    const taken = onAbort(signal, () => called.push(41));
    onAbort(signal, () => {
      called.push(42);
      takenLate();
    });
    const takenLate = onAbort(signal, () => called.push(43));
    taken();
    stop.abort();
    expect(called).toEqual([40, 42]);
  });
});
