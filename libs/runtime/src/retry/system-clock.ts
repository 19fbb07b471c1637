import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../ports/clock.port.js';

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (delayMs, signal) => {
    try {
      await delay(delayMs, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
  yieldToIo: () => immediate(),
  random: () => Math.random(),
};
