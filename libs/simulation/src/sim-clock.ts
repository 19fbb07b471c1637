import { type ClockReading, PriorityQueue } from '@sluice/core';

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** Simulated time, in milliseconds, and the one source of chance (mulberry32): a seed replays a run exactly. */
export class SimClock {
  now = 0;
  #order = 0;
  #state: number;
  readonly #queue = new PriorityQueue<Planned>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at));

  constructor(seed: number) {
    this.#state = seed;
  }

  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  after(delayMs: number, act: () => void): void {
    this.#order += 1;
    this.#queue.push({ at: this.now + Math.max(0, delayMs), order: this.#order, act });
  }

  /** Runs what is planned until the given time; `check` runs after each. */
  runUntil(time: number, check: () => void): void {
    for (let next = this.#queue.peek(); next !== undefined && next.at <= time; next = this.#queue.peek()) {
      this.#queue.pop();
      this.now = next.at;
      next.act();
      check();
    }
    this.now = time;
  }
}

/** The true wall clock. */
export function wallOf(clock: SimClock): number {
  return 1e12 + clock.now;
}

/** A process of the simulation: what is planned for it waits while it is paused and is dropped once it is dead. */
export class SimProcess {
  isDead = false;
  pausedUntil = 0;
  /** Its monotonic clock stops between these times. */
  #suspended = { from: 0, until: 0 };
  #stoodStillMs = 0;
  /** Its monotonic clock starts anywhere and runs a little fast or slow. */
  readonly #offset: number;
  readonly #rate: number;
  /** Its wall clock is wrong by up to ten minutes. */
  readonly #wallSkew: number;

  constructor(readonly clock: SimClock) {
    this.#offset = Math.floor(clock.random() * 1e6);
    this.#rate = 1 + (clock.random() - 0.5) * 0.02;
    this.#wallSkew = Math.floor((clock.random() - 0.5) * 1_200_000);
  }

  get localNow(): number {
    const { from, until } = this.#suspended;
    const { now } = this.clock;
    const stoodStillMs = this.#stoodStillMs + Math.max(0, Math.min(now, until) - from);
    return this.#offset + (now - stoodStillMs) * this.#rate;
  }

  /** It does nothing for a while, and its monotonic clock does not notice: its machine is suspended. */
  suspend(forMs: number): void {
    const { now } = this.clock;
    const { from, until } = this.#suspended;
    this.#stoodStillMs += Math.max(0, Math.min(now, until) - from);
    this.#suspended = { from: now, until: now + forMs };
    this.pausedUntil = Math.max(this.pausedUntil, now + forMs);
  }

  get wall(): number {
    return wallOf(this.clock) + this.#wallSkew;
  }

  get clocks(): ClockReading {
    return { now: this.localNow, wall: this.wall };
  }

  after(delayMs: number, act: () => void): void {
    this.clock.after(delayMs, () => {
      this.#run(act);
    });
  }

  every(periodMs: number, act: () => void): void {
    this.after(periodMs * (0.5 + this.clock.random()), () => {
      act();
      this.every(periodMs, act);
    });
  }

  #run(act: () => void): void {
    if (this.isDead) return;
    if (this.clock.now >= this.pausedUntil) act();
    else
      this.clock.after(this.pausedUntil - this.clock.now, () => {
        this.#run(act);
      });
  }
}
