import { describe, expect, it } from '@jest/globals';
import type { QueueRef } from '@sluice/sdk';
import { findQueueLosses } from './queue-losses.js';

function queues(text: string): QueueRef[] {
  return text === '' ? [] : text.split(' ').map((name) => ({ topic: 't', brokerName: name.slice(0, 1), queueId: Number(name.slice(1)) }));
}

describe('findQueueLosses', () => {
  it.each([
    ['nothing is missing', 'a0 a1 b0', 'a0 a1 b0', 'ab', ''],
    ['the topic has grown', 'a0', 'a0 a1 b0', 'ab', ''],
    ['fewer queues', 'a0 a1 a2 b0', 'a0 b0', 'ab', 'fewer-queues a 1,2'],
    ['one broker has it no more', 'a0 b0 b1', 'a0', 'ab', 'not-on-broker b 0,1'],
    ['a broker is unavailable', 'a0 b0', 'a0', 'a', 'broker-away b 0'],
    ['all brokers are unavailable', 'a0 b0', '', '', 'broker-away a 0; broker-away b 0'],
    ['other brokers have it', 'a0 a1', 'c0', 'ac', 'other-brokers a 0,1'],
    ['other brokers have it, as the old one is unavailable', 'a0', 'c0', 'c', 'broker-away a 0'],
    ['nobody has it', 'a0 b0', '', 'ab', 'topic-gone a 0; topic-gone b 0'],
  ])('%s', (_case, known, present, brokers, expected) => {
    const losses = findQueueLosses(queues(known), queues(present), new Set(brokers));
    expect(losses.map(({ kind, topic, brokerName, queueIds }) => ({ text: `${kind} ${brokerName} ${queueIds.join(',')}`, topic }))).toEqual(
      expected === '' ? [] : expected.split('; ').map((text) => ({ text, topic: 't' })),
    );
  });
});
