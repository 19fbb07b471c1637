import { type FileHandle, open, stat } from 'node:fs/promises';
import { ConnectError, ConnectErrorCode, MAX_VALUE_BYTES } from '@sluice/sdk';
import { printBefore, PRINT_BYTES } from './file-print.js';
import { type EmitLine, LineSplitter } from './line-splitter.js';

/** What became of an attempt to read. `shrunk` and `replaced` mean that the position is not in this file any more. */
export type ReadOutcome = 'data' | 'nothing' | 'shrunk' | 'replaced';

/** A place in a file that is proven by the bytes before it. */
export interface FilePlace {
  readonly position: number;
  /** Of the bytes before it; `undefined` where whoever set the position did not say. */
  readonly print: number | undefined;
}

/** Which file it is, and where it stands among the files that had the same name one after the other. */
export interface FileAge {
  readonly inode: number;
  /** Nanoseconds since the epoch: the last write, and the making of the file. */
  readonly writtenNs: bigint;
  readonly madeNs: bigint;
}

/** One open file with the place where reading resumes. It stays the same file when another takes its name. */
export class FollowedFile {
  readonly path: string;
  readonly inode: number;
  readonly #handle: FileHandle;
  readonly #splitter: LineSplitter;

  private constructor(path: string, inode: number, handle: FileHandle, splitter: LineSplitter) {
    this.path = path;
    this.inode = inode;
    this.#handle = handle;
    this.#splitter = splitter;
  }

  /**
   * Opens a file at a place. Gives `absent` if there is none, and `other` if it does not have this place: it is shorter, or other
   * bytes stand before the position.
   * @throws {ConnectError} if it is no regular file, or cannot be read
   */
  static async open(path: string, { position, print }: FilePlace): Promise<FollowedFile | 'absent' | 'other'> {
    if ((await statIfPresent(path)) === undefined) return 'absent';
    const handle = await openIfPresent(path);
    if (handle === undefined) return 'absent';
    try {
      const { ino } = await handle.stat();
      const before = Buffer.alloc(Math.min(position, PRINT_BYTES));
      const { bytesRead } = await handle.read(before, 0, before.length, position - before.length);
      const isThere = bytesRead === before.length && hasPlace(before, print);
      if (isThere) return new FollowedFile(path, ino, handle, new LineSplitter(position, before));
    } catch (error) {
      await handle.close();
      throw unreadable(path, error);
    }
    await handle.close();
    return 'other';
  }

  /** The offset of the next line. */
  get position(): number {
    return this.#splitter.position;
  }

  /** Where reading resumes, for finding it again in a copy. */
  get place(): FilePlace {
    return { position: this.#splitter.position, print: this.#splitter.print };
  }

  async age(): Promise<FileAge> {
    const { mtimeNs, birthtimeNs } = await this.#handle.stat({ bigint: true });
    return { inode: this.inode, writtenNs: mtimeNs, madeNs: birthtimeNs };
  }

  /** Hands out lines that were read before. @throws LineTooLongError, see {@link LineSplitter.take} */
  take(limit: number, emit: EmitLine): number {
    return this.#splitter.take(limit, emit);
  }

  /** Passes over the line that `take` found too long. */
  skipLine(): void {
    this.#splitter.skipLine();
  }

  /** Reads the next piece, if the file has grown. */
  async read(): Promise<ReadOutcome> {
    const { size } = await this.#handle.stat();
    if (size < this.position) return 'shrunk';
    const plan = this.#splitter.plan(size);
    if (plan === undefined) return 'nothing';
    const chunk = Buffer.allocUnsafe(plan.length);
    const { bytesRead } = await this.#handle.read(chunk, 0, plan.length, plan.offset);
    if (bytesRead === 0) return 'nothing';
    return this.#splitter.accept(chunk.subarray(0, bytesRead)) ? 'data' : 'replaced';
  }

  /**
   * What stands after the last newline, with the offset after it and the print there; `undefined` if there is nothing.
   * @throws ConnectError with code `CONNECT_RECORD_TOO_LARGE`
   */
  async readRest(): Promise<{ readonly line: Buffer; readonly position: number; readonly print: number } | undefined> {
    const { size } = await this.#handle.stat();
    const { position } = this;
    const length = size - position;
    if (length <= 0) return undefined;
    if (length > MAX_VALUE_BYTES) {
      const place = `File ${this.path}: the rest at offset ${position} has ${length} bytes`;
      throw new ConnectError(ConnectErrorCode.recordTooLarge, `${place}, a message can carry ${MAX_VALUE_BYTES}.`);
    }
    const before = Math.min(position, PRINT_BYTES);
    const bytes = Buffer.allocUnsafe(before + length);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, position - before);
    const end = Math.max(before, bytesRead);
    return { line: bytes.subarray(before, end), position: position + end - before, print: printBefore(bytes, end) };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Returns whether the bytes before a position prove it. A position without a print must at least follow a newline. */
function hasPlace(before: Buffer, print: number | undefined): boolean {
  if (print !== undefined) return printBefore(before, before.length) === print;
  return before.length === 0 || before.at(-1) === 10;
}

/** Reads the inode and size of the file that has this name now; `undefined` if none has. */
export async function statIfPresent(path: string): Promise<{ readonly ino: number; readonly size: number } | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
  throw new ConnectError(ConnectErrorCode.sourceFailed, `${path} cannot be followed: it is not a regular file.`);
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function unreadable(path: string, cause: unknown): ConnectError {
  return new ConnectError(ConnectErrorCode.sourceFailed, `File ${path} cannot be read: ${(cause as Error).message}`, {
    cause,
  });
}
