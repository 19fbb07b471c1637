import { VALIDATION_LIMIT_MS } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type Connector, type FieldError, RetriableError, type TaskConfig } from '@sluice/sdk';
import { onAbort, withinTime } from '@sluice/time';

export interface CheckLimits {
  /** How long one check may take, its wait for a place included, in milliseconds. */
  readonly limitMs: number;
  /** Checks of one connector that are under way at a time, those included that were given up and have not ended. */
  readonly maxRunning: number;
  /** Checks of one connector that wait for a place. Each holds one of the handlers that answer all questions to the node. */
  readonly maxWaiting: number;
}

const DEFAULT_LIMITS: CheckLimits = { limitMs: VALIDATION_LIMIT_MS, maxRunning: 4, maxWaiting: 16 };

interface Places {
  running: number;
  readonly waiting: Set<() => void>;
}

/** Runs the `validate` of connectors, few at a time of each. One that does not end blocks further checks of its own connector, and no others. */
export class ConnectorChecks {
  readonly #places = new Map<Connector, Places>();

  constructor(private readonly limits: CheckLimits = DEFAULT_LIMITS) {}

  /**
   * Checks settings that are right one by one.
   *
   * @throws RetriableError when the check does not end in time, or cannot begin; else what the connector throws
   */
  run(connector: Connector, config: TaskConfig): Promise<readonly FieldError[]> {
    const { validate } = connector;
    if (validate === undefined) return Promise.resolve([]);
    const { limitMs } = this.limits;
    const ended = new AbortController();
    const late = (): Error => {
      const error = new RetriableError(`The check of ${connector.name} did not end within ${limitMs} ms`);
      ended.abort(error);
      return error;
    };
    const check = async (): Promise<readonly FieldError[]> => {
      const places = this.#placesOf(connector);
      await this.#take(connector, places, ended.signal);
      try {
        return errorsIn(await validate.call(connector, config, ended.signal));
      } finally {
        this.#leave(connector, places);
      }
    };
    return withinTime(check(), limitMs, late);
  }

  #placesOf(connector: Connector): Places {
    let places = this.#places.get(connector);
    if (places === undefined) this.#places.set(connector, (places = { running: 0, waiting: new Set() }));
    return places;
  }

  async #take(connector: Connector, places: Places, signal: AbortSignal): Promise<void> {
    const { maxRunning, maxWaiting } = this.limits;
    if (places.running < maxRunning) {
      places.running += 1;
      return;
    }
    if (places.waiting.size >= maxWaiting) {
      throw new RetriableError(`${places.running} checks of ${connector.name} are under way, and ${places.waiting.size} wait already`);
    }
    await new Promise<void>((resolve, reject) => {
      const taken = (): void => {
        places.waiting.delete(taken);
        unlisten();
        resolve();
      };
      const unlisten = onAbort(signal, () => {
        places.waiting.delete(taken);
        reject(signal.reason as Error);
      });
      places.waiting.add(taken);
    });
  }

  /** Gives the place to the check that has waited longest. */
  #leave(connector: Connector, places: Places): void {
    const [next] = places.waiting;
    if (next !== undefined) {
      next();
      return;
    }
    places.running -= 1;
    if (places.running === 0) this.#places.delete(connector);
  }
}

function errorsIn(answer: unknown): readonly FieldError[] {
  if (Array.isArray(answer) && answer.every(isFieldError)) return answer;
  throw new ConnectError(
    ConnectErrorCode.internal,
    'validate must answer a list of errors, each with field and message; an empty one if all is right',
  );
}

function isFieldError(given: unknown): given is FieldError {
  const { field, message } = (given ?? {}) as Readonly<Record<string, unknown>>;
  return typeof field === 'string' && typeof message === 'string';
}
