import type { ErrorStage } from '@sluice/protocol';
import { PartFailure } from '../converters/part-failure.js';
import { TransformError } from '../transforms/transform-chain.js';

const PART_STAGES = {
  key: 'KEY_CONVERTER',
  value: 'VALUE_CONVERTER',
  header: 'HEADER_CONVERTER',
} as const satisfies Readonly<Record<PartFailure['part'], ErrorStage>>;

/** Why a record could not pass a stage. */
export class RecordFailure {
  constructor(
    readonly stage: ErrorStage,
    /** What failed: the class of a converter, a transform or a connector. */
    readonly className: string,
    /** What was thrown. */
    readonly cause: unknown,
  ) {}

  /**
   * Finds out where an error of converters and transforms happened.
   * @param stage where it happened if it is none of theirs
   */
  static of(error: unknown, stage: ErrorStage): RecordFailure {
    if (error instanceof PartFailure) return new RecordFailure(PART_STAGES[error.part], error.converter.constructor.name, error.cause);
    if (error instanceof TransformError) return new RecordFailure('TRANSFORMATION', error.className, error);
    return new RecordFailure(stage, '', error);
  }
}
