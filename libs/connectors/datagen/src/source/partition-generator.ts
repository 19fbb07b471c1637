import type { SourceRecord } from '@sluice/sdk';
import type { RecordMaker } from './record-maker.js';

/** Makes the records of one source partition, one after the other. */
export class PartitionGenerator {
  readonly #maker: RecordMaker;
  readonly #end: number;
  #next: number;

  /**
   * @param next the number of the record to begin with
   * @param end the number after that of the last record
   */
  constructor(maker: RecordMaker, next: number, end: number) {
    this.#maker = maker;
    this.#next = next;
    this.#end = end;
  }

  get isDone(): boolean {
    return this.#next >= this.#end;
  }

  /** Appends up to `count` records. */
  make(count: number, createdMs: number, records: SourceRecord[]): void {
    const end = Math.min(this.#end, this.#next + count);
    for (let seq = this.#next; seq < end; seq += 1) records.push(this.#maker.recordAt(seq, createdMs));
    this.#next = Math.max(this.#next, end);
  }
}
