import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LinkGroup } from './link-group.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const warnings: string[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (text: string) => void warnings.push(text),
  error: () => undefined,
};
const options = { group: 'g', topic: 'rpc', startupTimeoutMs: 1_000, logger };

describe('a missing group', () => {
  it('is created once for all who report it, also for those who report it later', async () => {
    let created = 0;
    const prepareGroup = (): Promise<void> => {
      created += 1;
      return Promise.resolve();
    };
    const group = new LinkGroup({ ...options, prepareGroup });
    await group.prepare();
    await Promise.all([group.prepareAgain(), group.prepareAgain()]);
    await jest.advanceTimersByTimeAsync(5_500);
    await group.prepareAgain();
    expect(created).toBe(2);
    await jest.advanceTimersByTimeAsync(1_000);
    await group.prepareAgain();
    expect(created).toBe(3);
  });

  it('is created at the next refusal where that failed', async () => {
    let created = 0;
    const prepareGroup = (): Promise<void> => {
      created += 1;
      return created === 1 ? Promise.reject(new Error('no broker')) : Promise.resolve();
    };
    const group = new LinkGroup({ ...options, prepareGroup });
    await group.prepareAgain();
    expect(warnings).toEqual(["Group 'g' of topic 'rpc' is missing and cannot be created: no broker"]);
    await group.prepareAgain();
    expect(created).toBe(2);
  });
});
