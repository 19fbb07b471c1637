import { describe, expect, it } from '@jest/globals';
import type { TopicMessage } from '../messaging/message-port.js';
import { planRequests } from './request-plan.js';

function checked(messageId: string, message: Partial<TopicMessage> = {}): { messageId: string; message: TopicMessage } {
  return { messageId, message: { body: Buffer.from('x'), ...message } };
}

function ids(lanes: ReturnType<typeof planRequests>): string[][][] {
  return lanes.map((lane) => lane.map((request) => request.map(({ messageId }) => messageId)));
}

describe('planRequests', () => {
  const limits = { maxMessages: 3, maxBytes: 10_000 };

  it('fills requests with plain messages in their order', () => {
    const lanes = planRequests(
      ['a', 'b', 'c', 'd'].map((id) => checked(id)),
      limits,
    );
    expect(ids(lanes)).toEqual([[['a', 'b', 'c']], [['d']]]);
    expect(planRequests([], limits)).toEqual([]);
  });

  it('keeps a request within the limit of the broker, and sends a message of any size', () => {
    const body = Buffer.alloc(4_000);
    const lanes = planRequests([checked('a', { body }), checked('b', { body }), checked('c', { body })], limits);
    expect(ids(lanes)).toEqual([[['a', 'b']], [['c']]]);
    expect(ids(planRequests([checked('big', { body: Buffer.alloc(20_000) })], limits))).toEqual([[['big']]]);
    const properties = new Map([['p', 'x'.repeat(9_000)]]);
    expect(ids(planRequests([checked('a', { properties }), checked('b', { keys: ['k'.repeat(1_000)] })], limits))).toEqual([
      [['a']],
      [['b']],
    ]);
  });

  it('sends the messages of a group one after the other and delayed ones alone', () => {
    const lanes = planRequests(
      [
        checked('g1', { messageGroup: 'g' }),
        checked('a'),
        checked('h1', { messageGroup: 'h' }),
        checked('later', { deliverAt: 1 }),
        checked('g2', { messageGroup: 'g' }),
        checked('b'),
      ],
      limits,
    );
    expect(ids(lanes)).toEqual([[['later']], [['a', 'b']], [['g1'], ['g2']], [['h1']]]);
  });
});
