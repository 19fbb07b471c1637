import { describe, expect, it } from '@jest/globals';
import { encodeBarrier, encodeStamp, propertyText, queueTag, SluiceProperty, streamId, taskId } from '@sluice/protocol';
import { entryOf, type CopyStream } from './queue-entry.js';

const queue = { topic: 't', brokerName: 'b', queueId: 3 };
const tag = queueTag(queue);
const task = taskId('flow', 0);
const stream = streamId('flow', { queue: 1 });
const nextOf: CopyStream['nextOf'] = ({ position }) => (typeof position === 'number' ? position : undefined);

function message(...properties: readonly (readonly [string, string])[]): Parameters<typeof entryOf>[0] {
  const block = properties.map(([name, value]) => propertyText(name, value)).join('');
  return { queueOffset: 12, storeTimestamp: 99, rawProperties: Buffer.from(block) };
}

function stampOf(position: Record<string, number>, inQueue = tag, ofStream = stream): readonly [string, string] {
  return [SluiceProperty.stamp, encodeStamp({ task, stream: ofStream, generation: 4, seq: 70, position }, inQueue)];
}

describe('entryOf', () => {
  const read = (...properties: readonly (readonly [string, string])[]): unknown => entryOf(message(...properties), { stream, tag, nextOf });
  const other = { kind: 'other', offset: 12, storedAt: 99 };

  it('reads copies of the stream with their coordinates, and barriers', () => {
    const place = { offset: 12, storedAt: 99, task };
    expect(read(['KEYS', 'a'], stampOf({ position: 41 }))).toEqual({ kind: 'copy', ...place, generation: 4, seq: 70, next: 41 });
    expect(read([SluiceProperty.barrier, encodeBarrier({ task, generation: 5 }, tag)])).toEqual({
      kind: 'barrier',
      ...place,
      generation: 5,
    });
  });

  it('takes for other messages what has no stamp, or one of another stream, queue or form', () => {
    expect(read(['KEYS', 'a'])).toEqual(other);
    expect(read(stampOf({ position: 41 }, tag, streamId('flow', { queue: 2 })))).toEqual(other);
    expect(read(stampOf({ position: 41 }, queueTag({ ...queue, queueId: 4 })))).toEqual(other);
    expect(read(stampOf({ elsewhere: 41 }))).toEqual(other);
    expect(read([SluiceProperty.stamp, 'nonsense'])).toEqual(other);
    expect(read([SluiceProperty.barrier, encodeBarrier({ task, generation: 5 }, queueTag({ ...queue, topic: 'u' }))])).toEqual(other);
  });
});
