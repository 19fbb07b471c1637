import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConnectError, ConnectErrorCode, maxValueBytes } from '@sluice/sdk';
import { LineSplitter } from './line-splitter.js';

/** What became of an attempt to read. `shrunk` and `replaced` mean that the position is not in this file any more. */
export type ReadOutcome = 'data' | 'nothing' | 'shrunk' | 'replaced';

/** One open file with the place where reading goes on. It stays the same file when another takes its name. */
export class FollowedFile {
  readonly path: string;
  readonly inode: number;
  readonly #handle: FileHandle;
  readonly #splitter: LineSplitter;

  private constructor(path: string, inode: number, handle: FileHandle, position: number) {
    this.path = path;
    this.inode = inode;
    this.#handle = handle;
    this.#splitter = new LineSplitter(position);
  }

  /**
   * Opens a file, or gives `undefined` if there is none.
   * @throws {ConnectError} if it is no regular file
   */
  static async open(path: string, position: number): Promise<FollowedFile | undefined> {
    if ((await statIfPresent(path)) === undefined) return undefined;
    const handle = await openIfPresent(path);
    if (handle === undefined) return undefined;
    const { ino } = await handle.stat();
    return new FollowedFile(path, ino, handle, position);
  }

  /** Finds the file with this inode beside `path`, where it goes when it is rotated: same folder, a name that begins alike. */
  static async findRotated(
    path: string,
    inode: number | undefined,
    position: number,
  ): Promise<FollowedFile | undefined> {
    const folder = dirname(path);
    const name = basename(path);
    if (inode === undefined) return undefined;
    for (const candidate of await readdir(folder).catch(() => [])) {
      if (candidate === name || !candidate.startsWith(name)) continue;
      const file = await FollowedFile.#openAs(join(folder, candidate), inode, position);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  static async #openAs(path: string, inode: number, position: number): Promise<FollowedFile | undefined> {
    const found = await stat(path).catch(() => undefined);
    if (found?.ino !== inode || !found.isFile()) return undefined;
    const handle = await openIfPresent(path);
    if (handle === undefined) return undefined;
    const { ino, size } = await handle.stat();
    if (ino === inode && size >= position) return new FollowedFile(path, inode, handle, position);
    await handle.close();
    return undefined;
  }

  /** The offset of the next line. */
  get position(): number {
    return this.#splitter.position;
  }

  /** Hands out lines that were read before. */
  take(limit: number, emit: (line: Buffer, position: number) => void): number {
    try {
      return this.#splitter.take(limit, emit);
    } catch (error) {
      throw new ConnectError(ConnectErrorCode.recordTooLarge, `File ${this.path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
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

  /** What stands after the last newline, with the offset after it; `undefined` if there is nothing. */
  async readRest(): Promise<{ readonly line: Buffer; readonly position: number } | undefined> {
    const { size } = await this.#handle.stat();
    const length = size - this.position;
    if (length <= 0) return undefined;
    if (length > maxValueBytes) {
      const place = `File ${this.path}: the rest at offset ${this.position} has ${length} bytes`;
      throw new ConnectError(ConnectErrorCode.recordTooLarge, `${place}, a message can carry ${maxValueBytes}.`);
    }
    const line = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#handle.read(line, 0, length, this.position);
    return { line: line.subarray(0, bytesRead), position: this.position + bytesRead };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The inode and size of the file that has this name now; `undefined` if none has. */
export async function statIfPresent(
  path: string,
): Promise<{ readonly ino: number; readonly size: number } | undefined> {
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
