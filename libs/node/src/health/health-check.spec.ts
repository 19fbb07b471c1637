import { describe, expect, it } from '@jest/globals';
import { runCheck } from './run-check.js';

describe('runCheck', () => {
  it('is up with the details', async () => {
    expect(await runCheck({ name: 'log', check: () => ({ seq: 3 }) })).toEqual({ log: { status: 'up', seq: 3 } });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('the disk is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the disk is full'))],
  ])('is down with the reason of a check that %s', async (_, check) => {
    expect(await runCheck({ name: 'store', check })).toEqual({ store: { status: 'down', reason: 'the disk is full' } });
  });

  it('is down in time when a check gives no answer, and tells it to stop', async () => {
    let isTold = false;
    const check = (signal: AbortSignal): Promise<never> => {
      signal.addEventListener('abort', () => {
        isTold = true;
      });
      return new Promise(() => undefined);
    };
    expect(await runCheck({ name: 'log', check }, 20)).toEqual({
      log: { status: 'down', reason: 'no answer within 20 ms' },
    });
    expect(isTold).toBe(true);
  });
});
