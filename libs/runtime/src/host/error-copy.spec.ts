import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, isRetriable, RetriableError } from '@sluice/sdk';
import { isLasting } from '../retry/restart-policy.js';
import { isSuperseded, SupersededError } from '../task/superseded-error.js';
import { copyError, restoreError } from './error-copy.js';
import { errorTrace } from '../task/error-text.js';

/** What the other thread makes of an error. */
const passed = (error: unknown): unknown => restoreError(structuredClone(copyError(error)));

const odd = (parts: object): Error => Object.defineProperties(new Error('x'), Object.getOwnPropertyDescriptors(parts));

describe('an error that passes to another thread', () => {
  it('is shown as it was, with its causes', () => {
    const error = new ConnectError(ConnectErrorCode.sinkFailed, 'no room', { cause: new TypeError('disk', { cause: 'full' }) });
    expect(errorTrace(passed(error))).toBe(errorTrace(error));
  });

  it('decides about a restart as it did', () => {
    expect(isLasting(passed(new ConnectError(ConnectErrorCode.configInvalid, 'wrong')))).toBe(true);
    expect(isRetriable(passed(new RetriableError('later')))).toBe(true);
    expect(isRetriable(passed(Object.assign(new Error('busy'), { retriable: true })))).toBe(true);
    expect(isRetriable(passed(new Error('x')))).toBe(false);
    expect(isSuperseded(passed(SupersededError.ofSink()))).toBe(true);
    expect(isSuperseded(passed(new ConnectError(ConnectErrorCode.fenced, 'another')))).toBe(false);
  });

  it('may be anything, and a circle of causes', () => {
    expect(passed('text')).toBe('text');
    expect(errorTrace(passed({ a: 1 }))).toBe('{ a: 1 }');
    const circle = new Error('round');
    circle.cause = circle;
    expect(errorTrace(passed(circle))).toContain('round');
  });

  it.each([
    ['a message that is undefined', odd({ message: undefined })],
    ['a message that is an object with a function', odd({ message: { toJSON: () => 'refused' } })],
    ['a stack of call sites, as Error.prepareStackTrace makes it', odd({ stack: [{ getFileName: () => 'a.js' }] })],
    ['a name that is a symbol', odd({ name: Symbol('odd') })],
    [
      'a cause that cannot be read',
      odd({
        get cause() {
          throw new Error('not to be shown');
        },
      }),
    ],
    [
      'no error, and an inspection that throws',
      {
        [Symbol.for('nodejs.util.inspect.custom')]: () => {
          throw new Error('not to be shown');
        },
      },
    ],
  ])('passes with %s', (_what, error) => {
    expect(() => passed(error)).not.toThrow();
  });
});
