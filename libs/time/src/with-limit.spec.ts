import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withLimit } from './with-limit.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Ends with the signal only, which nobody else knows. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

describe('withLimit', () => {
  it('ends what takes too long, also when garbage was collected meanwhile', async () => {
    const acting = withLimit(new AbortController().signal, 200, untilAborted);
    const collecting = (async () => {
      for (let round = 0; round < 5; round += 1) {
        await delay(10);
        collectGarbage();
      }
    })();
    await expect(acting).rejects.toMatchObject({
      code: 'TIME_LIMIT',
      retriable: true,
      message: 'Not done within 200 ms',
    });
    await collecting;
  });

  it('ends with the signal that it goes with, for its reason', async () => {
    const stopping = new AbortController();
    const acting = withLimit(stopping.signal, 60_000, untilAborted);
    const reason = new Error('stop');
    stopping.abort(reason);
    await expect(acting).rejects.toBe(reason);
  });

  it('gives what was done in time, and leaves no timer', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await expect(withLimit(new AbortController().signal, 60_000, () => Promise.resolve('done'))).resolves.toBe('done');
    expect(timers()).toBe(before);
  });
});
