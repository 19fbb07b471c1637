import { describe, expect, it } from '@jest/globals';
import { encodePosition, type PartitionPosition, type QueueScan } from './position.codec.js';
import { splitWrite } from './split-write.js';

const owner = { index: 0, generation: 1 };
const task = { connector: 'c', ...owner };
const queue = { topic: 't', brokerName: 'b', queueId: 0 };
const position = (n: number): PartitionPosition => ({
  partition: { file: `f${n}` },
  position: { position: n },
  nextSeq: n + 1,
  routes: [queue],
  owner,
  revision: 1,
});
const scan = (queueId: number): QueueScan => ({ owner, queue: { ...queue, queueId }, scanFrom: 3 });

describe('splitWrite', () => {
  it('makes one message of what fits', () => {
    const change = { partitions: [position(1)], scans: [scan(0)], settled: [owner] };
    expect(splitWrite(task, change, 1000)).toEqual([{ kind: 'write', ...task, ...change }]);
  });

  it('makes several of what does not: all partitions, then all scans, then what is settled', () => {
    const partitions = Array.from({ length: 50 }, (_, n) => position(n));
    const scans = Array.from({ length: 20 }, (_, n) => scan(n));
    const messages = splitWrite(task, { partitions, scans, settled: [owner] }, 1000);
    for (const message of messages) expect(encodePosition(message).length).toBeLessThanOrEqual(1000);
    expect(messages.flatMap((message) => message.partitions)).toEqual(partitions);
    expect(messages.flatMap((message) => message.scans)).toEqual(scans);
    const order = messages.map((message) =>
      message.partitions.length > 0 ? 'partitions' : message.scans.length > 0 ? 'scans' : 'settled',
    );
    expect(order).toEqual([...order].sort());
    expect(order.filter((part) => part === 'settled')).toHaveLength(1);
    expect(messages.at(-1)?.settled).toEqual([owner]);
  });
});
