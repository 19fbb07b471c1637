import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Difference } from './difference.js';
import { type Direction, reconcile, type Remembered } from './reconcile.js';
import type { SyncAction } from './sync-action.js';

const CREATE: SyncAction = { kind: 'create-group', name: 'g', broker: 'x', change: {} };
const UPDATE: SyncAction = { kind: 'update-group', name: 'g', broker: 'x', change: {} };
const DELETE: SyncAction = { kind: 'delete-group', name: 'g', broker: undefined };

function difference(source: string | undefined, target: string | undefined): Difference {
  return {
    kind: 'group',
    name: 'g',
    from: 'g',
    source,
    target,
    sourceBrokers: source === undefined ? [] : ['a'],
    additions: source !== undefined && target === undefined ? [CREATE] : [],
    changes: source !== undefined && target !== undefined && source !== target ? [UPDATE] : [],
    removals: source === undefined && target !== undefined ? [{ part: '', action: DELETE }] : [],
    notes: [],
  };
}

const oneWay: Direction = { isTwoWay: false, isSourceFirst: false, isDeleteAllowed: false, isLeftLong: false, answered: new Set(['a']) };
const twoWay: Direction = { ...oneWay, isTwoWay: true };
const first: Direction = { ...twoWay, isSourceFirst: true };
const agreed: Remembered = { from: 'g', source: 'old', target: 'old', made: [], brokers: ['a'] };
const made: Remembered = { ...agreed, made: [''] };
const deleting = { isDeleteAllowed: true };

describe('reconcile', () => {
  it.each<[string, string | undefined, string | undefined, Remembered | undefined, Direction, readonly string[]]>([
    ['one way: creates', 'new', undefined, undefined, oneWay, ['create-group']],
    ['one way: replaces', 'new', 'old', undefined, oneWay, ['update-group']],
    ['one way: repairs what was changed at the target', 'old', 'other', agreed, oneWay, ['update-group']],
    ['one way: makes again what was deleted at the target', 'old', undefined, agreed, oneWay, ['create-group']],
    ['two ways: creates what nobody knows', 'new', undefined, undefined, twoWay, ['create-group']],
    ['two ways: carries a change of the source', 'new', 'old', agreed, twoWay, ['update-group']],
    ['two ways: leaves a change of the target', 'old', 'new', agreed, twoWay, []],
    ['two ways: leaves a change of the target, also as the first', 'old', 'new', agreed, first, []],
    [
      'two ways: the first wins where the other flow carries nothing',
      'old',
      'new',
      agreed,
      { ...first, isLeftLong: true },
      ['update-group'],
    ],
    ['two ways: the second keeps waiting', 'old', 'new', agreed, { ...twoWay, isLeftLong: true }, []],
    ['two ways: leaves a deletion at the target', 'old', undefined, agreed, first, []],
    ['two ways: the first wins where both changed', 'new', 'other', agreed, first, ['update-group']],
    ['two ways: the second waits where both changed', 'new', 'other', agreed, twoWay, []],
    ['two ways: the first wins where nobody knows', 'new', 'other', undefined, first, ['update-group']],
    ['two ways: the second waits where nobody knows', 'new', 'other', undefined, twoWay, []],
    ['two ways: the first makes again what was deleted after a change', 'new', undefined, agreed, first, ['create-group']],
    ['deletes nothing by default', undefined, 'old', made, oneWay, []],
    ['deletes what it has made', undefined, 'old', made, { ...oneWay, ...deleting }, ['delete-group']],
    ['deletes nothing that others made', undefined, 'old', agreed, { ...oneWay, ...deleting }, []],
    ['deletes nothing that it does not know', undefined, 'old', undefined, { ...oneWay, ...deleting }, []],
    ['deletes nothing while a broker does not answer', undefined, 'old', made, { ...oneWay, ...deleting, answered: new Set() }, []],
    ['deletes nothing of unknown brokers', undefined, 'old', { ...made, brokers: [] }, { ...oneWay, ...deleting }, []],
    ['two ways: deletes what nobody changed', undefined, 'old', made, { ...first, ...deleting }, ['delete-group']],
    ['two ways: keeps what was changed at the target', undefined, 'new', made, { ...first, ...deleting }, []],
  ])('%s', (_, source, target, memory, direction, expected) => {
    const found = difference(source, target);
    const { actions, left, isAgreed } = reconcile(found, memory, direction);
    expect(actions.map(({ kind }) => kind)).toEqual(expected);
    expect(isAgreed).toBe(false);
    const isOffered = found.removals.length === 0 || memory?.made.length === 1;
    expect(left !== undefined).toBe(expected.length === 0 && isOffered);
  });

  it('adds queues whoever decides, and deletes a part only where it has made it', () => {
    const grown = { ...difference('new', 'other'), additions: [CREATE] };
    expect(reconcile(grown, agreed, twoWay).actions).toEqual([CREATE]);
    const extra = { ...difference('same', 'same'), removals: [{ part: 'Topic:t', action: DELETE }] };
    const remembered = { ...agreed, source: 'same', target: 'same' };
    const allowed = { ...oneWay, ...deleting };
    expect(reconcile(extra, { ...remembered, made: ['Topic:t'] }, allowed).actions).toEqual([DELETE]);
    expect(reconcile(extra, remembered, allowed)).toEqual({
      actions: [],
      isAgreed: true,
      left: 'Topic:t: the source does not have it; this flow did not make it',
    });
    expect(reconcile(extra, { ...remembered, made: ['Topic:t'] }, oneWay).left).toContain('sync.delete is false');
  });

  it('lets two flows that lead back to each other come to rest, whatever happens before and in whatever order', () => {
    const step = fc.oneof(
      fc.constantFrom('a to b', 'b to a', 'restart a to b', 'restart b to a'),
      fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y', 'z', undefined)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
        const state: Record<'a' | 'b', string | undefined> = { a: 'x', b: undefined };
        const memories: Record<string, Remembered | undefined> = {};
        const leftRounds = { a: 0, b: 0 };
        let changes = 0;
        const run = (from: 'a' | 'b', to: 'a' | 'b'): void => {
          const found = difference(state[from], state[to]);
          const { actions, isAgreed, left } = reconcile(found, memories[from], {
            ...twoWay,
            ...deleting,
            isSourceFirst: from === 'a',
            isLeftLong: leftRounds[from] >= 3,
          });
          if (isAgreed)
            memories[from] = { from: 'g', source: state[from]!, target: state[to]!, made: memories[from]?.made ?? [], brokers: ['a'] };
          leftRounds[from] = left === undefined ? 0 : leftRounds[from] + 1;
          if (actions.length === 0) return;
          changes += 1;
          if (state[to] === undefined) memories[from] = { from: 'g', brokers: ['a'], ...memories[from], made: [''] };
          state[to] = state[from];
        };
        for (const one of steps) {
          if (one === 'a to b') run('a', 'b');
          else if (one === 'b to a') run('b', 'a');
          else if (typeof one === 'string') memories[one === 'restart a to b' ? 'a' : 'b'] = undefined;
          else state[one[0]] = one[1];
        }
        for (let round = 0; round < 8; round += 1) {
          run('a', 'b');
          run('b', 'a');
        }
        changes = 0;
        run('b', 'a');
        run('a', 'b');
        run('b', 'a');
        expect(changes).toBe(0);
        if (state.a !== undefined && state.b !== undefined) expect(state.a).toBe(state.b);
      }),
      { numRuns: 300 },
    );
  });
});
