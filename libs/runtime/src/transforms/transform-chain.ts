import { type ConnectRecord, ConnectError, ConnectErrorCode, type Predicate, type Transform } from '@sluice/sdk';

export interface TransformStep {
  /** What the user calls it. */
  readonly alias: string;
  readonly transform: Transform;
  /** Under which it is known to users, such as `Cast$Value`. Without one, errors name its constructor. */
  readonly className?: string;
  /** Without one it is applied to every record. */
  readonly condition?: { readonly predicate: Predicate; readonly className?: string; readonly isNegated: boolean };
}

/** Reports a record that a transform, or the predicate of one, could not take. */
export class TransformError extends ConnectError {
  constructor(
    readonly alias: string,
    cause: unknown,
    /** Of the transform or predicate that failed. */
    readonly className = '',
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(ConnectErrorCode.transformFailed, `Transform ${alias}: ${reason}`, { cause });
  }
}

/** What became of a record: another or the same one, `undefined` where a transform dropped it, or why it has no outcome. */
export type TransformOutcome = ConnectRecord | undefined | TransformError;

/** Applies the transforms of a connector, one after the other. */
export class TransformChain {
  /** A transform prepares, so that {@link begin} has to be used. */
  readonly prepares: boolean;

  constructor(private readonly steps: readonly TransformStep[] = []) {
    this.prepares = steps.some(({ transform }) => transform.prepare !== undefined);
  }

  get isEmpty(): boolean {
    return this.steps.length === 0;
  }

  /** Returns what became of a record, where no transform prepares. */
  apply(record: ConnectRecord): TransformOutcome {
    let outcome: TransformOutcome = record;
    for (const step of this.steps) {
      outcome = applyStep(step, outcome);
      if (outcome === undefined || outcome instanceof TransformError) return outcome;
    }
    return outcome;
  }

  /** Begins the way of a batch through a chain whose transforms prepare. */
  begin(records: readonly ConnectRecord[]): BatchWalk {
    return new BatchWalk(this.steps, records);
  }

  /** Closes every transform; rejects with what the first one threw that could not. */
  async close(): Promise<void> {
    const results = await Promise.allSettled(this.steps.map(async ({ transform }) => transform.close?.()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

interface Chosen {
  readonly outcomes: readonly TransformOutcome[];
  readonly records: readonly ConnectRecord[];
}

/** The way of one batch through a chain. It is kept while a preparation is repeated: no transform is applied to a record twice. */
export class BatchWalk {
  #outcomes: readonly TransformOutcome[];
  /** How many steps are done. */
  #done = 0;
  /** What the step at hand chose, once it has. */
  #chosen: Chosen | undefined;

  constructor(
    private readonly steps: readonly TransformStep[],
    records: readonly ConnectRecord[],
  ) {
    this.#outcomes = records;
  }

  /**
   * Returns what became of each record, in their order. Rejects with what a transform's preparation threw; nothing of it concerns one record
   * alone. Called again, it continues with that preparation, which is given the same array.
   */
  async finish(signal: AbortSignal): Promise<readonly TransformOutcome[]> {
    for (let step = this.steps[this.#done]; step !== undefined; step = this.steps[this.#done]) {
      const { outcomes: chosen, records } = (this.#chosen ??= chosenOf(step, this.#outcomes));
      if (records.length > 0) await step.transform.prepare?.(records, signal);
      this.#outcomes = applied(step, chosen, this.#outcomes);
      this.#chosen = undefined;
      this.#done += 1;
    }
    return this.#outcomes;
  }
}

/** Returns whether an outcome is a record. */
export function isTransformed(outcome: TransformOutcome): outcome is ConnectRecord {
  return outcome !== undefined && !(outcome instanceof TransformError);
}

function chosenOf(step: TransformStep, before: readonly TransformOutcome[]): Chosen {
  const outcomes = before.map((outcome) => chosenBy(step, outcome));
  return { outcomes, records: outcomes.filter(isTransformed) };
}

function applied(step: TransformStep, chosen: readonly TransformOutcome[], before: readonly TransformOutcome[]): TransformOutcome[] {
  return chosen.map((outcome, at) => (isTransformed(outcome) ? changed(step, outcome) : (outcome ?? before[at])));
}

function applyStep(step: TransformStep, record: ConnectRecord): TransformOutcome {
  const chosen = chosenBy(step, record);
  if (chosen === undefined) return record;
  return isTransformed(chosen) ? changed(step, chosen) : chosen;
}

/** Returns a record that the transform is applied to, why nobody can tell, or `undefined` for one that passes. */
function chosenBy({ alias, condition }: TransformStep, outcome: TransformOutcome): TransformOutcome {
  if (!isTransformed(outcome)) return undefined;
  if (condition === undefined) return outcome;
  try {
    return condition.predicate.test(outcome) === condition.isNegated ? undefined : outcome;
  } catch (error) {
    return new TransformError(alias, error, condition.className ?? condition.predicate.constructor.name);
  }
}

function changed({ alias, className, transform }: TransformStep, record: ConnectRecord): TransformOutcome {
  try {
    const result: unknown = transform.apply(record);
    if (result === undefined) return undefined;
    if (typeof result === 'object' && result !== null && typeof (result as ConnectRecord).topic === 'string')
      return result as ConnectRecord;
    throw new ConnectError(
      ConnectErrorCode.transformFailed,
      `it returned ${result === null ? 'null' : typeof result}; allowed are a record and undefined`,
    );
  } catch (error) {
    return new TransformError(alias, error, className ?? transform.constructor.name);
  }
}
