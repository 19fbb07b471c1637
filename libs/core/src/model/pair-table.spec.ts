import { describe, expect, it } from '@jest/globals';
import { extensionError, MAX_PAIRS, type Pair, pairRowsOf, PairTable, pairTablesIn } from './pair-table.js';

const many = (count: number): Pair[] => Array.from({ length: count }, (_, at) => [`k${at}`, `v${at}`]);

describe('a table of pairs', () => {
  const table = PairTable.EMPTY.with([
    ['a', '1'],
    ['b', '2'],
  ]);

  it('takes pairs whose key and value are both new, to it and to those before them', () => {
    const given: Pair[] = [
      ['a', '3'],
      ['c', '1'],
      ['c', '3'],
      ['d', '3'],
      ['c', '4'],
      ['e', '5'],
    ];
    expect(table.newAmong(given)).toEqual([
      ['c', '3'],
      ['e', '5'],
    ]);
    expect([...table.with(given).byKey]).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['e', '5'],
    ]);
    expect(table.byKey.size).toBe(2);
  });

  it('is itself where nothing is new', () => {
    expect(table.with([['a', '1']])).toBe(table);
    expect(table.with([['z', '2']])).toBe(table);
  });

  it('comes in parts of a hundred, and back in its order', () => {
    const tables = new Map([
      ['x', PairTable.EMPTY.with(many(250))],
      ['y', table],
    ]);
    const rows = [...pairRowsOf(tables)];
    expect(rows.map(({ connector, pairs }) => [connector, pairs.length])).toEqual([
      ['x', 100],
      ['x', 100],
      ['x', 50],
      ['y', 2],
    ]);
    const back = pairTablesIn(rows);
    expect([...back.keys()]).toEqual(['x', 'y']);
    expect([...(back.get('x')?.byKey ?? [])]).toEqual(many(250));
    expect(back.get('y')?.newAmong([['z', '2']])).toEqual([]);
  });
});

describe('pairs to be added', () => {
  it.each([
    ['é', 200, 400],
    ['é', 201, 402],
    ['€', 134, 402],
    ['😀', 100, 400],
    ['😀', 101, 404],
  ])('are refused where one side has more than 400 bytes: %s, %d times', (character, times, bytes) => {
    const text = character.repeat(times);
    for (const [part, pair] of [
      ['key', [text, 'v']],
      ['value', ['k', text]],
    ] as const) {
      const problem = new RegExp(`^The ${part} ".*…" of a pair of connector c has ${bytes} bytes; at most 400 are allowed$`, 'u');
      expect(extensionError('c', PairTable.EMPTY, [pair])).toEqual(bytes > 400 ? expect.stringMatching(problem) : undefined);
    }
  });

  it('are refused where a connector would have too many; those that change nothing do not count', () => {
    const full = PairTable.EMPTY.with(many(MAX_PAIRS));
    expect(extensionError('c', full, many(MAX_PAIRS))).toBeUndefined();
    expect(extensionError('c', full, [['x', 'v1']])).toBeUndefined();
    expect(extensionError('c', full, [['x', 'y']])).toBe('Connector c would have 20001 pairs; at most 20000 are allowed');
  });
});
