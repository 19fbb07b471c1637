import type { SourceRecord } from '@sluice/sdk';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { TransformChain, TransformOutcome } from '../transforms/transform-chain.js';
import { isTransformed } from '../transforms/transform-chain.js';
import type { RecordEncoder } from './record-encoder.js';
import { UnreadableInputs } from './unreadable-inputs.js';

export interface SourceStageOptions {
  readonly transforms: TransformChain;
  readonly encoder: RecordEncoder;
  /** Of preparations: questions to other systems. */
  readonly policy: RetryPolicy;
  /** Aborted when nothing more is taken. */
  readonly signal: AbortSignal;
}

/** Makes of polled records what is encoded: applies the transforms and lets the converters prepare. Lanes are chosen by its result. */
export class SourceStage {
  readonly unreadable = new UnreadableInputs();

  constructor(private readonly options: SourceStageOptions) {}

  /** Returns what becomes of each record, in their order: the very records where nothing changes them, at once where nothing takes time. */
  outcomesOf(records: readonly SourceRecord[]): readonly TransformOutcome[] | Promise<readonly TransformOutcome[]> {
    const { unreadable } = this;
    if (!unreadable.hasAny) return this.#outcomes(records);
    const readable = records.filter((record) => unreadable.reasonOf(record) === undefined);
    if (readable.length === records.length) return this.#outcomes(records);
    const outcomes = this.#outcomes(readable);
    return outcomes instanceof Promise ? outcomes.then((each) => this.#spread(each, records)) : this.#spread(outcomes, records);
  }

  /** Returns outcomes of the readable ones among `records`, each in the place of its record. */
  #spread(outcomes: readonly TransformOutcome[], records: readonly SourceRecord[]): readonly TransformOutcome[] {
    const { unreadable } = this;
    let next = 0;
    return records.map((record) => (unreadable.reasonOf(record) === undefined ? outcomes[next++] : undefined));
  }

  #outcomes(records: readonly SourceRecord[]): readonly TransformOutcome[] | Promise<readonly TransformOutcome[]> {
    const { transforms, encoder } = this.options;
    if (transforms.prepares || encoder.prepare !== undefined) return this.#prepared(records);
    return transforms.isEmpty ? records : records.map((record) => transforms.apply(record));
  }

  async #prepared(records: readonly SourceRecord[]): Promise<readonly TransformOutcome[]> {
    const { transforms, encoder, policy, signal } = this.options;
    const walk = transforms.begin(records);
    // What is done stays so: a transform that saw records again would take them for others.
    const outcomes = await retrying(policy, signal, () => walk.finish(signal));
    const transformed = outcomes.filter(isTransformed);
    if (encoder.prepare !== undefined) await retrying(policy, signal, async () => encoder.prepare?.(transformed, signal));
    return outcomes;
  }
}
