import { describe, expect, it } from '@jest/globals';
import { ClientClosedError, ConnectFailedError, isRetriableRocketMqError } from './errors.js';

describe('isRetriableRocketMqError', () => {
  it('knows the errors of this package that say so', () => {
    expect(isRetriableRocketMqError(new ConnectFailedError('a:1', 'refused'))).toBe(true);
  });

  it.each([
    ['an error of this package that says otherwise', new ClientClosedError('send')],
    ['an error of somebody else with the same mark', Object.assign(new Error('busy'), { retriable: true })],
    ['a text', 'busy'],
    ['nothing', undefined],
  ])('refuses %s', (_what, value) => {
    expect(isRetriableRocketMqError(value)).toBe(false);
  });
});
