import { describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, type ConnectorContext, type ConnectorInstance } from '@sluice/sdk';
import { FakeLease } from '../testing/fake-stores.js';
import { ManualClock } from '../testing/manual-clock.js';
import { INSTANCE_START_LIMIT_MS, InstanceKeeper } from './instance-keeper.js';

/** An instance that starts and stops when the test lets it; at once where it says nothing. */
class ScriptedInstance implements ConnectorInstance {
  context: ConnectorContext | undefined;

  constructor(
    private readonly world: World,
    private readonly script: { readonly start?: () => Promise<void>; readonly stop?: () => Promise<void> } = {},
  ) {}

  async start(context: ConnectorContext): Promise<void> {
    this.context = context;
    this.world.calls.push('start');
    this.world.running += 1;
    this.world.most = Math.max(this.world.most, this.world.running);
    await this.script.start?.();
  }

  async stop(): Promise<void> {
    this.world.calls.push('stop');
    await this.script.stop?.();
    this.world.running -= 1;
  }
}

class World {
  readonly clock = new ManualClock();
  readonly lease = new FakeLease();
  readonly calls: string[] = [];
  readonly logged: string[] = [];
  readonly instances: ScriptedInstance[] = [];
  readonly scripts: ConstructorParameters<typeof ScriptedInstance>[1][] = [];
  requests = 0;
  running = 0;
  most = 0;
  readonly keeper = new InstanceKeeper({
    create: () => {
      const instance = new ScriptedInstance(this, this.scripts[this.instances.length]);
      this.instances.push(instance);
      return instance;
    },
    connectorName: 'c',
    generation: 7,
    config: { tables: 'x' },
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (text) => this.logged.push(text),
      error: (text) => this.logged.push(text),
    },
    agreedPairs: () => Promise.resolve(new Map([['left', 'right']])),
    requestTaskReconfiguration: () => {
      this.requests += 1;
    },
    restart: { maxAttempts: 2, backoff: { initialMs: 1000, maxMs: 60_000 } },
    stopLimitMs: 5000,
    describe: String,
    lease: this.lease,
    clock: this.clock,
  });

  async begun(...scripts: World['scripts']): Promise<this> {
    this.scripts.push(...scripts);
    this.keeper.begin();
    await this.clock.settle();
    return this;
  }

  get context(): ConnectorContext {
    const context = this.instances.at(-1)?.context;
    if (context === undefined) throw new Error('no instance was started');
    return context;
  }
}

const never = (): Promise<void> => new Promise(() => undefined);
const failing = (error: Error) => () => Promise.reject(error);

