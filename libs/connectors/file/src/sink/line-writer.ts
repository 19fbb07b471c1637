import { type ConnectError, isConnectError, plainJson, type SinkRecord } from '@sluice/sdk';

const NEWLINE = 10;
const MAX_PIECE_BYTES = 8 * 1024 * 1024;

/**
 * Puts the values of records into as few pieces of bytes as possible, each value with a newline after it. Bytes and texts stay as they are.
 * A null is the text `null`, as in Kafka Connect, so that each record is a line. Everything else is JSON.
 *
 * The memory of a piece is used again for the next one: it must be written before the next is asked for.
 */
export class LineWriter {
  #memory = Buffer.allocUnsafe(64 * 1024);

  /** @param refused called for a record whose value JSON cannot hold: it gets no line. What it throws ends the pieces */
  *pieces(records: readonly SinkRecord[], refused: (record: SinkRecord, error: ConnectError) => void): Generator<Buffer, void, undefined> {
    let used = 0;
    for (const record of records) {
      const bytes = toBytes(record.value);
      if (isConnectError(bytes)) {
        refused(record, bytes);
        continue;
      }
      const size = bytes.length + 1;
      if (used > 0 && used + size > MAX_PIECE_BYTES) {
        yield this.#memory.subarray(0, used);
        used = 0;
      }
      this.#reserve(used, used + size);
      this.#memory.set(bytes, used);
      used += size;
      this.#memory[used - 1] = NEWLINE;
    }
    if (used > 0) yield this.#memory.subarray(0, used);
  }

  #reserve(used: number, needed: number): void {
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#memory.length * 2));
    this.#memory.copy(larger, 0, 0, used);
    this.#memory = larger;
  }
}

/** Returns why a value has no bytes where that is so. */
function toBytes(value: SinkRecord['value']): Uint8Array | ConnectError {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  try {
    return Buffer.from(plainJson(value, { dates: 'iso', path: 'value' }), 'utf8');
  } catch (error) {
    if (isConnectError(error)) return error;
    throw error;
  }
}
