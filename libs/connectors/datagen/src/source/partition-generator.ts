import { ConnectError, ConnectErrorCode, plainJson, schemas, type SourcePosition, type SourceRecord } from '@sluice/sdk';
import { encodeVerificationRecord } from '@sluice/verification';
import { keyOfRecord, keysOfPartition, type Numbering, recordsOfPartition } from './numbering.js';
import { fillPayload, type PayloadKind } from './payload.js';

export interface GeneratorSettings extends Numbering {
  readonly topic: string;
  readonly seed: number;
  /** Over all partitions; 0 for no end. */
  readonly records: number;
  readonly recordSize: number;
  readonly payloadKind: PayloadKind;
}

/** The name of a source partition. The seed is in it because another seed starts all numbers over. */
export type GeneratorPartition = Readonly<Record<'seed' | 'partition', number>>;

/** Makes the records of one source partition, one after the other. */
export class PartitionGenerator {
  readonly #settings: GeneratorSettings;
  readonly #partition: GeneratorPartition;
  readonly #keys: number;
  readonly #end: number;
  #next: number;

  /**
   * @param stored the position to resume at
   * @throws {ConnectError} if it is none, or belongs to another number of keys
   */
  constructor(settings: GeneratorSettings, partition: GeneratorPartition, stored: SourcePosition | undefined) {
    this.#settings = settings;
    this.#partition = partition;
    this.#keys = keysOfPartition(settings, partition.partition);
    this.#end = recordsOfPartition(settings.records, settings.partitions, partition.partition);
    this.#next = stored === undefined ? 0 : this.#checked(stored);
  }

  get isDone(): boolean {
    return this.#next >= this.#end;
  }

  /** Appends up to `count` records. */
  make(count: number, createdMs: number, records: SourceRecord[]): void {
    const { topic, seed, recordSize, payloadKind } = this.#settings;
    const { partition } = this.#partition;
    const end = Math.min(this.#end, this.#next + count);
    for (let seq = this.#next; seq < end; seq += 1) {
      const { key, keySeq } = keyOfRecord(this.#settings, partition, seq);
      const numbers = { seed, partition, seq, key, keySeq, createdMs };
      records.push({
        topic,
        key,
        keySchema: schemas.string,
        value: encodeVerificationRecord(numbers, recordSize, (body) => {
          fillPayload(payloadKind, body, numbers);
        }),
        schema: schemas.bytes,
        timestamp: createdMs,
        partition: this.#partition,
        position: { seq: seq + 1, keys: this.#keys },
      });
    }
    this.#next = Math.max(this.#next, end);
  }

  #checked(stored: SourcePosition): number {
    const { seq, keys } = stored;
    const where = `The stored position ${plainJson(stored)} of source partition ${plainJson(this.#partition)}`;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `${where} is invalid: it needs the number of the next record as "seq", a whole number from 0.`,
      );
    }
    if (keys === undefined || keys === this.#keys) return seq;
    throw new ConnectError(
      ConnectErrorCode.positionInvalid,
      `${where} assumes another number of keys than the ${this.#keys} that the partition has now: ` +
        'restore keys and partitions, or set another seed to start over.',
    );
  }
}
