import { describe, expect, it } from '@jest/globals';
import type { DesiredTask } from '@sluice/core';
import type { ConnectorContext, ConnectorInstance, SourceConnector, SourceTask } from '@sluice/sdk';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { listOf, SourceWorld } from '../testing/source-world.js';
import { SinkWorld } from '../testing/sink-world.js';
import { CallBoard } from './call-board.js';
import { createTaskLoop } from './create-task-loop.js';
import { errorTrace } from '../task/error-text.js';
import { TaskHost } from './task-host.js';
import type { TaskLoop } from './task-loop.js';

/** A connector with an instance that notes what is called, and stops when it is let. */
class Watching {
  readonly world = new SourceWorld();
  readonly calls: string[] = [];
  readonly reconfigured: string[] = [];
  context: ConnectorContext | undefined;
  readonly board = new CallBoard();
  /** What the board shows while the instance starts. */
  shown: unknown;
  /** What the instance was made of. */
  maker: unknown;
  letStop: (() => void) | undefined;
  holdsStop = false;

  loop(task: SourceTask, change: Partial<DesiredTask> = {}, hasInstance = true): TaskLoop {
    const { world } = this;
    world.cluster.addTopic('t', 1);
    world.positions.owners = { asOf: 1, live: new Map([[0, 1]]), tasksSince: 0 };
    const makeInstance = (maker: unknown): ConnectorInstance => this.#instance(maker);
    const connector: SourceConnector = {
      kind: 'source',
      name: 'Watching',
      aliases: [],
      version: '1.0.0',
      doc: 'For this test.',
      spec: { pin: { type: 'password', importance: 'high', doc: 'A secret.', optional: true } },
      taskConfigs: (config) => [config],
      createTask: () => task,
      ...(hasInstance
        ? {
            createInstance(this: unknown): ConnectorInstance {
              return makeInstance(this);
            },
          }
        : {}),
    };
    const config = { name: 'w', 'connector.class': 'Watching', lists: 'a' };
    return createTaskLoop(
      { id: { connector: 'w', index: 0 }, generation: 1, type: 'source', config, paused: false, committed: false, ...change },
      new PluginRegistry([connector]),
      {
        producer: () => world.cluster.producer,
        messages: world.cluster.messages,
        positions: world.positions,
        offsets: new SinkWorld().offsets,
        lease: world.lease,
        clock: world.clock,
        groupOf: () => 'g',
        loggerOf: () => world.logger,
        calls: this.board,
        requestTaskReconfiguration: (connector_) => this.reconfigured.push(connector_),
      },
    );
  }

  #instance(maker: unknown): ConnectorInstance {
    this.maker = maker;
    return {
      start: (context) => {
        this.shown = this.board.ongoing;
        this.calls.push('start');
        this.context = context;
        return Promise.resolve();
      },
      stop: () => {
        this.calls.push('stop');
        if (!this.holdsStop) return Promise.resolve();
        return new Promise((resolve) => {
          this.letStop = resolve;
        });
      },
    };
  }
}

const connectorConfig = { name: 'w', 'connector.class': 'Watching', lists: 'a,b', pin: 'hunter2' };

