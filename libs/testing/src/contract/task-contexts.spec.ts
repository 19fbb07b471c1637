import { describe, expect, it } from '@jest/globals';
import { splitTestContext } from './task-contexts.js';

describe('the context that a connector under test splits its work with', () => {
  it('has pairs of which the first with a key, or with a value, counts', async () => {
    const { pairs, signal } = splitTestContext();
    expect([...(await pairs.extend(new Map(Object.entries({ a: '1', b: '1', c: '3' }))))]).toEqual(Object.entries({ a: '1', c: '3' }));
    const agreed = await pairs.extend(new Map(Object.entries({ a: '2', b: '3', d: '4' })));
    expect([...agreed]).toEqual(Object.entries({ a: '1', c: '3', d: '4' }));
    (agreed as Map<string, string>).clear();
    expect((await pairs.read()).size).toBe(3);
    expect(signal.aborted).toBe(false);
  });
});
