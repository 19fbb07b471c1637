import type { SourceRecord } from '@sluice/sdk';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import type { TransformChain, TransformOutcome } from '../transforms/transform-chain.js';
import { isTransformed } from '../transforms/transform-chain.js';
import type { RecordEncoder } from './record-encoder.js';

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
  constructor(private readonly options: SourceStageOptions) {}

  /** Returns what becomes of each record, in their order: the very records where nothing changes them, at once where nothing takes time. */
  outcomesOf(records: readonly SourceRecord[]): readonly TransformOutcome[] | Promise<readonly TransformOutcome[]> {
    const { transforms, encoder } = this.options;
    if (transforms.prepares || encoder.prepare !== undefined) return this.#prepared(records);
    return transforms.isEmpty ? records : records.map((record) => transforms.apply(record));
  }

  async #prepared(records: readonly SourceRecord[]): Promise<readonly TransformOutcome[]> {
    const { transforms, encoder, policy, signal } = this.options;
    return retrying(policy, signal, async () => {
      const outcomes = await transforms.applyAll(records, signal);
      await encoder.prepare?.(outcomes.filter(isTransformed), signal);
      return outcomes;
    });
  }
}