describe("a connector's instance beside its first task", () => {
  it('has the settings of the connector, and asks for the task settings of that', async () => {
    const watching = new Watching();
    const loop = watching.loop(watching.world.source({ a: listOf(1) }), { connectorConfig, generation: 1 });
    await loop.start();
    expect(watching.maker).toMatchObject({ name: 'Watching' });
    expect(watching.shown).toMatchObject({ call: 'instance start', isRunning: true });
    expect(watching.context).toMatchObject({ connectorName: 'w', generation: 1, config: connectorConfig });
    expect(loop.instance).toEqual({ state: 'RUNNING' });
    watching.context?.requestTaskReconfiguration();
    expect(watching.reconfigured).toEqual(['w']);
    watching.context?.logger.info('with hunter2');
    watching.context?.raiseError(new Error('hunter2 was refused'));
    expect(loop.instance).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('[hidden] was refused') });
    expect(`${watching.world.logger.lines.join()}${JSON.stringify(loop.instance)}`).not.toContain('hunter2');
    // The task continues.
    await watching.world.clock.until(() => loop.counters.recordsSent === 1);
    await watching.world.clock.settle();
    let end: unknown;
    void loop.stop().then((ended) => (end = ended));
    await watching.world.clock.until(() => end !== undefined);
    expect(end).toEqual({ kind: 'stopped', clean: true });
  });

  it('is there for no other task, and for no connector without one', () => {
    const watching = new Watching();
    const source = watching.world.source({});
    expect(watching.loop(source, { id: { connector: 'w', index: 1 } }).instance).toBeUndefined();
    expect(watching.loop(source, {}, false).instance).toBeUndefined();
    expect(watching.calls).toEqual([]);
  });

  it('keeps the loop from having ended before it has stopped itself, also where the task has failed', async () => {
    for (const fails of [false, true]) {
      const watching = new Watching();
      watching.holdsStop = true;
      const source = watching.world.source({});
      if (fails) source.poll = () => Promise.reject(new Error('broken'));
      const loop = watching.loop(source);
      await loop.start();
      let hasEnded = false;
      void loop.ended.then(() => (hasEnded = true));
      if (!fails) void loop.stop();
      await watching.world.clock.until(() => watching.letStop !== undefined);
      await watching.world.clock.advance(60_000);
      expect(hasEnded).toBe(false);
      watching.letStop?.();
      await watching.world.clock.until(() => hasEnded);
      expect(watching.calls).toEqual(['start', 'stop']);
    }
  });

  it.each(['start', 'poll'] as const)('that does not stop has its task reported as failed at its %s, and then as stuck', async (call) => {
    const watching = new Watching();
    watching.holdsStop = true;
    const { clock, logger } = watching.world;
    const source = watching.world.source({});
    source[call] = (): Promise<never> => Promise.reject(new Error('broken'));
    const stuck: string[] = [];
    const host = new TaskHost({
      resolve: (given) => Promise.resolve(given),
      createLoop: () => watching.loop(source),
      describerOf: () => errorTrace,
      requestNewGeneration: () => Promise.resolve(),
      clock,
      logger,
      onChange: () => undefined,
      onStuck: ({ id }) => stuck.push(id.connector),
      killTimeoutMs: 1000,
    });
    const config = { 'task.shutdown.timeout.ms': '3000' };
    host.start({ id: { connector: 'w', index: 0 }, generation: 1, type: 'source', config, paused: false, committed: false });
    await clock.until(() => watching.letStop !== undefined);
    expect(host.reports()).toMatchObject([
      { state: 'RESTARTING', trace: expect.stringContaining('Error: broken'), lastError: { message: 'Error: broken' } },
    ]);
    await clock.advance(3999);
    expect(stuck).toEqual([]);
    await clock.advance(1);
    expect(stuck).toEqual(['w']);
    await host.stop('w-0');
    expect(stuck).toEqual(['w']);
    expect(watching.calls).toEqual(['start', 'stop']);
  });

  it('has stopped before the start of its task is reported as failed: another may follow', async () => {
    const watching = new Watching();
    watching.holdsStop = true;
    const source = watching.world.source({});
    source.start = () => Promise.reject(new Error('cannot start'));
    const loop = watching.loop(source);
    let failed: unknown;
    loop.start().catch((error: unknown) => (failed = error));
    await watching.world.clock.until(() => watching.letStop !== undefined);
    await watching.world.clock.advance(60_000);
    expect(failed).toBeUndefined();
    watching.letStop?.();
    await watching.world.clock.until(() => failed !== undefined);
    expect(failed).toMatchObject({ message: 'cannot start' });
  });

  it('runs while its task still starts', async () => {
    const watching = new Watching();
    const source = watching.world.source({});
    let letStart: () => void = () => undefined;
    source.start = () => new Promise((resolve) => (letStart = resolve));
    const loop = watching.loop(source);
    void loop.start().catch(() => undefined);
    await watching.world.clock.advance(1000);
    expect(loop.instance).toEqual({ state: 'RUNNING' });
    letStart();
    let hasEnded = false;
    void loop.stop().then(() => (hasEnded = true));
    await watching.world.clock.until(() => hasEnded);
    expect(watching.calls).toEqual(['start', 'stop']);
  });

  it('needs a new generation where its own is in doubt, also where the task continues', async () => {
    const watching = new Watching();
    const { clock, lease } = watching.world;
    const loop = watching.loop(watching.world.source({}));
    await loop.start();
    await clock.settle();
    let isOutdated = false;
    void loop.outdated?.then(() => (isOutdated = true));
    lease.lose();
    await clock.advance(1000);
    expect(isOutdated).toBe(false);
    lease.regain(1);
    await clock.advance(1000);
    expect(isOutdated).toBe(true);
    expect(watching.calls).toEqual(['start', 'stop']);
    let hasEnded = false;
    void loop.stop().then(() => (hasEnded = true));
    await clock.until(() => hasEnded);
  });

  it('is still with the task, and not when both were resumed before', async () => {
    const watching = new Watching();
    watching.holdsStop = true;
    const loop = watching.loop(watching.world.source({}));
    await loop.start();
    const stills: string[] = [];
    loop.pause(() => stills.push('first'));
    await watching.world.clock.advance(5000);
    expect(stills).toEqual([]);
    loop.resume();
    watching.letStop?.();
    await watching.world.clock.settle();
    expect(stills).toEqual([]);
    expect(loop.instance).toEqual({ state: 'RUNNING' });
    watching.holdsStop = false;
    loop.pause(() => stills.push('second'));
    await watching.world.clock.until(() => stills.length > 0);
    expect(stills).toEqual(['second']);
    expect(loop.instance).toEqual({ state: 'PAUSED' });
    let hasEnded = false;
    void loop.stop().then(() => (hasEnded = true));
    await watching.world.clock.until(() => hasEnded);
  });
});
