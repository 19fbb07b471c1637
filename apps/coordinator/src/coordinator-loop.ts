import { step, type CoordinatorState, type Effect, type InputBody } from '@sluice/core';
import { readClocks } from '@sluice/node';

const TICK_MS = 100;

/** The only mutable cell of the coordinator: inputs go through `step` one at a time, and their effects are run in order. */
export class CoordinatorLoop {
  readonly #waiting: InputBody[] = [];
  #isStepping = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private current: CoordinatorState,
    private readonly run: (effect: Effect) => void,
  ) {}

  get state(): CoordinatorState {
    return this.current;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.input({ kind: 'tick' });
    }, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** An input that comes while another is stepped waits its turn. */
  input(body: InputBody): void {
    this.#waiting.push(body);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const { now, wall } = readClocks();
        // The fields of an input behind those of the clocks: the other way round a copy takes ten times as long.
        const { state, effects } = step(this.current, { now, wall, ...next });
        this.current = state;
        for (const effect of effects) this.run(effect);
      }
    } finally {
      this.#isStepping = false;
    }
  }
}
