import { describe, expect, it } from '@jest/globals';
import { beginOf, beginPairs, clustersIn, clustersPair, hasBegun, MARK_OF_BEGIN, queuesIn, requireSameClusters } from './agreed-queues.js';
import { SOURCE_SIDES } from './flow-clusters.js';

const queue = (topic: string, queueId: number) => ({ topic, brokerName: 'b', queueId });

describe('what a flow agrees upon', () => {
  const pairs = new Map([
    ['t@b:10', 't@x:1'],
    ['t@b:2', 't@x:0'],
    ['a@b:0', 'a@x:0'],
    ...beginPairs(
      new Map([
        ['t@b:2', 5],
        ['t@b:10', 0],
      ]),
    ),
  ]);

  it('are queues, by topic, broker and number, and no other pairs', () => {
    expect(queuesIn(new Map([...pairs, ...MARK_OF_BEGIN])).map(({ source }) => source)).toEqual([
      queue('a', 0),
      queue('t', 2),
      queue('t', 10),
    ]);
  });

  it('are the offsets at which queues begin, each with a value of its own', () => {
    expect([beginOf(pairs, queue('t', 2)), beginOf(pairs, queue('t', 10)), beginOf(pairs, queue('a', 0))]).toEqual([5, 0, undefined]);
    expect(new Set(pairs.values()).size).toBe(pairs.size);
  });

  it.each(['', '7', 'begin:t@b:1=7', 'begin:t@b:2=x', 'begin:t@b:2=-1'])('is no beginning with the value %p', (value) => {
    expect(beginOf(new Map([['begin:t@b:2', value]]), queue('t', 2))).toBeUndefined();
  });

  it('say when all queues of the first split were agreed upon', () => {
    expect(hasBegun(pairs)).toBe(false);
    expect(hasBegun(new Map([...pairs, ...MARK_OF_BEGIN]))).toBe(true);
  });

  it('are the clusters of both sides: others are refused, by the setting that leads to them', () => {
    const agreed = clustersIn(new Map([...pairs, ...clustersPair({ source: 'a', target: 'b' })]));
    expect(agreed).toEqual({ source: 'a', target: 'b' });
    expect(clustersIn(pairs)).toBeUndefined();
    requireSameClusters(undefined, { source: 'c', target: 'b' }, SOURCE_SIDES);
    requireSameClusters(agreed, { source: 'a', target: 'b' }, SOURCE_SIDES);
    const found = (source: string, target: string) => () => {
      requireSameClusters(agreed, { source, target }, SOURCE_SIDES);
    };
    expect(found('c', 'b')).toThrow(/source\.cluster\.url leads to cluster c; expected is a/);
    expect(found('a', 'c')).toThrow(/data\.cluster\.url leads to cluster c; expected is b/);
  });
});
