import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { LogFollower, ScopedLogger } from '@sluice/node';
import { LeaseKeeper } from './lease-keeper.js';

type LeaseListener = (change: { readonly lease: { readonly lost?: string } }) => void;

class World {
  readonly lines: string[] = [];
  readonly losses: string[] = [];
  holdsLease = false;
  attempts = 0;
  readonly keeper: LeaseKeeper;
  #listener: LeaseListener = () => undefined;

  constructor() {
    const follower = {
      subscribe: (listener: LeaseListener) => {
        this.#listener = listener;
        return () => (this.#listener = () => undefined);
      },
      proveHead: () => {
        this.attempts += 1;
        return this.holdsLease ? Promise.resolve({ sentAt: 0 }) : Promise.reject(new Error('silent'));
      },
    };
    Object.defineProperty(follower, 'holdsLease', { get: () => this.holdsLease });
    const write = (level: string) => (text: string) => this.lines.push(`${level} ${text}`);
    const logger = { debug: () => undefined, info: write('info'), warn: write('warn') } as unknown as ScopedLogger;
    this.keeper = new LeaseKeeper(follower as unknown as LogFollower, (why) => this.losses.push(why), logger);
    this.keeper.start();
  }

  loses(lost: 'left' | 'rejected'): void {
    this.#listener({ lease: { lost } });
  }

  async becomes(holdsLease: boolean): Promise<void> {
    this.holdsLease = holdsLease;
    const until = this.attempts + 2;
    while (this.attempts < until) await delay(10);
  }
}

describe('the contact of a runner to the log', () => {
  it('is logged where it ends and comes back, not at the start and the stop of the runner', async () => {
    const world = new World();
    await world.becomes(false);
    await world.becomes(true);
    expect(world.lines).toEqual([]);
    await world.becomes(false);
    await world.becomes(true);
    expect(world.lines).toEqual(['warn No contact to the log: tasks pause until there is', 'info Contact to the log again: tasks may run']);
    world.keeper.leave();
    await world.becomes(false);
    await world.keeper.stop();
    expect(world.lines).toHaveLength(2);
  });
});

describe('the loss of the lease of a runner', () => {
  it('is reported once, with who took it', async () => {
    const world = new World();
    world.loses('left');
    world.loses('left');
    await world.keeper.stop();
    expect(world.losses).toEqual(['the cluster expired or released this node']);
  });

  it('is no failure of a runner that stops', async () => {
    const world = new World();
    world.keeper.leave();
    world.loses('left');
    await world.keeper.stop();
    expect(world.losses).toEqual([]);
  });
});
