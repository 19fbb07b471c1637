import { describe, expect, it } from '@jest/globals';
import { isMet } from './figure.js';
import { flowFigures, judgeFlow, type SiteMessage } from './flow-judge.js';

const at = (queue: string, number: number, checksum = String(number)): SiteMessage => {
  return { queue, site: 'a', number, isCopy: false, checksum };
};
const SENT = [at('a:0', 1), at('a:0', 3), at('a:1', 2), at('a:1', 4)];
const RIGHT = [at('b:1', 1), at('b:1', 3), at('b:0', 2), at('b:0', 4)];
const NONE = { missing: 0, twice: 0, outOfOrder: 0, altered: 0, unknown: 0 };

describe('the judge of a flow', () => {
  it('finds nothing where each queue was copied once, in order, into a queue of its own', () => {
    expect(judgeFlow(SENT, RIGHT)).toEqual({ sent: 4, ...NONE, details: [] });
  });

  it.each<[string, readonly SiteMessage[], object]>([
    ['a loss', RIGHT.slice(1), { missing: 1 }],
    ['a copy that came again, with all behind it', [...RIGHT, at('b:0', 2), at('b:0', 4)], { twice: 2 }],
    ['an earlier copy after a later one', [at('b:1', 3), at('b:1', 1), at('b:0', 2), at('b:0', 4)], { outOfOrder: 1 }],
    ['copies of two queues in one', [at('b:0', 1), at('b:0', 3), at('b:0', 2), at('b:0', 4)], { outOfOrder: 2 }],
    ['another content', [at('b:1', 1, 'x'), ...RIGHT.slice(1)], { altered: 1 }],
    ['what nobody sent', [...RIGHT, at('b:0', 9)], { unknown: 1 }],
  ])('finds %s', (_what, copies, expected) => {
    expect(judgeFlow(SENT, copies)).toMatchObject({ ...NONE, ...expected });
  });

  it('takes lines of one file as they come, as long as each queue keeps its order', () => {
    const lines = [4, 1].map((number) => ({ queue: 'file', number }));
    expect(judgeFlow(SENT, [{ queue: 'file', number: 2 }, ...lines, { queue: 'file', number: 3 }], false)).toMatchObject(NONE);
    expect(judgeFlow(SENT, [...lines, { queue: 'file', number: 2 }, { queue: 'file', number: 3 }], false)).toMatchObject({ outOfOrder: 1 });
  });

  it('refuses numbers that a producer has sent twice', () => {
    expect(() => judgeFlow([...SENT, at('a:1', 1)], RIGHT)).toThrow('number 1 was sent twice: at a:1 and at a:0');
  });

  it('allows what comes twice only where a reader is to leave it out', () => {
    const verdict = judgeFlow(SENT, [...RIGHT, at('b:0', 4)]);
    const missed = (mayComeTwice: boolean): readonly string[] =>
      flowFigures('a to b', verdict, mayComeTwice).flatMap((figure) => (isMet(figure) ? [] : figure.name));
    expect(missed(true)).toEqual([]);
    expect(missed(false)).toEqual(['a to b: seen twice']);
  });
});
