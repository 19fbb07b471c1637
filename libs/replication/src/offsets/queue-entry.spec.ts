import { describe, expect, it } from '@jest/globals';
import { encodeBarrier, encodeStamp, propertyText, queueTag, SluiceProperty, taskId } from '@sluice/protocol';
import type { SourcePosition } from '@sluice/sdk';
import { encodePosition } from '../messages/read-position.js';
import { copyStream, entryOf } from './queue-entry.js';

const queue = { topic: 't', brokerName: 'b', queueId: 3 };
const from = { topic: 's', brokerName: 'b', queueId: 1 };
const ours = copyStream('flow', 'cluster', from, queue);
const tag = queueTag(queue);
const task = taskId('flow', 0);

function message(...properties: readonly (readonly [string, string])[]): Parameters<typeof entryOf>[0] {
  const block = properties.map(([name, value]) => propertyText(name, value)).join('');
  return { queueOffset: 12, storeTimestamp: 99, rawProperties: Buffer.from(block) };
}

const at41 = encodePosition({ offset: 41, last: { storeTime: 99, idHash: 'abcdefg' } });

function stampOf(position: SourcePosition, inQueue = tag, { stream } = ours): readonly [string, string] {
  return [SluiceProperty.stamp, encodeStamp({ task, stream, generation: 4, seq: 70, position }, inQueue)];
}

describe('entryOf', () => {
  const read = (...properties: readonly (readonly [string, string])[]): unknown => entryOf(message(...properties), ours);
  const other = { kind: 'other', offset: 12, storedAt: 99 };

  it('reads copies of the stream with their coordinates, and barriers', () => {
    const place = { offset: 12, storedAt: 99, task };
    expect(read(['KEYS', 'a'], stampOf(at41))).toEqual({ kind: 'copy', ...place, generation: 4, seq: 70, next: 41 });
    expect(read([SluiceProperty.barrier, encodeBarrier({ task, generation: 5 }, tag)])).toEqual({
      kind: 'barrier',
      ...place,
      generation: 5,
    });
  });

  it('takes for other messages what has no stamp, or one of another stream, queue or form', () => {
    expect(read(['KEYS', 'a'])).toEqual(other);
    expect(read(stampOf(at41, tag, copyStream('flow', 'cluster', { ...from, queueId: 2 }, queue)))).toEqual(other);
    expect(read(stampOf(at41, queueTag({ ...queue, queueId: 4 })))).toEqual(other);
    expect(read(stampOf(at41, tag, copyStream('flow', 'elsewhere', from, queue)))).toEqual(other);
    expect(read(stampOf({ elsewhere: 41 }))).toEqual(other);
    expect(read([SluiceProperty.stamp, 'nonsense'])).toEqual(other);
    expect(read([SluiceProperty.barrier, encodeBarrier({ task, generation: 5 }, queueTag({ ...queue, topic: 'u' }))])).toEqual(other);
  });
});
