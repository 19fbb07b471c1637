import { isUneven } from './queue-division.js';

/** Looks that have to find the same before it is acted upon: topics come one after another. */
const STEADY_LOOKS = 3;

/** Looks after which a division is asked for once more where nothing has changed. */
const LOOKS_TO_REPEAT = 20;

export interface DivisionWatchOptions {
  /** Of the tasks that divide the queues. */
  readonly count: number;
  /** Requests another division. */
  readonly request: () => void;
  readonly info: (message: string) => void;
}

/**
 * Requests another division of a sink's queues once topics have grown so that its task has too many or too few. Queues that vanish request nothing:
 * their broker may be unavailable.
 */
export class DivisionWatch {
  #total = 0;
  #hasGrown = false;
  #looks = 0;

  constructor(private readonly options: DivisionWatchOptions) {}

  /** Notes what one look at the topics has found: how many queues, or topics, the task owns and how many there are. */
  saw(own: number, total: number): void {
    const { count, request, info } = this.options;
    if (total > this.#total) this.#hasGrown = true;
    if (total !== this.#total) this.#looks = 0;
    this.#total = total;
    if (!isUneven(own, total, count)) {
      this.#hasGrown = false;
      return;
    }
    if (!this.#hasGrown) return;
    this.#looks += 1;
    if (this.#looks % LOOKS_TO_REPEAT !== STEADY_LOOKS) return;
    info(`The task has ${own} of ${total} that ${count} tasks divide among them, which is not even: it asks for another division`);
    request();
  }
}
