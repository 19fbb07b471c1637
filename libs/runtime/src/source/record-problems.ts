import { describePosition, positionJson, stampSuffix } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type ConnectRecord, type SourceRecord } from '@sluice/sdk';
import type { EncodedParts } from '../ports/record-producer.port.js';

/** Returns what a message takes without what the encoding adds. */
export function bytesOf({ body, properties }: EncodedParts): number {
  return body.length + Buffer.byteLength(properties, 'utf8');
}

/** Reports a record that no message can carry. */
export function tooLarge(record: ConnectRecord, bytes: number): ConnectError {
  return new ConnectError(
    ConnectErrorCode.recordTooLarge,
    `A record for topic ${record.topic} takes ${bytes} bytes, which is more than a message may have`,
  );
}

/** A position that cannot be stored is a mistake of the connector: no tolerance of bad records covers it. */
export function suffixOf(seq: number, record: SourceRecord): string {
  try {
    return stampSuffix(seq, record.position);
  } catch (error) {
    throw describe(record, error, ConnectErrorCode.positionInvalid);
  }
}

/** @throws ConnectError for a position that cannot be stored */
export function requireStorablePosition(record: SourceRecord): void {
  try {
    positionJson(record.position);
  } catch (error) {
    throw describe(record, error, ConnectErrorCode.positionInvalid);
  }
}

/** Makes the error of a record, with its place in the source. */
export function describe(
  { topic, partition, position }: SourceRecord,
  error: unknown,
  code: ConnectErrorCode = ConnectErrorCode.conversionFailed,
): ConnectError {
  const reason = error instanceof Error ? error.message : String(error);
  const [from, before] = [describePosition(partition), describePosition(position)];
  return new ConnectError(code, `Record for topic ${topic} of partition ${from}, before position ${before}: ${reason}`, { cause: error });
}
