import { describe, expect, it } from '@jest/globals';
import { taskSupervision } from './task-supervision.js';

describe('taskSupervision', () => {
  it('has defaults that bridge some ten minutes', () => {
    expect(taskSupervision({})).toEqual({
      restart: { maxAttempts: 10, backoff: { initialMs: 1000, maxMs: 300_000 } },
      shutdownTimeoutMs: 5000,
    });
  });

  it('reads the settings, -1 for restarts without end', () => {
    const config = {
      'restart.max.attempts': '-1',
      'restart.backoff.initial.ms': '20',
      'restart.backoff.max.ms': '400',
      'task.shutdown.timeout.ms': '700',
    };
    expect(taskSupervision(config)).toEqual({
      restart: { maxAttempts: undefined, backoff: { initialMs: 20, maxMs: 400 } },
      shutdownTimeoutMs: 700,
    });
  });

  it('repeats nothing where a setting is wrong', () => {
    const { restart, shutdownTimeoutMs } = taskSupervision({ 'restart.max.attempts': '-2', other: 'x' });
    expect(restart.maxAttempts).toBe(0);
    expect(shutdownTimeoutMs).toBe(5000);
  });
});
