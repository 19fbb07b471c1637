import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, RetriableError } from '@sluice/sdk';
import { hostOf, restartingTask as task, ScriptedLoop } from '../testing/scripted-host.js';
import { ThreadEndedError } from './thread-ended-error.js';
import { SupersededError } from '../task/superseded-error.js';

const broken = { kind: 'failed', error: new Error('broken', { cause: new Error('pipe') }), clean: true } as const;

describe('what the log says of a failed task', () => {
  const missing = new ConnectError(ConnectErrorCode.sinkFailed, 'File /a/b cannot be written: no folder', {
    cause: new Error('ENOENT'),
  });

  it('is one line for an error that an operator can fix; the trace is for debugging', async () => {
    const { host, clock, logged } = hostOf(new ScriptedLoop(missing));
    host.start({ ...task, config: { ...task.config, 'restart.max.attempts': '0' } });
    await clock.settle();
    await host.stop('c-0');
    const [debug, error] = logged;
    expect(error).toMatch(/^error Task c-0 failed.*: ConnectError: File \/a\/b cannot be written: no folder$/);
    expect(debug).toMatch(/^debug Task c-0: ConnectError: File \/a\/b .*\n\s+at [^]*Caused by: Error: ENOENT/);
  });

  it('is the whole trace for any other error', async () => {
    const { host, clock, logged } = hostOf(new ScriptedLoop(new TypeError('x is undefined')));
    host.start({ ...task, config: { ...task.config, 'restart.max.attempts': '0' } });
    await clock.settle();
    await host.stop('c-0');
    expect(logged[0]).toMatch(/^error Task c-0 failed.*: TypeError: x is undefined\n\s+at /);
  });
});

