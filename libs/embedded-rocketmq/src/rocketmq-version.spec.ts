import { describe, expect, it } from '@jest/globals';
import { checkRocketmqVersion, isOlder } from './rocketmq-version.js';

describe('RocketMQ versions', () => {
  it('are named when another one is given', () => {
    expect(() => {
      checkRocketmqVersion('4.9.8');
    }).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'version "4.9.8" given: 4.9.7, 5.1.4, 5.5.0 are allowed',
      }),
    );
    expect(() => {
      checkRocketmqVersion('5.1.4');
    }).not.toThrow();
  });

  it('are ordered by age', () => {
    expect(isOlder('4.9.7', '5.1.4')).toBe(true);
    expect(isOlder('5.5.0', '5.1.4')).toBe(false);
    expect(isOlder('5.5.0', '5.5.0')).toBe(false);
  });
});
