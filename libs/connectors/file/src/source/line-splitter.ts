import { ConnectError, ConnectErrorCode, MAX_VALUE_BYTES } from '@sluice/sdk';
import { printBefore, PRINT_BYTES } from './file-print.js';

const NEWLINE = 10;

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

/** What a line is handed over with. */
export type EmitLine = (line: Buffer, position: number, print: number) => void;

/** The next line is longer than a message can carry; `skipLine` passes over it. */
export class LineTooLongError extends ConnectError {
  constructor(offset: number, limit: number) {
    super(ConnectErrorCode.recordTooLarge, `The line at offset ${offset} has more than ${limit} bytes, the most that a message can carry.`);
  }
}

/**
 * Cuts a file into lines. The caller reads what {@link LineSplitter.plan} asks for and hands it in; lines are views of those bytes, nothing is
 * copied or decoded. A line that a piece ends in is read again with the next piece instead of being put together.
 *
 * Each piece begins with the bytes before the line, which the splitter has read before. If they changed, the position belongs to another
 * file.
 */
export class LineSplitter {
  readonly #chunkBytes: number;
  readonly #maxLineBytes: number;
  #position: number;
  /** The last bytes before the position. */
  #before: Buffer;
  #chunk: Buffer = Buffer.alloc(0);
  #cursor = 0;
  #wantedBytes: number;
  /** Up to here there is no newline after the position. */
  #searchedTo: number;
  /** Set while a line is passed over: where its end is looked for next. */
  #skippedTo: number | undefined;

  /** @param before - the bytes before `position`, at most {@link PRINT_BYTES} of them */
  constructor(position: number, before: Uint8Array, options: LineSplitterOptions = {}) {
    this.#chunkBytes = options.chunkBytes ?? 1024 * 1024;
    this.#maxLineBytes = options.maxLineBytes ?? MAX_VALUE_BYTES;
    this.#position = position;
    this.#before = Buffer.from(before);
    this.#searchedTo = position;
    this.#wantedBytes = this.#chunkBytes;
  }

  /** The offset of the first byte of the next line. */
  get position(): number {
    return this.#position;
  }

  /** The print of the bytes before the position. */
  get print(): number {
    const cursor = this.#cursor;
    return cursor > 0 ? printBefore(this.#chunk, cursor) : printBefore(this.#before, this.#before.length);
  }

  /** What to read of a file that has `fileBytes` now; `undefined` if there is nothing new. */
  plan(fileBytes: number): ReadPlan | undefined {
    if (this.#skippedTo !== undefined) {
      const length = Math.min(this.#chunkBytes, fileBytes - this.#skippedTo);
      return length > 0 ? { offset: this.#skippedTo, length } : undefined;
    }
    if (fileBytes === this.#searchedTo) return undefined;
    if (fileBytes < this.#searchedTo) this.#searchedTo = this.#position;
    if (fileBytes <= this.#position) return undefined;
    const before = this.#before.length;
    const length = Math.min(this.#wantedBytes, fileBytes - this.#position);
    return { offset: this.#position - before, length: length + before };
  }

  /** Takes the bytes that were read, which may be fewer. Returns false if what stands before the position has changed. */
  accept(bytes: Buffer): boolean {
    if (this.#skippedTo !== undefined) {
      this.#acceptSkipped(bytes, this.#skippedTo);
      return true;
    }
    const before = this.#before.length;
    if (bytes.length < before) return true;
    if (!bytes.subarray(0, before).equals(this.#before)) return false;
    this.#chunk = bytes;
    this.#cursor = before;
    return true;
  }

  /**
   * Hands out up to `limit` lines, without their newlines, each with the offset after its newline and the print there. Returns how many.
   * @throws {LineTooLongError} if the next line is longer than a message can carry, and no line comes before it
   */
  take(limit: number, emit: EmitLine): number {
    const chunk = this.#chunk;
    let cursor = this.#cursor;
    let position = this.#position;
    let count = 0;
    while (count < limit) {
      const end = chunk.indexOf(NEWLINE, cursor);
      if (end < 0 || end - cursor > this.#maxLineBytes) break;
      position += end + 1 - cursor;
      emit(chunk.subarray(cursor, end), position, printBefore(chunk, end + 1));
      cursor = end + 1;
      count += 1;
    }
    this.#cursor = cursor;
    this.#position = position;
    if (count < limit) this.#endChunk(count);
    return count;
  }

  /** Passes over the line that `take` found too long; the position moves once its end has been read. */
  skipLine(): void {
    this.#keepBefore(this.#before);
    this.#skippedTo = this.#position;
  }

  #acceptSkipped(bytes: Buffer, offset: number): void {
    const end = bytes.indexOf(NEWLINE);
    this.#keepBefore(Buffer.concat([this.#before, end < 0 ? bytes : bytes.subarray(0, end + 1)]));
    if (end < 0) {
      this.#skippedTo = offset + bytes.length;
      return;
    }
    this.#skippedTo = undefined;
    this.#position = offset + end + 1;
    this.#searchedTo = this.#position;
  }

  #endChunk(count: number): void {
    const rest = this.#chunk.length - this.#cursor;
    if (count > 0) {
      this.#wantedBytes = this.#chunkBytes;
    } else if (rest > this.#maxLineBytes) {
      this.#dropChunk();
      throw new LineTooLongError(this.#position, this.#maxLineBytes);
    } else if (rest >= this.#wantedBytes) {
      this.#wantedBytes = Math.min(this.#wantedBytes * 2, this.#maxLineBytes + 1);
    }
    const searched = rest > this.#maxLineBytes ? 0 : rest;
    this.#searchedTo = Math.max(this.#searchedTo, this.#position + searched);
    this.#dropChunk();
  }

  #dropChunk(): void {
    if (this.#cursor > 0) this.#keepBefore(this.#chunk.subarray(0, this.#cursor));
    this.#chunk = Buffer.alloc(0);
    this.#cursor = 0;
  }

  /** Copies, so that a large chunk can go. */
  #keepBefore(bytes: Buffer): void {
    this.#before = Buffer.from(bytes.subarray(Math.max(0, bytes.length - PRINT_BYTES)));
  }
}