describe('TaskHost', () => {
  it('reports when a task had no more data, until it runs again', async () => {
    const [loop, next] = [new ScriptedLoop(), new ScriptedLoop()];
    const { host, clock, states } = hostOf(loop, next);
    host.start(task);
    await clock.settle();
    expect(host.reports()[0]).not.toHaveProperty('completedAt');
    loop.complete();
    const completedAt = clock.wallMs();
    expect(states).toEqual(['RUNNING', 'RUNNING']);
    await clock.advance(5000);
    expect(host.reports()).toMatchObject([{ state: 'RUNNING', completedAt }]);
    loop.end(broken);
    await clock.until(() => next.calls.includes('start'));
    expect(host.reports()[0]).not.toHaveProperty('completedAt');
    await host.stop('c-0');
  });

  it('reports the version of the connector that each loop was made of, and describes the errors of the loop by that one', async () => {
    const [loop, next, last] = [new ScriptedLoop(), new ScriptedLoop(), new ScriptedLoop()];
    const world = hostOf(loop, next, last);
    const { host, clock } = world;
    host.start(task);
    await clock.settle();
    expect(host.reports()[0]).not.toHaveProperty('version');
    world.version = '2.0.0';
    loop.end(broken);
    await clock.until(() => next.calls.includes('start'));
    world.version = '3.0.0';
    expect(host.reports()).toMatchObject([{ version: '2.0.0' }]);
    next.end(broken);
    await clock.until(() => last.calls.includes('start'));
    expect(host.reports()).toMatchObject([{ version: '3.0.0', lastError: { message: expect.stringMatching(/^2\.0\.0: Error: /) } }]);
    await host.stop('c-0');
  });

  it('reports a task from its start to its end, and as gone only when its loop has ended', async () => {
    const loop = new ScriptedLoop();
    const { host, clock, states } = hostOf(loop);
    host.start(task);
    expect(host.reports()).toMatchObject([{ id: task.id, generation: 7, state: 'RESTARTING' }]);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    expect(host.reports()[0]).not.toHaveProperty('warnings');
    loop.warnings.list = [{ at: 1, message: 'found' }];
    expect(host.reports()).toMatchObject([{ warnings: [{ at: 1, message: 'found' }] }]);
    expect(host.reports()[0]).not.toHaveProperty('waits');
    loop.waits.list = [{ call: 'poll', error: 'busy', since: 2 }];
    expect(host.reports()).toMatchObject([{ waits: [{ call: 'poll', error: 'busy', since: 2 }] }]);
    await host.stop('c-0');
    expect(host.reports()).toEqual([]);
    expect(states).toEqual(['RUNNING', 'STOPPING', 'gone']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('starts a failed task again, later each time, and keeps it as FAILED with the full trace after the last attempt', async () => {
    const loops = [new ScriptedLoop(), new ScriptedLoop(), new ScriptedLoop()] as const;
    const { host, clock, states } = hostOf(...loops);
    host.start(task);
    await clock.settle();
    loops[0].end(broken);
    await clock.settle();
    const failedAt = clock.wallMs();
    const lastError = { at: failedAt, message: 'Error: broken' };
    expect(host.reports()).toMatchObject([
      {
        state: 'RESTARTING',
        since: failedAt,
        trace: expect.stringMatching(/broken[^]*Caused by: Error: pipe/),
        lastError,
        restart: { attempt: 1, maxAttempts: 2, at: failedAt + 750 },
      },
    ]);
    await clock.advance(749);
    expect(loops[1].calls).toEqual([]);
    await clock.advance(1);
    expect(loops[1].calls).toEqual(['start']);
    expect(host.reports()).toMatchObject([{ generation: 7, state: 'RUNNING', lastError }]);
    expect(host.reports()[0]).not.toHaveProperty('trace');
    expect(host.reports()[0]).not.toHaveProperty('restart');

    loops[1].end(broken);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ restart: { attempt: 2, at: clock.wallMs() + 1500 } }]);
    await clock.advance(1500);
    loops[2].end(broken);
    await clock.advance(100_000);
    expect(host.reports()).toMatchObject([{ state: 'FAILED', trace: expect.stringContaining('Caused by: Error: pipe') }]);
    expect(host.reports()[0]).not.toHaveProperty('restart');
    expect(states).toEqual(['RUNNING', 'RESTARTING', 'RUNNING', 'RESTARTING', 'RUNNING', 'FAILED']);
    expect(clock.pendingTimers).toBe(0);
    await host.stop('c-0');
    expect(host.reports()).toEqual([]);
  });

  it('counts its restarts again from one once it ran for as long as the longest delay', async () => {
    const loops = [new ScriptedLoop(), new ScriptedLoop(), new ScriptedLoop()] as const;
    const { host, clock } = hostOf(...loops);
    host.start(task);
    await clock.settle();
    loops[0].end(broken);
    await clock.advance(750);
    loops[1].end(broken);
    await clock.advance(1500);
    await clock.advance(60_000);
    loops[2].end(broken);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RESTARTING', restart: { attempt: 1 } }]);
    await host.stop('c-0');
    expect(clock.pendingTimers).toBe(0);
  });

  it('shows when the last error was over once the task ran for as long as the longest delay', async () => {
    const loops = [new ScriptedLoop(), new ScriptedLoop(), new ScriptedLoop()] as const;
    const { host, clock } = hostOf(...loops);
    host.start(task);
    await clock.settle();
    loops[0].end(broken);
    await clock.advance(750);
    const resolvedAt = clock.wallMs();
    await clock.advance(59_999);
    expect(host.reports()[0]?.lastError).not.toHaveProperty('resolvedAt');
    await clock.advance(1);
    expect(host.reports()).toMatchObject([{ state: 'RUNNING', lastError: { message: 'Error: broken', resolvedAt } }]);
    loops[1].end(broken);
    await clock.settle();
    expect(host.reports()[0]?.lastError).not.toHaveProperty('resolvedAt');
    await host.stop('c-0');
  });

  it('shows a sink whose start waits for a lock as running, with that wait', async () => {
    const loop = new ScriptedLoop();
    let started = (): void => undefined;
    loop.start = () => new Promise<void>((resolve) => (started = resolve));
    const { host, clock } = hostOf(loop);
    host.start({ ...task, type: 'sink' });
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RESTARTING' }]);
    const since = clock.wallMs();
    loop.waits.list = [{ call: 'open', error: 'x is held by process 1', since }];
    await clock.advance(5000);
    expect(host.reports()).toMatchObject([{ state: 'RUNNING', since, waits: [{ call: 'open' }] }]);
    loop.waits.list = [];
    started();
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RUNNING', since: clock.wallMs() }]);
    await host.stop('c-0');
  });

  it('restarts a task that could not start, whatever it lacked, and stops it while it waits for that', async () => {
    const { host, clock } = hostOf(new ScriptedLoop(new RetriableError('not yet')), new ScriptedLoop());
    host.start(task);
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RESTARTING', trace: expect.stringContaining('not yet') }]);
    await clock.advance(1000);
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);

    const waiting = hostOf(new ScriptedLoop(new Error('never')));
    waiting.host.start(task);
    await waiting.clock.settle();
    await waiting.host.stop('c-0');
    expect(waiting.host.reports()).toEqual([]);
    expect(waiting.clock.pendingTimers).toBe(0);
  });

  it.each([
    ['an error that no repetition fixes', {}, new ConnectError(ConnectErrorCode.configInvalid, 'no file')],
    ['settings of restarts that are wrong', { 'restart.max.attempts': 'x' }, new Error('any')],
    ['no restart allowed', { 'restart.max.attempts': '0' }, new Error('any')],
  ])('fails at once with %s', async (_what, config, error) => {
    const { host, clock } = hostOf(new ScriptedLoop(error));
    host.start({ ...task, config: { ...task.config, ...config } });
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'FAILED', trace: expect.stringContaining(error.message) }]);
    expect(clock.pendingTimers).toBe(0);
  });

  describe('a task that another runner may have run, and that no policy restarts', () => {
    const once = { ...task, config: { ...task.config, 'restart.max.attempts': '0' } };

    it('asks for a new generation where it is a source', async () => {
      const loop = new ScriptedLoop();
      const { host, clock, requests } = hostOf(loop, new ScriptedLoop());
      host.start(once);
      await clock.settle();
      loop.end({ kind: 'failed', error: SupersededError.ofSource(7, 'its queue says so'), clean: false });
      await clock.settle();
      expect(requests).toHaveLength(1);
      expect(host.reports()).toMatchObject([
        {
          state: 'RESTARTING',
          lastError: {
            message: expect.stringMatching(
              /its queue says so\. .*generation 7.* restarts by itself .* skips no record, and may send some again/,
            ) as unknown,
          },
        },
      ]);
    });

    it('restarts at once in its generation where it is a sink', async () => {
      const loops = [new ScriptedLoop(), new ScriptedLoop()] as const;
      const { host, clock, requests } = hostOf(...loops);
      host.start({ ...once, type: 'sink' });
      await clock.settle();
      loops[0].end({ kind: 'failed', error: SupersededError.ofSink(), clean: false });
      await clock.advance(1000);
      expect([requests.length, loops[1].calls]).toEqual([0, ['start']]);
      expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    });
  });

  describe('a source that left sends of unknown outcome', () => {
    const unsettled = { ...broken, clean: false } as const;

    it('resumes with a new generation and the history of its restarts', async () => {
      const loops = [new ScriptedLoop(), new ScriptedLoop()] as const;
      const { host, clock, requests } = hostOf(...loops);
      host.start(task);
      await clock.settle();
      loops[0].end(unsettled);
      await clock.advance(749);
      expect(requests).toHaveLength(0);
      await clock.advance(1);
      requests[0]?.reject(new Error('no coordinator'));
      await clock.advance(750);
      expect(requests).toHaveLength(2);
      requests[1]?.resolve();
      await clock.settle();
      expect(loops[1].calls).toEqual([]);
      expect(host.reports()).toMatchObject([{ generation: 7, state: 'RESTARTING' }]);
      await host.stop('c-0');
      host.start({ ...task, generation: 8 });
      await clock.settle();
      expect(loops[1].calls).toEqual(['start']);
      loops[1].end(broken);
      await clock.settle();
      expect(host.reports()).toMatchObject([{ generation: 8, restart: { attempt: 2 } }]);
      await host.stop('c-0');
      expect(clock.pendingTimers).toBe(0);
    });

    it('begins a new history when somebody else restarts it first', async () => {
      const loops = [new ScriptedLoop(), new ScriptedLoop()] as const;
      const { host, clock, requests } = hostOf(...loops);
      host.start(task);
      await clock.settle();
      loops[0].end(unsettled);
      await clock.settle();
      await host.stop('c-0');
      host.start({ ...task, generation: 8 });
      await clock.settle();
      loops[1].end(broken);
      await clock.settle();
      expect(requests).toHaveLength(0);
      expect(host.reports()).toMatchObject([{ generation: 8, restart: { attempt: 1 } }]);
      await host.stop('c-0');
    });

    it('is no matter for a sink: nothing of it arrives after its loop has ended', async () => {
      const loops = [new ScriptedLoop(), new ScriptedLoop()] as const;
      const { host, clock, requests } = hostOf(...loops);
      host.start({ ...task, type: 'sink' });
      await clock.settle();
      loops[0].end(unsettled);
      await clock.advance(750);
      expect(requests).toHaveLength(0);
      expect(loops[1].calls).toEqual(['start']);
      await host.stop('c-0');
    });
  });

  it('pauses and resumes without a new start', async () => {
    const loop = new ScriptedLoop();
    const { host, clock } = hostOf(loop);
    host.start({ ...task, paused: true });
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    loop.onStill();
    expect(host.reports()).toMatchObject([{ state: 'PAUSED' }]);
    host.resume('c-0');
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    expect(loop.calls).toEqual(['pause', 'start', 'resume']);
    host.pause('c-0');
    expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
    loop.onStill();
    expect(host.reports()).toMatchObject([{ state: 'PAUSED' }]);
  });

  it("shows the connector's instance and its settings, and asks once for a new generation for it", async () => {
    const loop = new ScriptedLoop();
    const { host, clock, requests } = hostOf(loop);
    const connectorConfig = { tables: 'x' };
    host.start({ ...task, connectorConfig });
    await clock.settle();
    expect(host.held().get('c-0')?.instanceConfig).toBeUndefined();
    expect(host.reports()[0]).not.toHaveProperty('instance');
    loop.instance = { state: 'FAILED', trace: 'Error: gone' };
    expect(host.held().get('c-0')?.instanceConfig).toBe(connectorConfig);
    expect(host.reports()).toMatchObject([{ state: 'RUNNING', instance: { state: 'FAILED', trace: 'Error: gone' } }]);
    host.renew('c-0');
    host.renew('c-0');
    await clock.settle();
    expect(requests).toHaveLength(1);
    requests[0]?.reject(new Error('no leader'));
    await clock.advance(1000);
    expect(requests).toHaveLength(2);
    requests[1]?.resolve();
    await clock.advance(600_000);
    expect(requests).toHaveLength(2);
    await host.stop('c-0');
    expect(clock.pendingTimers).toBe(0);
  });

  describe('a task that has failed while something of it still stops', () => {
    it('shows the failure at once, and restarts when its loop has ended', async () => {
      const [loop, next] = [new ScriptedLoop(), new ScriptedLoop()];
      const { host, clock, logged, stuck } = hostOf(loop, next);
      host.start(task);
      await clock.settle();
      loop.fail(broken.error);
      await clock.settle();
      expect(host.reports()).toMatchObject([{ state: 'RESTARTING', lastError: { message: 'Error: broken' } }]);
      expect(host.reports()[0]).not.toHaveProperty('restart');
      expect(logged).toEqual(['warn Task c-0 failed, and waits for the instance of its connector to stop: Error: broken']);
      await clock.advance(2999);
      expect([loop.calls, next.calls]).toEqual([['start'], []]);
      loop.end(broken);
      await clock.advance(750);
      expect(next.calls).toEqual(['start']);
      await clock.advance(100_000);
      expect(host.reports()).toMatchObject([{ state: 'RUNNING' }]);
      expect([next.calls, stuck]).toEqual([['start'], []]);
      await host.stop('c-0');
      expect(clock.pendingTimers).toBe(0);
    });

    it('is killed with its thread where that takes too long, and has failed with its own error', async () => {
      const loop = new ScriptedLoop(undefined, true, true);
      const { host, clock, stuck } = hostOf(Object.assign(loop, { endThread: () => loop.calls.push('end thread') }));
      host.start({ ...task, config: { ...task.config, 'restart.max.attempts': '0' } });
      await clock.settle();
      loop.fail(broken.error);
      await clock.advance(4000);
      expect(loop.calls).toEqual(['start', 'kill', 'end thread']);
      loop.end({ kind: 'failed', error: new ThreadEndedError({ reason: 'task c-0 did not stop', isCulprit: true }), clean: false });
      await clock.advance(100_000);
      expect(host.reports()).toMatchObject([{ state: 'FAILED', lastError: { message: 'Error: broken' } }]);
      expect(stuck).toEqual([]);
    });
  });

  it('asks once for a new generation where the instance and the task both need one', async () => {
    const loop = new ScriptedLoop();
    const { host, clock, requests } = hostOf(loop);
    host.start(task);
    await clock.settle();
    loop.noteOutdated();
    await clock.settle();
    expect([requests.length, host.reports()[0]?.state]).toEqual([1, 'RUNNING']);
    loop.end({ kind: 'failed', error: SupersededError.ofSource(7, 'its queue says so'), clean: false });
    await clock.advance(1000);
    expect([requests.length, host.reports()[0]?.state]).toEqual([1, 'RESTARTING']);
    requests[0]?.resolve();
    await host.stop('c-0');
    expect(clock.pendingTimers).toBe(0);
  });

  it('kills a task that does not stop in time', async () => {
    const loop = new ScriptedLoop(undefined, true);
    const { host, clock, stuck } = hostOf(loop);
    host.start(task);
    await clock.settle();
    const stopped = host.stop('c-0');
    await clock.settle();
    expect(host.reports()).toMatchObject([{ state: 'STOPPING' }]);
    await clock.advance(2999);
    expect(loop.calls).toEqual(['start', 'stop']);
    await clock.advance(1);
    await stopped;
    expect(loop.calls).toEqual(['start', 'stop', 'kill']);
    expect(host.reports()).toEqual([]);
    expect(stuck).toEqual([]);
  });

  it('never calls a task gone that does not even end when killed', async () => {
    const loop = new ScriptedLoop(undefined, true, true);
    const { host, clock, stuck } = hostOf(loop);
    host.start(task);
    await clock.settle();
    const stopped = host.stop('c-0');
    await clock.settle();
    await clock.advance(3999);
    expect(stuck).toEqual([]);
    await clock.advance(1);
    await stopped;
    await host.stopAll();
    expect(stuck).toEqual(['c']);
    expect(host.held().get('c-0')).toMatchObject({ generation: 7, paused: false, isStopping: true });
  });
});
