import { describe, expect, it } from '@jest/globals';
import { type Command, type CommandOutcome, emptyState } from '@sluice/core';
import { decodeCommand, topicsOf } from '@sluice/protocol';
import type { Producer } from '@sluice/rocketmq';
import { CommandSender, type StateListener } from './command-sender.js';

const LONG_MS = 60_000;
const drain = { kind: 'node.drain', nodeId: 'w' } as const;

/** A log that shows results when a spec says so, and a commands topic. */
class Control {
  readonly sent: Command[] = [];
  readonly listeners = new Set<StateListener>();
  /** Set: how sends fail. */
  failure: Error | undefined;
  readonly sender = new CommandSender(
    { producer: { send: this.#send.bind(this) } },
    {
      subscribe: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    },
    'n',
    topicsOf('c'),
    'b',
  );

  answer(requestId: string, outcome: CommandOutcome): void {
    const results = new Map([[requestId, { requestId, commandOffset: 0, outcome, at: 0 }]]);
    const state = { ...emptyState(), results };
    for (const listener of this.listeners) listener({ state });
  }

  #send(...[queue, { body }]: Parameters<Producer['send']>): ReturnType<Producer['send']> {
    expect(queue).toEqual({ topic: 'sluice-c-commands', brokerName: 'b', queueId: 0 });
    this.sent.push(decodeCommand<Command>(body));
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve({ status: 'stored', messageId: 'm', offset: 0 } as never);
  }
}

describe('a command', () => {
  it('is answered by its own result, and listens no longer', async () => {
    const control = new Control();
    const submitted = control.sender.submit(drain, { timeoutMs: LONG_MS, requestId: 'r' });
    control.answer('other', { status: 'done' });
    control.answer('r', { status: 'not-found', message: 'no w' });
    await expect(submitted).resolves.toEqual({ status: 'not-found', message: 'no w' });
    expect(control.sent).toEqual([{ ...drain, requestId: 'r', from: 'n', sentAt: expect.any(Number) }]);
    expect(control.listeners.size).toBe(0);
  });

  it('may still be carried out where its send ended in doubt', async () => {
    const control = new Control();
    control.failure = Object.assign(new Error('connection lost'), { outcome: 'unknown' });
    const submitted = control.sender.submit(drain, { timeoutMs: LONG_MS, requestId: 'r' });
    control.answer('r', { status: 'done' });
    await expect(submitted).resolves.toEqual({ status: 'done' });
  });

  it('that was not sent is known not to happen', async () => {
    const control = new Control();
    control.failure = Object.assign(new Error('no broker'), { outcome: 'not-sent' });
    const submitted = control.sender.submit(drain, { timeoutMs: LONG_MS });
    await expect(submitted).rejects.toMatchObject({
      mayHappen: false,
      retriable: true,
      message: 'The command could not be sent: no broker',
    });
    expect(control.listeners.size).toBe(0);
  });

  it('is waited for until its time is over, or it is given up', async () => {
    for (const isGivenUp of [false, true]) {
      const control = new Control();
      const ending = new AbortController();
      const submitted = control.sender.submit(drain, { timeoutMs: isGivenUp ? LONG_MS : 5, signal: ending.signal });
      if (isGivenUp) ending.abort();
      await expect(submitted).rejects.toMatchObject({ code: 'COMMAND_UNANSWERED', mayHappen: true });
      expect(control.listeners.size).toBe(0);
    }
  });
});
