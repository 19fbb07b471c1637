import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, ConfigError } from '@sluice/sdk';
import { decideRestart, isLasting, type RestartPolicy } from './restart-policy.js';

const policy: RestartPolicy = { maxAttempts: 3, backoff: { initialMs: 100, maxMs: 1000 } };
const error = new Error('broken');

describe('decideRestart', () => {
  it.each([
    [0, 1, 100],
    [1, 2, 200],
    [2, 3, 400],
  ])('waits twice as long each time: after %i restarts', (attempts, attempt, longest) => {
    const decide = (random: number): unknown => decideRestart(policy, { error, attempts, ranMs: 999 }, random);
    expect(decide(0)).toEqual({ kind: 'restart', attempt, delayMs: longest / 2 });
    expect(decide(0.5)).toEqual({ kind: 'restart', attempt, delayMs: (longest * 3) / 4 });
  });

  it('waits no longer than the maximum', () => {
    const endless = { ...policy, maxAttempts: undefined };
    expect(decideRestart(endless, { error, attempts: 5000, ranMs: 0 }, 0)).toEqual({
      kind: 'restart',
      attempt: 5001,
      delayMs: 500,
    });
  });

  it('gives up when all restarts of the row were made, and at once when none is allowed', () => {
    expect(decideRestart(policy, { error, attempts: 3, ranMs: 999 }, 0)).toEqual({ kind: 'exhausted' });
    const never = { ...policy, maxAttempts: 0 };
    expect(decideRestart(never, { error, attempts: 0, ranMs: 5000 }, 0)).toEqual({ kind: 'exhausted' });
  });

  it('begins again once the task ran for as long as the longest delay', () => {
    const decision = decideRestart(policy, { error, attempts: 3, ranMs: 1000 }, 0);
    expect(decision).toEqual({ kind: 'restart', attempt: 1, delayMs: 50 });
  });

  it('does not repeat what no repetition can fix', () => {
    const wrong = new ConfigError('The configuration', [{ field: 'file', message: 'is missing' }]);
    expect(decideRestart(policy, { error: wrong, attempts: 0, ranMs: 5000 }, 0)).toEqual({ kind: 'final' });
  });
});

describe('isLasting', () => {
  it.each([
    ['wrong settings', new ConnectError(ConnectErrorCode.configInvalid, 'x'), true],
    ['an unknown class', new ConnectError(ConnectErrorCode.pluginNotFound, 'x'), true],
    ['a record that cannot be converted', new ConnectError(ConnectErrorCode.conversionFailed, 'x'), true],
    ['a damaged state', new ConnectError(ConnectErrorCode.stateInvalid, 'x'), true],
    ['the same, marked retriable', new ConnectError(ConnectErrorCode.stateInvalid, 'x', { retriable: true }), false],
    ['a target that cannot be written', new ConnectError(ConnectErrorCode.sinkFailed, 'x'), false],
    ['a lock of someone else', new ConnectError(ConnectErrorCode.lockHeld, 'x'), false],
    ['an error of a library', new TypeError('x'), false],
    ['something that is no error', 'text', false],
  ])('%s', (_what, error, lasting) => {
    expect(isLasting(error)).toBe(lasting);
  });
});
