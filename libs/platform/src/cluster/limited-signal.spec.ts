import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { limitedSignal } from './limited-signal.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a signal with a limit', () => {
  it('is aborted in time, also when garbage was collected before, and when nobody but a listener knows it', async () => {
    const signal = limitedSignal(new AbortController().signal, 200);
    const heard = new Promise((resolve) => {
      limitedSignal(new AbortController().signal, 200).addEventListener('abort', resolve);
    });
    for (let round = 0; round < 5; round += 1) {
      await delay(10);
      collectGarbage();
    }
    await heard;
    for (let round = 0; round < 100 && !signal.aborted; round += 1) await delay(50);
    expect(signal.reason).toMatchObject({ name: 'TimeoutError', message: 'Not done within 200 ms' });
  });

  it('is aborted with the signal that it goes with, for its reason', () => {
    const stopping = new AbortController();
    const signal = limitedSignal(stopping.signal, 60_000);
    const reason = new Error('stop');
    stopping.abort(reason);
    expect(signal.reason).toBe(reason);
  });
});
