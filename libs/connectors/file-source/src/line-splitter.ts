import { ConnectError, ConnectErrorCode, maxValueBytes } from '@sluice/sdk';

const newline = 10;

/** What to read next: `length` bytes from `offset`. */
export interface ReadPlan {
  readonly offset: number;
  readonly length: number;
}

export interface LineSplitterOptions {
  /** Bytes asked for at a time; longer lines are read in one larger piece. */
  readonly chunkBytes?: number;
  readonly maxLineBytes?: number;
}

/**
 * Cuts a file into lines. The caller reads what {@link LineSplitter.plan} asks for and hands it in; lines are views of those bytes, nothing is
 * copied or decoded. A line that a piece ends in is read again with the next piece instead of being put together.
 *
 * Each piece but the first begins with the byte before the line, which must be a newline: if not, this is not the file that the position
 * belongs to.
 */
export class LineSplitter {
  readonly #chunkBytes: number;
  readonly #maxLineBytes: number;
  #position: number;
  #chunk: Buffer = Buffer.alloc(0);
  #cursor = 0;
  #wantedBytes: number;
  /** Up to here there is no newline after the position. */
  #searchedTo: number;

  constructor(position: number, options: LineSplitterOptions = {}) {
    this.#chunkBytes = options.chunkBytes ?? 1024 * 1024;
    this.#maxLineBytes = options.maxLineBytes ?? maxValueBytes;
    this.#position = position;
    this.#searchedTo = position;
    this.#wantedBytes = this.#chunkBytes;
  }

  /** The offset of the first byte of the next line. */
  get position(): number {
    return this.#position;
  }

  /** What to read of a file that has `fileBytes` now; `undefined` if there is nothing new. */
  plan(fileBytes: number): ReadPlan | undefined {
    if (fileBytes === this.#searchedTo) return undefined;
    if (fileBytes < this.#searchedTo) this.#searchedTo = this.#position;
    if (fileBytes <= this.#position) return undefined;
    const before = this.#position > 0 ? 1 : 0;
    const length = Math.min(this.#wantedBytes, fileBytes - this.#position);
    return { offset: this.#position - before, length: length + before };
  }

  /** Takes the bytes that were read, which may be fewer. Returns false if they do not follow a newline. */
  accept(bytes: Buffer): boolean {
    const before = this.#position > 0 ? 1 : 0;
    if (bytes.length < before) return true;
    if (before === 1 && bytes[0] !== newline) return false;
    this.#chunk = bytes;
    this.#cursor = before;
    return true;
  }

  /**
   * Hands out up to `limit` lines, without their newlines, each with the offset after its newline. Returns how many.
   * @throws {ConnectError} if the next line is longer than a message can carry, and no line comes before it
   */
  take(limit: number, emit: (line: Buffer, position: number) => void): number {
    const chunk = this.#chunk;
    let cursor = this.#cursor;
    let position = this.#position;
    let count = 0;
    while (count < limit) {
      const end = chunk.indexOf(newline, cursor);
      if (end < 0 || end - cursor > this.#maxLineBytes) break;
      position += end + 1 - cursor;
      emit(chunk.subarray(cursor, end), position);
      cursor = end + 1;
      count += 1;
    }
    this.#cursor = cursor;
    this.#position = position;
    if (count < limit) this.#endChunk(count);
    return count;
  }

  #endChunk(count: number): void {
    const rest = this.#chunk.length - this.#cursor;
    if (count > 0) {
      this.#wantedBytes = this.#chunkBytes;
    } else if (rest > this.#maxLineBytes) {
      throw new ConnectError(
        ConnectErrorCode.recordTooLarge,
        `The line at offset ${this.#position} has more than ${this.#maxLineBytes} bytes, the most that a message can carry.`,
      );
    } else if (rest >= this.#wantedBytes) {
      this.#wantedBytes = Math.min(this.#wantedBytes * 2, this.#maxLineBytes + 1);
    }
    const searched = rest > this.#maxLineBytes ? 0 : rest;
    this.#searchedTo = Math.max(this.#searchedTo, this.#position + searched);
    this.#chunk = Buffer.alloc(0);
    this.#cursor = 0;
  }
}
