import { type ConnectError, queueKey, type QueueRef, type SinkRecord } from '@sluice/sdk';
import { describeMessage, letterOfMessage } from '../dead-letters/dead-letter.js';
import type { DeadLetterWriter } from '../dead-letters/dead-letter-writer.js';
import { RecordErrors, type RecordErrorsOptions, type RecordPlace } from '../dead-letters/record-errors.js';
import { RecordFailure } from '../dead-letters/record-failure.js';
import { type QueueMessages, QueueReadFailure, type RawMessage } from '../ports/queue-messages.port.js';
import type { WholeMessage } from '../ports/record-producer.port.js';
import type { SinkTraces } from '../traces/sink-traces.js';

export interface SinkErrorsOptions extends RecordErrorsOptions {
  readonly spec: RecordErrorsOptions['spec'] & { readonly traces?: SinkTraces | undefined };
  readonly ports: RecordErrorsOptions['ports'] & { readonly messages: QueueMessages };
  readonly warn: (message: string) => void;
}

const WRITTEN = Promise.resolve();

/** Reports records that a sink leaves out. Their dead letters are written before the offsets behind them are flushed. */
export class SinkErrors {
  readonly #errors: RecordErrors;
  /** Resolve with the letters of records that were refused: calls that are made again have the same records. */
  readonly #refused = new WeakMap<SinkRecord, Promise<void>>();

  constructor(private readonly options: SinkErrorsOptions) {
    this.#errors = new RecordErrors(options);
  }

  get letters(): DeadLetterWriter | undefined {
    return this.#errors.letters;
  }

  /**
   * Reports a message that became no record.
   * @returns a promise that resolves when its dead letter is written; `undefined` where it gets none
   */
  skipped(problem: ConnectError, failure: RecordFailure, queue: QueueRef, message: RawMessage): Promise<void> | undefined {
    const { letters } = this;
    this.#errors.log(problem, () => describeMessage(message));
    if (letters === undefined) return undefined;
    const contextOf = this.#errors.contextOf(failure, placeOf(queue, message.queueOffset));
    const letter = letterOfMessage(message, contextOf);
    // The message's memory is a part of an answer that may be much larger.
    const kept = { ...letter, body: Buffer.from(letter.body) };
    return letters.add(queueKey(queue), () => kept, kept.body.length + kept.properties.length);
  }

  /**
   * Reports a record that the task did not take. Its message is read again: nobody keeps those of all records that a sink has.
   * A record that an earlier try of the same call reported is not counted again, and has one letter.
   * @returns a promise that resolves when the dead letter is written
   */
  refused(record: SinkRecord, problem: ConnectError, cause: unknown): Promise<void> {
    const known = this.#refused.get(record);
    if (known !== undefined) return known;
    const { counters, figures } = this.options.spec;
    counters.recordErrors++;
    figures.noteError('TASK_PUT');
    counters.recordsSkipped++;
    counters.recordsRefused++;
    const written = this.#reported(record, problem, cause);
    this.#refused.set(record, written);
    this.options.spec.traces?.refused(record, cause, written);
    return written;
  }

  #reported({ queue, offset }: SinkRecord, problem: ConnectError, cause: unknown): Promise<void> {
    const { letters } = this;
    this.#errors.log(problem);
    if (letters === undefined) return WRITTEN;
    const contextOf = this.#errors.contextOf(new RecordFailure('TASK_PUT', '', cause), placeOf(queue, offset));
    const make = async (): Promise<WholeMessage | undefined> => {
      const message = await this.#messageAt(queue, offset);
      return message === undefined ? undefined : letterOfMessage(message, contextOf);
    };
    return letters.add(queueKey(queue), make, 0);
  }

  async #messageAt(queue: QueueRef, offset: number): Promise<RawMessage | undefined> {
    const { ports, signal, spec, warn } = this.options;
    for await (const messages of ports.messages.range(queue, offset, offset + 1, signal)) {
      const message = messages.find(({ queueOffset }) => queueOffset === offset);
      if (message !== undefined) return message;
    }
    // A broker that contradicts itself, or a replica that lags, answers so too.
    const minOffset = await ports.messages.minOffset(queue);
    if (minOffset <= offset) {
      const text = `the broker gives no message at offset ${offset} of queue ${queueKey(queue)}, and its oldest one is at offset ${minOffset}`;
      throw new QueueReadFailure(text, { reason: 'unavailable', retriable: true });
    }
    spec.counters.recordsLost++;
    warn(`The message at offset ${offset} of queue ${queueKey(queue)}, which the task has refused, is gone: it has no dead letter`);
    return undefined;
  }
}

function placeOf({ topic, brokerName, queueId }: QueueRef, offset: number): RecordPlace {
  return { topic, brokerName, queueId, offset };
}
