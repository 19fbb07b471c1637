import { describe, expect, it } from '@jest/globals';
import { isOfOneOrigin, restoredLogId } from './log-id.js';

describe('the id of a restored log', () => {
  it('is another one of the same origin, also after several restores', () => {
    const first = restoredLogId('a-1', 'x');
    const second = restoredLogId(first, 'y');
    expect([first, second]).toEqual(['a-1.x', 'a-1.y']);
    expect(isOfOneOrigin('a-1', first)).toBe(true);
    expect(isOfOneOrigin(first, second)).toBe(true);
  });

  it('distinguishes it from logs that were created again', () => {
    expect(isOfOneOrigin('a-1', 'a-10')).toBe(false);
    expect(isOfOneOrigin('a-1.x', 'b-1.x')).toBe(false);
  });
});
