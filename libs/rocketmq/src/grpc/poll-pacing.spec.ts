import { describe, expect, it } from '@jest/globals';
import { ClientClosedError, FlowControlError } from '../errors.js';
import { decidingFailure, PollPacing } from './poll-pacing.js';

const error = new FlowControlError({ request: 'ReceiveMessage', address: 'a', responseCode: 42_900, remark: '' });
const other = new ClientClosedError('x');

function failed(at: number, failure = error as Parameters<PollPacing['fail']>[1]): PollPacing {
  const poll = new PollPacing();
  poll.start(at);
  poll.fail(at, failure);
  return poll;
}

function running(): PollPacing {
  const poll = new PollPacing();
  poll.start(0);
  return poll;
}

describe('PollPacing', () => {
  it('polls again at once after a long poll, and after a pause when the answer came too soon', () => {
    const poll = new PollPacing();
    expect(poll.nextAt).toBeLessThan(0);
    poll.start(1_000);
    expect(poll.nextAt).toBe(Number.POSITIVE_INFINITY);
    poll.succeed(6_000, true);
    expect(poll.nextAt).toBe(6_000);
    poll.start(6_000);
    poll.succeed(6_010, true);
    expect(poll.nextAt).toBe(6_210);
    poll.start(6_210);
    poll.succeed(6_220, false);
    expect(poll.nextAt).toBe(6_220);
  });

  it('backs off from failures, longer each time up to a limit, until one succeeds', () => {
    const poll = new PollPacing();
    const pauses = Array.from({ length: 8 }, () => {
      poll.start(0);
      poll.fail(0, error);
      return poll.nextAt;
    });
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    poll.start(0);
    poll.succeed(1, false);
    poll.start(1);
    poll.fail(1, error);
    expect(poll.nextAt).toBe(101);
  });
});

describe('the failure of a poll', () => {
  it('stays until the next poll is confirmed or has succeeded', () => {
    const poll = new PollPacing();
    poll.start(0);
    poll.fail(0, error);
    poll.start(100);
    expect(poll.failure?.error).toBe(error);
    poll.confirm();
    expect(poll.failure).toBeUndefined();
    poll.fail(200, error);
    poll.start(300);
    poll.succeed(400, false);
    expect(poll.failure).toBeUndefined();
  });
});

describe('decidingFailure', () => {
  it('waits for what is under way, and for what failed before the wait began', () => {
    expect(decidingFailure([failed(10), running()], { startedAt: 5, isOver: false })).toBeUndefined();
    expect(decidingFailure([failed(1)], { startedAt: 5, isOver: false })).toBeUndefined();
    expect(decidingFailure([], { startedAt: 5, isOver: true })).toBeUndefined();
  });

  it('ends with the newest failure when nothing is under way, or the time is over', () => {
    expect(decidingFailure([failed(8), failed(9, other)], { startedAt: 5, isOver: false })).toBe(other);
    expect(decidingFailure([failed(1), running()], { startedAt: 5, isOver: true })).toBe(error);
  });
});
