import { describe, expect, it } from '@jest/globals';
import { InboundDispatcher, type RunningCall } from './inbound-dispatcher.js';
import type { InboundMessage } from '../contract/rpc-link.port.js';
import type { RpcCall } from '../contract/rpc-message.js';

const message = (messageId: string, receipt?: unknown): InboundMessage => ({
  messageId,
  tag: 't',
  properties: new Map(),
  body: undefined,
  deliveryAttempt: 1,
  receipt,
});
const call = (correlationId: string): RpcCall => ({
  kind: 'event',
  correlationId,
  deadlineMs: 0,
  pattern: 'p',
  replyTo: '',
  metadata: {},
  data: undefined,
});

function dispatcher(
  maxConcurrent: number,
  maxQueued: number,
): { dispatcher: InboundDispatcher; running: RunningCall[]; finish: (index: number) => Promise<void> } {
  const running: RunningCall[] = [];
  const ends: (() => void)[] = [];
  return {
    running,
    dispatcher: new InboundDispatcher({
      maxConcurrent,
      maxQueued,
      run: (started) => {
        running.push(started);
        return new Promise((resolve) => ends.push(resolve));
      },
    }),
    finish: async (index) => {
      ends[index]?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('InboundDispatcher', () => {
  it('runs at most so many at once, keeps at most so many waiting, and refuses the rest', async () => {
    const { dispatcher: calls, running, finish } = dispatcher(1, 1);
    expect(['a', 'b', 'c'].map((id) => calls.admit(message(id), call(id)))).toEqual(['accepted', 'accepted', 'overloaded']);
    expect(running.map(({ call: { correlationId } }) => correlationId)).toEqual(['a']);
    await finish(0);
    expect(running.map(({ call: { correlationId } }) => correlationId)).toEqual(['a', 'b']);
    expect(calls.admit(message('c'), call('c'))).toBe('accepted');
  });

  it('does not run a redelivered message twice, and acknowledges its latest delivery', () => {
    const { dispatcher: calls, running } = dispatcher(2, 2);
    calls.admit(message('a', 'first'), call('a'));
    expect(calls.admit(message('a', 'second'), call('a'))).toBe('again');
    expect(running).toHaveLength(1);
    expect(running[0]?.message.receipt).toBe('second');
  });

  it('distinguishes a copy that the sender made from a redelivery', () => {
    const { dispatcher: calls, running } = dispatcher(2, 2);
    calls.admit(message('a'), call('same'));
    expect(calls.admit(message('b'), call('same'))).toBe('copy');
    expect(running[0]?.message.messageId).toBe('a');
  });

  it('waits at drain() for what runs and forgets what waits', async () => {
    const { dispatcher: calls, running, finish } = dispatcher(1, 5);
    calls.admit(message('a'), call('a'));
    calls.admit(message('b'), call('b'));
    let isDrained = false;
    const drained = calls.drain().then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDrained).toBe(false);
    await finish(0);
    await drained;
    expect(running).toHaveLength(1);
    expect(calls.size).toBe(0);
  });
});
