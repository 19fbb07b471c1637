import { describe, expect, it } from '@jest/globals';
import { ReadTargets } from './read-targets.js';
import type { BrokerRoute } from './topic-route.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };
const MASTER = { brokerId: 0, address: 'm:1' };
const FIRST = { brokerId: 1, address: 'r:1' };
const SECOND = { brokerId: 2, address: 'r:2' };

function brokerOf(...targets: readonly { brokerId: number; address: string }[]): BrokerRoute {
  return {
    brokerName: 'b',
    cluster: 'c',
    masterAddress: targets.find((target) => target.brokerId === 0)?.address,
    addresses: new Map(targets.map(({ brokerId, address }) => [brokerId, address])),
    readQueues: 1,
    writeQueues: 1,
    isReadable: true,
    isWritable: true,
  };
}

describe('ReadTargets', () => {
  const all = brokerOf(SECOND, FIRST, MASTER);

  it('reads at the master, and falls back to the first replica', () => {
    expect(new ReadTargets().of(all, queue, 0)).toEqual([MASTER, FIRST]);
    expect(new ReadTargets().of(brokerOf(MASTER), queue, 0)).toEqual([MASTER]);
    expect(new ReadTargets().of(brokerOf(), queue, 0)).toEqual([]);
  });

  it('reads at the suggested replica of that queue until the master is suggested', () => {
    const targets = new ReadTargets();
    targets.onAnswer(queue, MASTER, 2);
    expect(targets.of(all, queue, 0)).toEqual([SECOND, MASTER]);
    expect(targets.of(all, { ...queue, queueId: 1 }, 0)).toEqual([MASTER, FIRST]);
    targets.onAnswer(queue, SECOND, 0);
    expect(targets.of(all, queue, 0)).toEqual([MASTER, FIRST]);
  });

  it('takes another replica for a suggested one that is gone, and the master when there is none', () => {
    const targets = new ReadTargets();
    targets.onAnswer(queue, MASTER, 2);
    expect(targets.of(brokerOf(MASTER, FIRST), queue, 0)).toEqual([FIRST, MASTER]);
    expect(targets.of(brokerOf(MASTER), queue, 0)).toEqual([MASTER]);
  });

  it('goes back to the master when the replica fails', () => {
    const targets = new ReadTargets();
    targets.onAnswer(queue, MASTER, 1);
    targets.onFailure(queue, FIRST, 0);
    expect(targets.of(all, queue, 0)).toEqual([MASTER, FIRST]);
  });

  it('avoids a master that failed for a while, or until it answers', () => {
    const targets = new ReadTargets();
    targets.onFailure(queue, MASTER, 1_000);
    expect(targets.of(all, queue, 1_001)).toEqual([FIRST, MASTER]);
    expect(targets.of(all, queue, 60_000)).toEqual([MASTER, FIRST]);
    expect(targets.of(brokerOf(FIRST), queue, 60_000)).toEqual([FIRST]);
    targets.onFailure(queue, MASTER, 60_000);
    targets.onAnswer(queue, MASTER, 0);
    expect(targets.of(all, queue, 60_001)).toEqual([MASTER, FIRST]);
  });
});
