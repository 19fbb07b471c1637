import { describe, expect, it } from '@jest/globals';
import { runCheck, atMostEvery } from './health-check.js';

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

  it('is down in time when a check gives no answer, and aborts it', async () => {
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

describe('atMostEvery', () => {
  const { signal } = new AbortController();

  it('carries the check out once per interval and gives its outcome in between, also a failure', async () => {
    let nowMs = 0;
    let runs = 0;
    const { check } = atMostEvery(
      1000,
      {
        name: 'store',
        check: () => {
          runs += 1;
          if (runs === 2) throw new Error('full');
          return { runs };
        },
      },
      () => nowMs,
    );
    expect(await check(signal)).toEqual({ runs: 1 });
    nowMs = 999;
    expect(await check(signal)).toEqual({ runs: 1 });
    nowMs = 1000;
    await expect(check(signal)).rejects.toThrow('full');
    nowMs = 1500;
    await expect(check(signal)).rejects.toThrow('full');
    nowMs = 2000;
    expect(await check(signal)).toEqual({ runs: 3 });
  });

  it('does not begin another one while one runs, however long that takes', async () => {
    let nowMs = 0;
    let runs = 0;
    const finish: (() => void)[] = [];
    const { check } = atMostEvery(
      1000,
      {
        name: 'store',
        check: async () => {
          runs += 1;
          await new Promise<void>((resolve) => {
            finish.push(resolve);
          });
          return { runs };
        },
      },
      () => nowMs,
    );
    const first = check(signal);
    await Promise.resolve();
    nowMs = 5000;
    const second = check(signal);
    await Promise.resolve();
    for (const each of finish) each();
    expect(await Promise.all([first, second])).toEqual([{ runs: 1 }, { runs: 1 }]);
  });
});
