import { ConnectError, ConnectErrorCode, plainJson, type SourcePosition, type SourceRecord } from '@sluice/sdk';

/** The name of a source partition. The seed is in it because another seed starts all numbers over. */
export type GeneratorPartition = Readonly<Record<'seed' | 'partition', number>>;

/** Makes the records of one source partition, each from its number alone. */
export interface RecordMaker {
  readonly recordAt: (seq: number, createdMs: number) => SourceRecord;
  /**
   * Returns the number of the record that a stored position resumes at.
   * @throws {ConnectError} if it is none, or belongs to other settings
   */
  readonly seqOf: (stored: SourcePosition) => number;
}

/** Names a stored position in errors. */
export function storedPosition(stored: SourcePosition, partition: GeneratorPartition): string {
  return `The stored position ${plainJson(stored)} of source partition ${plainJson(partition)}`;
}

/** @throws {ConnectError} if a stored position has no number */
export function storedSeq(stored: SourcePosition, partition: GeneratorPartition): number {
  const { seq } = stored;
  if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `${storedPosition(stored, partition)} is invalid: it needs the number of the next record as "seq", a whole number from 0.`,
  );
}
