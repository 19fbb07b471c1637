import { describe, expect, it } from '@jest/globals';
import { hostOf, restartingTask as task, ScriptedLoop } from '../testing/scripted-host.js';
import type { LoopEnd } from '../task/loop-end.js';
import { ThreadEndedError } from './thread-ended-error.js';

describe('a task whose thread has ended', () => {
  const lost = (isCulprit: boolean): LoopEnd => ({
    kind: 'failed',
    error: new ThreadEndedError({ reason: 'another task spun', isCulprit }),
    clean: false,
  });

  it.each(['source', 'sink'] as const)(
    'gets a new generation at once where a %s is not the cause, and no restart is counted',
    async (type) => {
      const loop = new ScriptedLoop();
      const { host, clock, states, requests } = hostOf(loop);
      host.start({ ...task, type });
      await clock.settle();
      loop.end(lost(false));
      await clock.settle();
      expect(states.at(-1)).toBe('RESTARTING');
      expect(requests).toHaveLength(1);
      expect(host.reports()[0]).toMatchObject({ lastError: { message: expect.stringContaining('another task spun') } });
      expect(host.reports()[0]).not.toHaveProperty('restart');
    },
  );

  it.each(['source', 'sink'] as const)('waits for its delay first where a %s may be the cause', async (type) => {
    const loop = new ScriptedLoop();
    const { host, clock, requests } = hostOf(loop);
    host.start({ ...task, type });
    await clock.settle();
    loop.end(lost(true));
    await clock.settle();
    expect(requests).toHaveLength(0);
    expect(host.reports()[0]).toMatchObject({ state: 'RESTARTING', restart: { attempt: 1, maxAttempts: 2 } });
    await clock.advance(2_000);
    expect(requests).toHaveLength(1);
  });

  it('gets a new generation also where it was lost while it started', async () => {
    const loop = new ScriptedLoop(new ThreadEndedError({ reason: 'another task spun', isCulprit: false }));
    const { host, clock, requests } = hostOf(loop);
    host.start({ ...task, type: 'sink' });
    await clock.settle();
    expect(requests).toHaveLength(1);
  });

  it('gets a new generation after its delay where it may be the cause and was lost while it started', async () => {
    const loop = new ScriptedLoop(new ThreadEndedError({ reason: 'it spun', isCulprit: true }));
    const { host, clock, requests } = hostOf(loop);
    host.start({ ...task, type: 'sink' });
    await clock.settle();
    expect(requests).toHaveLength(0);
    await clock.advance(2_000);
    expect(requests).toHaveLength(1);
  });

  it('has its thread ended for it where it does not stop, and the process lives on', async () => {
    const loop = new ScriptedLoop(undefined, true, true);
    const { host, clock, stuck } = hostOf(
      Object.assign(loop, {
        endThread: () => {
          loop.end({ kind: 'failed', error: new ThreadEndedError({ reason: 'it did not stop', isCulprit: true }), clean: false });
        },
      }),
    );
    host.start(task);
    await clock.settle();
    const stopped = host.stop('c-0');
    await clock.advance(3_000 + 1_000);
    await stopped;
    expect(stuck).toEqual([]);
    expect(host.held().size).toBe(0);
  });
});
