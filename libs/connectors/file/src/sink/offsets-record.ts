import { createHash } from 'node:crypto';
import { ConnectError, ConnectErrorCode, queueKey, type SinkPosition } from '@sluice/sdk';
import { readTextIfPresent, writeFileDurably } from '@sluice/sdk/files';

interface QueueProgress {
  readonly nextOffset: number;
  readonly readState?: string;
}

/** What the side record of a file says: the file's first `length` bytes hold exactly the records before the offsets. */
export interface OffsetsRecord {
  readonly connector: string;
  readonly length: number;
  /** By the text form of the queue, see `queueKey`. */
  readonly queues: Readonly<Record<string, QueueProgress>>;
}

/** Returns the path of a file's side record. */
export function offsetsPath(file: string): string {
  return `${file}.sluice-offsets`;
}

/**
 * Reads the side record of a file; `undefined` if there is none.
 * @throws {ConnectError} if it is damaged
 */
export async function readOffsets(file: string): Promise<OffsetsRecord | undefined> {
  const path = offsetsPath(file);
  const text = await readTextIfPresent(path);
  if (text === undefined) return undefined;
  const record = parse(text);
  if (record !== undefined) return record;
  throw new ConnectError(
    ConnectErrorCode.stateInvalid,
    `${path} is damaged: without it nobody knows which records ${file} holds. ` +
      'Restore both from one backup, or remove it to append to the file from the offsets of the consumer group.',
  );
}

/** Replaces the side record, durably. The data must be durable before. */
export async function writeOffsets(file: string, record: OffsetsRecord): Promise<void> {
  const content = { version: 1, ...record };
  await writeFileDurably(offsetsPath(file), `${JSON.stringify({ ...content, checksum: checksumOf(content) })}\n`);
}

/** Computes the record after a flush: queues that `positions` does not name stay as they were. */
export function advance(record: OffsetsRecord, length: number, positions: readonly SinkPosition[]): OffsetsRecord {
  const queues = { ...record.queues };
  for (const { queue, nextOffset, readState } of positions) {
    queues[queueKey(queue)] = readState === undefined ? { nextOffset } : { nextOffset, readState };
  }
  return { ...record, length, queues };
}

function parse(text: string): OffsetsRecord | undefined {
  try {
    const { checksum, ...content } = JSON.parse(text) as OffsetsRecord & { checksum?: string; version?: number };
    if (content.version !== 1 || checksum !== checksumOf(content)) return undefined;
    const { connector, length, queues } = content;
    return { connector, length, queues };
  } catch {
    return undefined;
  }
}

function checksumOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}
