import { describe, expect, it } from '@jest/globals';
import { SinkStream } from './sink-stream.js';

const source = { topic: 't', brokerName: 'a', queueId: 0 };
const target = { topic: 't', brokerName: 'b', queueId: 3 };
const stream = new SinkStream({ connector: 'c', cluster: 'one', source, target });
const progress = { seq: 40, position: { offset: 41, last: { storeTime: 1_700_000_000_000, idHash: '0abcdef' } } };

describe('the stream of a sink', () => {
  it('reads what it has written, among other properties', () => {
    const stamp = stream.stamper(9)(progress);
    expect(stream.eventOf(Buffer.from(`KEYS\u0001k\u0002${stamp}`))).toEqual({ kind: 'stamp', generation: 9, progress });
    expect(stream.eventOf(Buffer.from(stream.barrier(9).properties))).toEqual({ kind: 'barrier', generation: 9 });
    const { body, properties } = stream.mark(9, progress);
    expect(stream.eventOf(Buffer.from(`${properties}CLUSTER\u0001x\u0002`))).toEqual({ kind: 'mark', generation: 9, progress });
    expect([...body]).toEqual([0]);
  });

  it.each([
    ['another connector', { connector: 'd' }],
    ['another cluster', { cluster: 'two' }],
    ['another queue of the source', { source: { ...source, queueId: 1 } }],
    ['another queue of the target, such as of a copy', { target: { ...target, queueId: 4 } }],
  ])('does not take what belongs to %s', (_name, other) => {
    const foreign = new SinkStream({ connector: 'c', cluster: 'one', source, target, ...other });
    for (const text of [foreign.stamper(9)(progress), foreign.barrier(9).properties, foreign.mark(9, progress).properties]) {
      expect(stream.eventOf(Buffer.from(text))).toBeUndefined();
    }
    expect(stream.eventOf(Buffer.from('KEYS\u0001k\u0002'))).toBeUndefined();
  });
});
