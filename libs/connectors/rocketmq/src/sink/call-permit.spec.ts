import { describe, expect, it } from '@jest/globals';
import { CallPermit } from './call-permit.js';

describe('the permit that calls of the runtime give', () => {
  it('begins with the first call', async () => {
    const permit = new CallPermit(60_000);
    expect(permit.isHeld()).toBe(false);
    let isOver = false;
    const waiting = permit.whenHeld(new AbortController().signal).then(() => {
      isOver = true;
    });
    await Promise.resolve();
    expect(isOver).toBe(false);
    permit.note();
    await waiting;
    expect(permit.isHeld()).toBe(true);
    await expect(permit.whenHeld(AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });

  it('ends where no call follows in time', async () => {
    const permit = new CallPermit(0);
    permit.note();
    expect(permit.isHeld()).toBe(false);
    const stopping = new AbortController();
    const waiting = permit.whenHeld(stopping.signal);
    permit.note();
    stopping.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
  });
});
