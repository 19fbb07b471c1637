import type { NodeCheck } from './health-check.js';

const TICK_MS = 500;
/** About ten seconds of an event loop that turns. */
const TICKS_KEPT = 20;
/** The event loop is late by at least this most of the time: requests wait, leases cannot be kept. */
const UNSOUND_DELAY_MS = 1000;

/** Measures how late the event loop runs. A process that was stopped once, as a whole, is sound again; one that is late at most turns is not. */
export class EventLoopWatch {
  readonly #delaysMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;

  constructor(private readonly nowMs: () => number = () => performance.now()) {}

  /** Called by Nest when the application starts. */
  onModuleInit(): void {
    this.#dueMs = this.nowMs() + TICK_MS;
    this.#timer = setInterval(() => {
      this.tick();
    }, TICK_MS);
    this.#timer.unref();
  }

  /** Called by Nest when the application is closed. */
  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Notes how late this turn is. */
  tick(): void {
    const now = this.nowMs();
    this.#delaysMs.push(Math.max(0, now - this.#dueMs));
    if (this.#delaysMs.length > TICKS_KEPT) this.#delaysMs.shift();
    this.#dueMs = now + TICK_MS;
  }

  /** The median of the last turns, in milliseconds. Turns that have not been yet are taken as on time: a slow start is no reason to restart. */
  get delayMs(): number {
    const sorted = [...this.#delaysMs].sort((a, b) => b - a);
    return sorted[TICKS_KEPT / 2] ?? 0;
  }

  get check(): NodeCheck {
    return {
      name: 'event-loop',
      check: () => {
        const delayMs = Math.round(this.delayMs);
        if (delayMs < UNSOUND_DELAY_MS) return { delayMs };
        throw new Error(
          `The event loop is late by ${delayMs} ms at most of its turns, sound is less than ${UNSOUND_DELAY_MS} ms: ` +
            'give the node more CPU, or have it run fewer tasks',
        );
      },
    };
  }
}
