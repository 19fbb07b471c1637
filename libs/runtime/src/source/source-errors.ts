import { describePosition } from '@sluice/protocol';
import type { ConnectError, ConnectRecord, SourceRecord } from '@sluice/sdk';
import { describeRecord, letterOfRecord, letterOfRefused } from '../dead-letters/dead-letter.js';
import type { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import { RecordErrors, type RecordErrorsOptions, type RecordPlace } from '../dead-letters/record-errors.js';
import type { RecordFailure } from '../dead-letters/record-failure.js';
import type { WholeMessage } from '../ports/record-producer.port.js';
import type { SourceTrace } from '../traces/source-traces.js';

/** Reports records that a source leaves out. Their dead letters are written before the positions behind them are stored. */
export class SourceErrors {
  readonly #errors: RecordErrors;

  constructor(options: RecordErrorsOptions) {
    this.#errors = new RecordErrors(options);
  }

  get letters(): DeadLetterWriter | undefined {
    return this.#errors.letters;
  }

  /** Logs what is left out and has no place in the input, and so no dead letter. */
  log(problem: ConnectError): void {
    this.#errors.log(problem);
  }

  /**
   * Reports a record that was left out.
   *
   * @param failed what failed: the record itself, or what the transforms made of it
   * @param trace of the record, which knows of the failure: its dead letter carries that on
   * @returns a promise that resolves when its dead letter is written; `undefined` where it gets none
   */
  skipped(
    problem: ConnectError,
    failure: RecordFailure,
    { partition, position }: SourceRecord,
    failed: ConnectRecord,
    trace: SourceTrace | undefined,
  ): Promise<void> | undefined {
    this.#errors.log(problem, () => describeRecord(failed));
    const place = placeOf(failed.topic, { partition, position });
    const contextOf = this.#errors.contextOf(failure, place);
    const kept = trace?.withContext(failed) ?? failed;
    const written = this.letters?.add(place.sourcePartition, () => letterOfRecord(kept, contextOf), 0);
    trace?.leftOut(written);
    return written;
  }

  /**
   * Reports a record that a broker refused as `message`.
   * @returns a promise that resolves when its dead letter is written, at once where it gets none
   */
  async refused(
    problem: ConnectError,
    failure: RecordFailure,
    record: SourceRecord,
    message: WholeMessage,
    trace: SourceTrace | undefined,
  ): Promise<void> {
    this.#errors.log(problem, () => describeRecord(record));
    const place = placeOf(record.topic, record);
    const contextOf = this.#errors.contextOf(failure, place);
    const written = this.letters?.add(place.sourcePartition, () => letterOfRefused(message, contextOf), message.body.length);
    trace?.leftOut(written);
    await written;
  }
}

function placeOf(
  topic: string,
  { partition, position }: Pick<SourceRecord, 'partition' | 'position'>,
): RecordPlace & { readonly sourcePartition: string } {
  return { topic, sourcePartition: describePosition(partition), sourcePosition: describePosition(position) };
}
