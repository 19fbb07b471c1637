import { describe, expect, it } from '@jest/globals';
import { type CopyProgress, SinkStream } from '@sluice/replication';
import { CallPermit } from './call-permit.js';
import { QueueLane, type QueueLaneOptions } from './queue-lane.js';

const source = { topic: 't', brokerName: 'b', queueId: 0 };
const position = (nextOffset: number) => ({ queue: source, nextOffset });

/** A lane that has copied nine messages and is at offset 10. */
async function openedLane(): Promise<{ readonly lane: QueueLane; readonly marks: readonly CopyProgress[] }> {
  const marks: CopyProgress[] = [];
  const permit = new CallPermit(60_000);
  permit.note();
  const tail = {
    recover: () => Promise.resolve({ seq: 9, position: { offset: 10 } }),
    mark: (progress: CopyProgress) => {
      marks.push(progress);
      return Promise.resolve();
    },
  };
  const lane = new QueueLane({ source, target: source, start: 0 }, {
    stream: new SinkStream({ connector: 'c', cluster: 'x', source, target: source }),
    generation: 1,
    tail,
    startAt: () => ({ next: () => Promise.resolve(10) }),
    permit,
    signal: new AbortController().signal,
  } as unknown as QueueLaneOptions);
  expect(await lane.recover()).toEqual(position(10));
  return { lane, marks };
}

describe('the lane of a queue', () => {
  it('writes down where an operator has reset it to, before its first record too', async () => {
    const { lane, marks } = await openedLane();
    await lane.flush(position(4), false);
    await lane.flush(position(4), true);
    await lane.flush(position(15), true);
    expect(marks).toEqual([
      { seq: 9, position: { offset: 4 } },
      { seq: 9, position: { offset: 15 } },
    ]);
  });

  it('takes no position for a reset before the runtime has followed its seek', async () => {
    const { lane, marks } = await openedLane();
    lane.awaitSeek();
    expect(await lane.flush(position(3), true)).toEqual(position(3));
    expect(marks).toEqual([]);
    await lane.flush(position(10), false);
    await lane.flush(position(3), false);
    expect(marks).toEqual([{ seq: 9, position: { offset: 3 } }]);
  });
});