describe('the instance of a connector', () => {
  it('runs with the settings of the connector, and is stopped once, with its signal aborted', async () => {
    const world = await new World().begun();
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    expect(world.context).toMatchObject({ connectorName: 'c', generation: 7, config: { tables: 'x' } });
    expect(world.context.signal.aborted).toBe(false);
    await world.keeper.end();
    expect(world.calls).toEqual(['start', 'stop']);
    expect(world.context.signal.aborted).toBe(true);
    expect(world.keeper.report).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('asks for new task settings while it runs, and not after', async () => {
    const world = await new World().begun();
    world.context.requestTaskReconfiguration();
    expect(world.requests).toBe(1);
    await world.keeper.end();
    world.context.requestTaskReconfiguration();
    expect(world.requests).toBe(1);
  });

  it('reads the pairs that the connector has agreed upon', async () => {
    const world = await new World().begun();
    expect(await world.context.agreedPairs()).toEqual(new Map([['left', 'right']]));
  });

  it('that raises an error has failed with it and stays stopped, until it is ended', async () => {
    const world = await new World().begun();
    world.context.raiseError(new Error('the slot is gone'));
    expect(world.keeper.report).toEqual({ state: 'FAILED', trace: 'Error: the slot is gone' });
    await world.clock.advance(600_000);
    world.context.raiseError(new Error('another one'));
    expect(world.keeper.report).toEqual({ state: 'FAILED', trace: 'Error: the slot is gone' });
    expect(world.calls).toEqual(['start', 'stop']);
    expect(world.logged).toEqual(['Connector c has failed: Error: the slot is gone']);
    await world.keeper.end();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('that cannot start is made again as tasks are, and fails after its restarts', async () => {
    const error = new Error('down');
    const world = await new World().begun({ start: failing(error) }, { start: failing(error) }, { start: failing(error) });
    expect(world.keeper.report).toEqual({ state: 'RESTARTING', trace: 'Error: down' });
    await world.clock.advance(749);
    expect(world.calls).toEqual(['start', 'stop']);
    await world.clock.advance(1);
    expect(world.calls).toEqual(['start', 'stop', 'start', 'stop']);
    await world.clock.advance(600_000);
    expect(world.calls).toHaveLength(6);
    expect(world.keeper.report).toEqual({ state: 'FAILED', trace: 'Error: down' });
    await world.keeper.end();
  });

  it('has failed at once where no retry can fix its start', async () => {
    const world = await new World().begun({ start: failing(new ConnectError(ConnectErrorCode.configInvalid, 'no such table')) });
    expect(world.keeper.report).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('no such table') });
    await world.clock.advance(600_000);
    expect(world.calls).toEqual(['start', 'stop']);
    await world.keeper.end();
  });

  it('counts restarts from the first once it has run for long', async () => {
    const error = new Error('down');
    const world = await new World().begun({ start: failing(error) }, { start: failing(error) }, {}, { start: failing(error) }, {});
    await world.clock.advance(10_000);
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    await world.clock.advance(60_000);
    await world.keeper.pause();
    world.keeper.resume();
    await world.clock.settle();
    expect(world.keeper.report).toMatchObject({ state: 'RESTARTING', trace: 'Error: down' });
    await world.clock.advance(1000);
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    await world.keeper.end();
  });

  it('whose start takes too long has failed; it is stopped only once its start is over', async () => {
    let started: () => void = () => undefined;
    const world = await new World().begun({ start: () => new Promise((resolve) => (started = resolve)) });
    await world.clock.advance(INSTANCE_START_LIMIT_MS - 1);
    expect(world.keeper.report).toEqual({ state: 'RESTARTING' });
    await world.clock.advance(1);
    expect(world.keeper.report).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('did not start within 60000 ms') });
    expect(world.context.signal.aborted).toBe(true);
    expect(world.calls).toEqual(['start']);
    started();
    await world.clock.settle();
    expect(world.calls).toEqual(['start', 'stop']);
    await world.clock.advance(600_000);
    expect(world.calls).toEqual(['start', 'stop']);
    await world.keeper.end();
  });

  it('that does not stop is reported, holds up the end, and is followed by no other', async () => {
    const world = await new World().begun({ stop: never });
    let hasEnded = false;
    void world.keeper.end().then(() => (hasEnded = true));
    await world.clock.advance(4999);
    expect(world.keeper.report).toBeUndefined();
    await world.clock.advance(600_000);
    expect(world.keeper.report).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('did not stop within 5000 ms') });
    expect(hasEnded).toBe(false);
    expect(world.instances).toHaveLength(1);
  });

  it('whose stop fails has stopped, with a word in the log', async () => {
    const world = await new World().begun({ stop: failing(new Error('no answer')) });
    await world.keeper.end();
    expect(world.logged).toEqual(['Connector c failed while its instance stopped: Error: no answer']);
  });

  it('stops while the connector is paused, and another one runs after it', async () => {
    const world = await new World().begun();
    await world.keeper.pause();
    expect(world.calls).toEqual(['start', 'stop']);
    await world.clock.settle();
    expect(world.keeper.report).toEqual({ state: 'PAUSED' });
    await world.clock.advance(60_000);
    expect(world.instances).toHaveLength(1);
    world.keeper.resume();
    await world.clock.settle();
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    expect(world.calls).toEqual(['start', 'stop', 'start']);
    await world.keeper.end();
  });

  it('is never made where the connector is stopped or paused in the moment in which it begins', async () => {
    const [stopped, paused] = [new World(), new World()];
    stopped.keeper.begin();
    await stopped.keeper.end();
    expect(stopped.instances).toEqual([]);
    paused.keeper.begin();
    await paused.keeper.pause();
    await paused.clock.settle();
    expect(paused.instances).toEqual([]);
    expect(paused.keeper.report).toEqual({ state: 'PAUSED' });
    await paused.keeper.end();
  });

  it('that has failed stays so over a pause', async () => {
    const world = await new World().begun();
    world.context.raiseError(new Error('gone'));
    await world.keeper.pause();
    world.keeper.resume();
    await world.clock.advance(60_000);
    expect(world.keeper.report).toMatchObject({ state: 'FAILED' });
    expect(world.instances).toHaveLength(1);
    await world.keeper.end();
  });

  it('waits for the lease, stops without it, and says nothing then', async () => {
    const world = new World();
    world.lease.lose();
    await world.begun();
    expect(world.instances).toEqual([]);
    world.lease.regain();
    await world.clock.settle();
    // Its generation is not doubtful: no other runner can have run it.
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    world.lease.lose();
    await world.clock.advance(250);
    expect(world.calls).toEqual(['start', 'stop']);
    world.context.raiseError(new Error('too late'));
    expect(world.keeper.report).toEqual({ state: 'RESTARTING' });
    world.lease.regain();
    await world.clock.settle();
    expect(world.keeper.report).toEqual({ state: 'RUNNING' });
    await world.keeper.end();
  });

  it('does not run again where another runner may have run its task meanwhile', async () => {
    const world = await new World().begun();
    world.lease.lose();
    await world.clock.advance(250);
    let isOutdated = false;
    void world.keeper.outdated.then(() => (isOutdated = true));
    await world.clock.settle();
    expect(isOutdated).toBe(false);
    world.lease.regain(7);
    await world.clock.advance(60_000);
    expect(world.instances).toHaveLength(1);
    expect(isOutdated).toBe(true);
    await world.keeper.end();
  });

  it('stops where the lease ended and came back between two looks', async () => {
    const world = await new World().begun();
    await world.clock.advance(10_010);
    world.lease.lose();
    world.lease.regain(7);
    await world.clock.advance(60_000);
    expect(world.calls).toEqual(['start', 'stop']);
    expect(world.keeper.report).toEqual({ state: 'RESTARTING' });
    await world.keeper.end();
  });

  it('whose start does not return when it is stopped is reported', async () => {
    let started: () => void = () => undefined;
    const world = await new World().begun({ start: () => new Promise((resolve) => (started = resolve)) });
    const ended = world.keeper.end();
    await world.clock.advance(4999);
    expect(world.keeper.report).toBeUndefined();
    await world.clock.advance(1);
    expect(world.keeper.report).toMatchObject({ state: 'FAILED', trace: expect.stringContaining('did not end its start within 5000 ms') });
    expect(world.calls).toEqual(['start']);
    started();
    await ended;
    expect(world.calls).toEqual(['start', 'stop']);
    expect(world.keeper.report).toBeUndefined();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is one at a time, whatever comes while it starts and stops', async () => {
    const world = new World();
    for (let each = 0; each < 8; each += 1) {
      world.scripts.push({
        start: () => world.clock.sleep(30, new AbortController().signal),
        stop: () => world.clock.sleep(70, new AbortController().signal),
      });
    }
    await world.begun();
    for (let turn = 0; turn < 6; turn += 1) {
      void world.keeper.pause();
      if (turn % 2 === 0) await world.clock.advance(turn * 10);
      world.keeper.resume();
      await world.clock.advance(turn * 15);
    }
    const ended = world.keeper.end();
    await world.clock.advance(1000);
    await ended;
    expect(world.most).toBe(1);
    expect(world.running).toBe(0);
    expect(world.instances.length).toBeGreaterThan(1);
  });
});
