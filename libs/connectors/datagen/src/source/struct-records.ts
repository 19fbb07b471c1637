import { ConnectError, ConnectErrorCode, type ConnectObject, type SourcePosition, type SourceRecord, schemas } from '@sluice/sdk';
import { encodeVerificationHeader, VERIFICATION_HEADER } from '@sluice/verification';
import type { StructMaker } from '../schema/read-schema.js';
import { delayOf, type LateSettings } from './lateness.js';
import { chances, Random } from '../random.js';
import { type GeneratorPartition, type RecordMaker, storedPosition, storedSeq } from './record-maker.js';

export interface StructSettings {
  readonly topic: string;
  readonly partitions: number;
  readonly struct: StructMaker;
  /** The field whose value is the key. */
  readonly keyField: string | undefined;
  /** Whether each record carries its numbers in a header. */
  readonly verificationHeader: boolean;
  readonly late: LateSettings;
}

/** Added to the number of a partition, so that values differ from what the same seed gives other records. */
const OWN_CHANCES = 1_000_000;

/** Makes structs by a schema. */
export class StructRecords implements RecordMaker {
  readonly #settings: StructSettings;
  readonly #partition: GeneratorPartition;
  /** Part of each position. */
  readonly #name: string;

  constructor(settings: StructSettings, partition: GeneratorPartition) {
    this.#settings = settings;
    this.#partition = partition;
    this.#name = settings.struct.schema.name ?? '';
  }

  recordAt(seq: number, createdMs: number): SourceRecord {
    const { topic, partitions, struct, keyField, verificationHeader, late } = this.#settings;
    const { seed, partition } = this.#partition;
    const random = new Random().at({ seed, partition: partition + OWN_CHANCES, seq });
    const value = struct.make({ index: seq * partitions + partition, random }) as ConnectObject;
    const keySchema = keyField === undefined ? undefined : struct.fields.get(keyField)?.schema;
    return {
      topic,
      ...(keyField === undefined || keySchema === undefined ? undefined : { key: value[keyField] ?? null, keySchema }),
      value,
      schema: struct.schema,
      ...(verificationHeader ? { headers: [headerOf({ seed, partition, seq, createdMs })] } : undefined),
      timestamp: late.share === 0 ? createdMs : createdMs - delayOf(late, chances({ seed, partition, seq })),
      partition: this.#partition,
      position: { seq: seq + 1, schema: this.#name, partitions },
    };
  }

  seqOf(stored: SourcePosition): number {
    const { schema, partitions, keys } = stored;
    const seq = storedSeq(stored, this.#partition);
    const where = storedPosition(stored, this.#partition);
    const own = JSON.stringify(this.#name);
    if (keys !== undefined || (schema !== undefined && schema !== this.#name)) {
      throw new ConnectError(
        ConnectErrorCode.positionInvalid,
        `${where} is one of other records than those of schema ${own}: restore the settings, or set another seed to start over.`,
      );
    }
    // A position that a user set has the number alone.
    if (partitions === undefined || partitions === this.#settings.partitions) return seq;
    throw new ConnectError(
      ConnectErrorCode.positionInvalid,
      `${where} assumes another number of partitions than ${this.#settings.partitions}: restore it, or set another seed to start over.`,
    );
  }
}

function headerOf(place: Parameters<typeof encodeVerificationHeader>[0]): NonNullable<SourceRecord['headers']>[number] {
  return { key: VERIFICATION_HEADER, value: encodeVerificationHeader(place), schema: schemas.string };
}
