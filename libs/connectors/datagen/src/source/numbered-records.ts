import { ConnectError, ConnectErrorCode, schemas, type SourcePosition, type SourceRecord } from '@sluice/sdk';
import { encodeVerificationRecord } from '@sluice/verification';
import { KeyRounds } from './key-rounds.js';
import { type LateSettings, delayOf } from './lateness.js';
import { keysOfPartition, type Numbering } from './numbering.js';
import { fillerOf, type PayloadKind } from './payload.js';
import { chances } from '../random.js';
import { type GeneratorPartition, type RecordMaker, storedPosition, storedSeq } from './record-maker.js';

export interface NumberedSettings extends Numbering {
  readonly topic: string;
  readonly recordSize: number;
  readonly payloadKind: PayloadKind;
  /** Exponent of the Zipf distribution of keys; 0 for even shares. */
  readonly keysSkew: number;
  readonly large: { readonly share: number; readonly size: number };
  readonly late: LateSettings;
}

/** Makes verification records: numbers, a body that fills them up, and a checksum. */
export class NumberedRecords implements RecordMaker {
  readonly #settings: NumberedSettings;
  readonly #partition: GeneratorPartition;
  readonly #keys: number;
  readonly #rounds: KeyRounds;
  readonly #fillBody: ReturnType<typeof fillerOf>;

  constructor(settings: NumberedSettings, partition: GeneratorPartition) {
    this.#settings = settings;
    this.#partition = partition;
    this.#keys = keysOfPartition(settings, partition.partition);
    this.#rounds = new KeyRounds(settings, partition, settings.keysSkew);
    this.#fillBody = fillerOf(settings.payloadKind);
  }

  recordAt(seq: number, createdMs: number): SourceRecord {
    const { topic } = this.#settings;
    const { seed, partition } = this.#partition;
    const { key, keySeq } = this.#rounds.keyOf(seq);
    const numbers = { seed, partition, seq, key, keySeq, createdMs };
    const { size, delayMs } = this.#shapeOf({ seed, partition, seq });
    return {
      topic,
      key,
      keySchema: schemas.string,
      value: encodeVerificationRecord(numbers, size, this.#fillBody),
      schema: schemas.bytes,
      timestamp: createdMs - delayMs,
      partition: this.#partition,
      position: this.#positionAt(seq + 1),
    };
  }

  /** Decides how large a record is, and by how much its time is behind. */
  #shapeOf(place: GeneratorPartition & { readonly seq: number }): { readonly size: number; readonly delayMs: number } {
    const { recordSize, large, late } = this.#settings;
    if (large.share === 0 && late.share === 0) return { size: recordSize, delayMs: 0 };
    const chance = chances(place);
    const isLarge = chance() < large.share;
    return { size: isLarge ? large.size : recordSize, delayMs: delayOf(late, chance) };
  }

  #positionAt(seq: number): SourcePosition {
    const { keysSkew } = this.#settings;
    return { seq, keys: this.#keys, ...(keysSkew === 0 ? {} : { skew: keysSkew }) };
  }

  seqOf(stored: SourcePosition): number {
    const { keys, skew, schema } = stored;
    const seq = storedSeq(stored, this.#partition);
    const where = storedPosition(stored, this.#partition);
    if (schema !== undefined) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `${where} is one of records with a schema: restore the schema, or set another seed to start over.`,
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
