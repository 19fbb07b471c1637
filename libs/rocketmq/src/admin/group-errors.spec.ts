import { describe, expect, it } from '@jest/globals';
import { BrokerResponseError } from '../errors.js';
import { isGroupMissing } from './group-errors.js';

function answered(responseCode: number, remark: string): BrokerResponseError {
  return new BrokerResponseError({ request: 'r', address: 'a:1', responseCode, remark }, { retriable: false });
}

describe('isGroupMissing', () => {
  it.each([
    ['a broker', 26, 'subscription group [g] does not exist'],
    ['a broker before 5.2', 1, 'No group in this broker'],
    ['a Proxy', 40_403, 'unknown'],
    ['a Proxy in the process of its broker', 50_001, 'CODE: 26  DESC: subscription group [g] does not exist, See https://x'],
  ])('knows the answer of %s', (_server, code, remark) => {
    expect(isGroupMissing(answered(code, remark))).toBe(true);
  });

  it.each([
    ['a group without members', 24, "the consumer's group info not exist"],
    ['a topic that does not exist', 17, 'topic[group-1] not exist'],
    ['another error of the broker', 50_001, 'CODE: 1  DESC: store is full'],
  ])('does not take %s for it', (_what, code, remark) => {
    expect(isGroupMissing(answered(code, remark))).toBe(false);
  });

  it('does not take an error of another kind for it', () => {
    expect(isGroupMissing(new Error('subscription group [g] does not exist'))).toBe(false);
  });
});
