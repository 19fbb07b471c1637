import { describe, expect, it } from '@jest/globals';
import { EventLoopWatch } from './event-loop-watch.js';

/** A watch whose timer runs by hand, each turn late by so many milliseconds. */
function watchAfter(delaysMs: readonly number[]): EventLoopWatch {
  let nowMs = 0;
  const watch = new EventLoopWatch(() => nowMs);
  watch.onModuleInit();
  watch.onModuleDestroy();
  for (const delayMs of delaysMs) {
    nowMs += 500 + delayMs;
    watch.tick();
  }
  return watch;
}

const turns = (count: number, delayMs: number): number[] => Array.from({ length: count }, () => delayMs);
const answerOf = async (watch: EventLoopWatch): Promise<unknown> => watch.check.check(new AbortController().signal);

describe('the watch on the event loop', () => {
  it('shows the median delay', async () => {
    expect(await answerOf(watchAfter([]))).toEqual({ delayMs: 0 });
    expect(await answerOf(watchAfter([...turns(9, 1), 3, ...turns(10, 40)]))).toEqual({ delayMs: 3 });
  });

  it('takes a slow start for sound', async () => {
    expect(await answerOf(watchAfter(turns(10, 5000)))).toEqual({ delayMs: 0 });
  });

  it('forgives a process that was stopped once', async () => {
    expect(await answerOf(watchAfter([...turns(19, 2), 60_000]))).toEqual({ delayMs: 2 });
  });

  it('is unsound when most of the last turns are late, and sound again later', async () => {
    const late = [...turns(20, 2), ...turns(11, 1500)];
    await expect(answerOf(watchAfter(late))).rejects.toThrow(/^The event loop is late by 1500 ms at most of its turns/);
    expect(await answerOf(watchAfter([...late, ...turns(11, 2)]))).toEqual({ delayMs: 2 });
  });
});
