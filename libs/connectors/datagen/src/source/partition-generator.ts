import { ConnectError, ConnectErrorCode, plainJson, schemas, type SourcePosition, type SourceRecord } from '@sluice/sdk';
import { encodeVerificationRecord } from '@sluice/verification';
import { KeyRounds } from './key-rounds.js';
import { keysOfPartition, type Numbering, recordsOfPartition } from './numbering.js';
import { chances, fillerOf, type PayloadKind } from './payload.js';

export interface GeneratorSettings extends Numbering {
  readonly topic: string;
  readonly seed: number;
  /** Over all partitions; 0 for no end. */
  readonly records: number;
  readonly recordSize: number;
  readonly payloadKind: PayloadKind;
  /** Exponent of the Zipf distribution of keys; 0 for even shares. */
  readonly keysSkew: number;
  readonly large: { readonly share: number; readonly size: number };
  readonly late: { readonly share: number; readonly meanMs: number };
}

/** Late records are later than this many times their mean delay once in two milliard times. */
const MAX_DELAY_IN_MEANS = 20;

/** The name of a source partition. The seed is in it because another seed starts all numbers over. */
export type GeneratorPartition = Readonly<Record<'seed' | 'partition', number>>;

/** Makes the records of one source partition, one after the other. */
export class PartitionGenerator {
  readonly #settings: GeneratorSettings;
  readonly #partition: GeneratorPartition;
  readonly #keys: number;
  readonly #end: number;
  readonly #rounds: KeyRounds;
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
    this.#rounds = new KeyRounds(settings, partition, settings.keysSkew);
    this.#next = stored === undefined ? 0 : this.#checked(stored);
  }

  get isDone(): boolean {
    return this.#next >= this.#end;
  }

  /** Appends up to `count` records. */
  make(count: number, createdMs: number, records: SourceRecord[]): void {
    const { topic, seed, payloadKind } = this.#settings;
    const { partition } = this.#partition;
    const end = Math.min(this.#end, this.#next + count);
    const fillBody = fillerOf(payloadKind);
    for (let seq = this.#next; seq < end; seq += 1) {
      const { key, keySeq } = this.#rounds.keyOf(seq);
      const numbers = { seed, partition, seq, key, keySeq, createdMs };
      const { size, delayMs } = this.#shapeOf({ seed, partition, seq });
      records.push({
        topic,
        key,
        keySchema: schemas.string,
        value: encodeVerificationRecord(numbers, size, fillBody),
        schema: schemas.bytes,
        timestamp: createdMs - delayMs,
        partition: this.#partition,
        position: this.#positionAt(seq + 1),
      });
    }
    this.#next = Math.max(this.#next, end);
  }

  /** Decides how large a record is, and by how much its time is behind. */
  #shapeOf(place: GeneratorPartition & { readonly seq: number }): { readonly size: number; readonly delayMs: number } {
    const { recordSize, large, late } = this.#settings;
    if (large.share === 0 && late.share === 0) return { size: recordSize, delayMs: 0 };
    const chance = chances(place);
    const isLarge = chance() < large.share;
    const isLate = chance() < late.share;
    const delayMs = isLate ? Math.ceil(late.meanMs * Math.min(MAX_DELAY_IN_MEANS, -Math.log(1 - chance()))) : 0;
    return { size: isLarge ? large.size : recordSize, delayMs };
  }

  #positionAt(seq: number): SourcePosition {
    const { keysSkew } = this.#settings;
    return { seq, keys: this.#keys, ...(keysSkew === 0 ? {} : { skew: keysSkew }) };
  }

  #checked(stored: SourcePosition): number {
    const { seq, keys, skew } = stored;
    const where = `The stored position ${plainJson(stored)} of source partition ${plainJson(this.#partition)}`;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `${where} is invalid: it needs the number of the next record as "seq", a whole number from 0.`,
      );
    }
    const { keysSkew } = this.#settings;
    // A position that a user set has the number alone.
    if (keys !== undefined && (skew ?? 0) !== keysSkew) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `${where} assumes another keys.skew than ${keysSkew}: restore it, or set another seed to start over.`,
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
