import { describePosition } from '@sluice/protocol';
import { ConnectError, type SourcePartition, type SourcePosition, type SourceRecord } from '@sluice/sdk';

/** Copies of a mark, as of the records beside it, stay marks. */
const REASON = Symbol('unreadable input');

/** Stands for input that is left out on purpose, where others have why it cannot be read. */
export const PASSED = 'passed over';

interface Mark extends SourceRecord {
  readonly [REASON]?: ConnectError | typeof PASSED;
}

/** Makes marks, which stand among polled records for input that is no record, and finds them. */
export class UnreadableInputs {
  #hasAny = false;

  /** A mark was made: until then there is nothing to find. */
  get hasAny(): boolean {
    return this.#hasAny;
  }

  /** Makes a mark: it stands for input that ends before `position`. */
  readonly mark = (partition: SourcePartition, position: SourcePosition, error: ConnectError): SourceRecord => {
    this.#hasAny = true;
    const text = `Input of partition ${describePosition(partition)}, before position ${describePosition(position)}: ${error.message}`;
    const reason = new ConnectError(error.code, text, { cause: error });
    return { topic: '', value: null, partition, position, [REASON]: reason } as Mark;
  };

  /** Makes a mark: it stands for input that ends before `position`, and that nobody wants. */
  readonly passOver = (partition: SourcePartition, position: SourcePosition): SourceRecord => {
    this.#hasAny = true;
    return { topic: '', value: null, partition, position, [REASON]: PASSED } as Mark;
  };

  /** Returns why there is no record; `undefined` for a record. */
  reasonOf(record: SourceRecord): ConnectError | typeof PASSED | undefined {
    return this.#hasAny ? (record as Mark)[REASON] : undefined;
  }
}
