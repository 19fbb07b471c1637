import { describe, expect, it } from '@jest/globals';
import { isRedirectToMaster } from './replica-reads.js';

describe('the answer to a pull', () => {
  it('of a replica behind the address of the master leads to the master', () => {
    expect(isRedirectToMaster({ code: 20, remark: 'OFFSET_OVERFLOW_ONE' })).toBe(true);
  });

  it.each([
    [20, 'NO_MATCHED_MESSAGE'],
    [20, 'MESSAGE_WAS_REMOVING'],
    [20, ''],
    [19, 'OFFSET_OVERFLOW_ONE'],
    [21, 'OFFSET_TOO_SMALL'],
  ])('with code %i and remark %j is one of a master', (code, remark) => {
    expect(isRedirectToMaster({ code, remark })).toBe(false);
  });
});
