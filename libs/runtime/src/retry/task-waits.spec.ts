import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { TaskWaits } from './task-waits.js';

describe('a call of a task that does not return', () => {
  it('is among its waits, with its name and start, once that may be no work any more', async () => {
    const clock = new ManualClock();
    const beganAt = clock.wallMs();
    let call: string | undefined = 'poll';
    const waits = new TaskWaits(
      clock,
      (text) => text,
      () => (call === undefined ? undefined : { call, forMs: clock.nowMs() }),
    );
    await clock.advance(9_999);
    expect(waits.list).toEqual([]);
    await clock.advance(1);
    const [shown] = waits.list;
    expect(shown).toEqual({ call: 'poll', error: 'The call has not returned', since: beganAt });
    await clock.advance(60_000);
    // The same object, so that nobody reports it as news.
    expect(waits.list[0]).toBe(shown);
    waits.begin('sending').failed(new Error('busy'));
    expect(waits.list.map((wait) => wait.call)).toEqual(['poll', 'sending']);
    call = undefined;
    expect(waits.list.map((wait) => wait.call)).toEqual(['sending']);
  });
});
