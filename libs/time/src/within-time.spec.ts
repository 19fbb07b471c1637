import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { withinTime } from './within-time.js';

const late = (): Error => new Error('late');

describe('withinTime', () => {
  it('rejects when the time is over', async () => {
    await expect(withinTime(new Promise(() => undefined), 1, late)).rejects.toThrow('late');
  });

  it('waits for what a sender gave more time than a timer can count', async () => {
    await expect(withinTime(delay(30, 'done'), 2 ** 40, late)).resolves.toBe('done');
  });
});
