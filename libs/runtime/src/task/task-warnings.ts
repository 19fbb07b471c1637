import type { TaskWarning } from '@sluice/core';
import type { TaskLogger } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';

/** Kept of a task; the log has the others. */
const MAX_WARNINGS = 5;
/** Reports carry the warnings of every task. */
const MAX_CHARACTERS = 1000;

/** Logs what a task found that does not end it and that somebody should know, and keeps it for the status. */
export class TaskWarnings {
  #warnings: readonly TaskWarning[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly logger: TaskLogger,
    /** Takes secrets out of a text. */
    private readonly hide: (text: string) => string = (text) => text,
  ) {}

  /** The newest ones, oldest first. */
  get list(): readonly TaskWarning[] {
    return this.#warnings;
  }

  readonly add = (given: string): void => {
    const message = this.hide(given);
    this.logger.warn(message);
    const text = message.length > MAX_CHARACTERS ? `${message.slice(0, MAX_CHARACTERS)}...` : message;
    this.#warnings = [...this.#warnings, { at: this.clock.wallMs(), message: text }].slice(-MAX_WARNINGS);
  };
}
