import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CommandOutcome, TaskId } from '@sluice/core';
import { RunnerError } from '../runner-error.js';

/** A task with the generation that is to be replaced. */
type AskingTask = TaskId & { readonly generation: number };

interface Asking {
  readonly id: AskingTask;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Asks for new generations of tasks. One command serves all tasks of a connector that ask in one turn of the event loop: those of a
 * thread that has ended do. The next one serves those that ask meanwhile.
 */
export class GenerationRequests {
  /** By connector, while it is served: the tasks that the next command names. */
  readonly #asking = new Map<string, Asking[]>();

  constructor(
    /** Has tasks of a connector revoked and assigned again; rejects when nobody took the command. */
    private readonly restart: (connector: string, tasks: readonly AskingTask[]) => Promise<CommandOutcome>,
  ) {}

  /**
   * Asks that a task be revoked and assigned again. Resolves once that is taken, or when this generation is not there any more.
   *
   * @throws RunnerError with code `RESTART_REFUSED`, or what the command threw
   */
  request(id: AskingTask): Promise<void> {
    return new Promise((done, failed) => {
      const asking = this.#asking.get(id.connector);
      if (asking === undefined) void this.#serve(id.connector, [{ id, done, failed }]);
      else asking.push({ id, done, failed });
    });
  }

  async #serve(connector: string, first: Asking[]): Promise<void> {
    this.#asking.set(connector, first);
    for (let asking = await this.#taken(connector); asking.length > 0; asking = await this.#taken(connector)) {
      await this.#ask(connector, asking);
    }
    this.#asking.delete(connector);
  }

  /** Returns those that ask up to the end of this turn. */
  async #taken(connector: string): Promise<readonly Asking[]> {
    await nextTurn();
    const asking = this.#asking.get(connector) ?? [];
    if (asking.length > 0) this.#asking.set(connector, []);
    return asking;
  }

  async #ask(connector: string, asking: readonly Asking[]): Promise<void> {
    let outcome: CommandOutcome;
    try {
      outcome = await this.restart(
        connector,
        asking.map(({ id }) => id),
      );
    } catch (error) {
      for (const { failed } of asking) failed(error);
      return;
    }
    // One task that is gone has the whole command refused.
    if (outcome.status === 'not-found' && asking.length > 1) {
      await Promise.all(asking.map((one) => this.#ask(connector, [one])));
      return;
    }
    for (const { done, failed } of asking) {
      if (outcome.status === 'done' || outcome.status === 'not-found') done();
      else failed(new RunnerError('RESTART_REFUSED', outcome.message, true));
    }
  }
}
