import { constants } from 'node:fs';
import { type FileHandle, open, readlink, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { acquireExclusiveLock, type ExclusiveLock, realFolder, requireWritableFolder, sinkFileError } from '@sluice/sdk/files';
import { type OffsetsRecord, offsetsPath, readOffsets, writeOffsets } from './offsets-record.js';

/** As many links as Linux follows. */
const MAX_LINKS = 40;

/** The file of a sink, locked, with the record of what is in it. */
export class AppendedFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #lock: ExclusiveLock;
  #record: OffsetsRecord;
  #length: number;
  #isSynced = true;

  private constructor(path: string, handle: FileHandle, lock: ExclusiveLock, record: OffsetsRecord) {
    this.#path = path;
    this.#handle = handle;
    this.#lock = lock;
    this.#record = record;
    this.#length = record.length;
  }

  /**
   * Opens the file and cuts off what was written after the last flush. Without a side record the file is taken as it is, and a record is
   * made of its length.
   * @throws {ConnectError} if someone else has the file, if it is no regular file, or does not fit its side record
   */
  static async open(name: string, connector: string): Promise<AppendedFile> {
    const path = await requirePlace(name);
    const failure = `File ${path} cannot be written`;
    const lock = await acquireExclusiveLock(`${path}.sluice-lock`, `connector ${connector}`).catch((error: unknown) => {
      throw sinkFileError(failure, error);
    });
    let handle: FileHandle | undefined;
    try {
      const stored = await readOffsets(path);
      if (stored !== undefined) requireRecordOf(connector, path, stored);
      const written = stored?.length ?? 0;
      // An empty file in the place of a missing one would look like one that somebody cut.
      const create = written > 0 ? 0 : constants.O_CREAT;
      handle = await open(path, constants.O_RDWR | create, 0o644).catch((error: unknown) => {
        if (written > 0 && (error as NodeJS.ErrnoException).code === 'ENOENT') throw unfit(path, undefined, written);
        throw sinkFileError(failure, error);
      });
      const found = await handle.stat();
      if (!found.isFile()) throw sinkFileError(failure, new Error('it is not a regular file'));
      const record = stored ?? { connector, length: found.size, queues: {} };
      if (found.size < record.length) throw unfit(path, found.size, record.length);
      const file = new AppendedFile(path, handle, lock, record);
      if (stored === undefined) await file.#recordAsItIs();
      else await file.cutBack();
      return file;
    } catch (error) {
      await handle?.close();
      await lock.release();
      throw error;
    }
  }

  async #recordAsItIs(): Promise<void> {
    await this.#handle.sync();
    await writeOffsets(this.#path, this.#record);
  }

  /** What is durable. */
  get record(): OffsetsRecord {
    return this.#record;
  }

  /** The length with what was written since. */
  get length(): number {
    return this.#length;
  }

  /** Cuts off what was written after the last flush. */
  async cutBack(): Promise<void> {
    await this.#handle.truncate(this.#record.length);
    this.#length = this.#record.length;
    this.#isSynced = false;
  }

  /**
   * Appends all pieces or, as far as the next call is concerned, none: it writes over what a failed one left.
   * @throws {ConnectError} retriable if there is no room
   */
  async append(pieces: Iterable<Buffer>): Promise<void> {
    let at = this.#length;
    this.#isSynced = false;
    try {
      await this.#requireLength();
      for (const piece of pieces) {
        let done = 0;
        while (done < piece.length) {
          done += (await this.#handle.write(piece, done, piece.length - done, at + done)).bytesWritten;
        }
        at += piece.length;
      }
    } catch (error) {
      throw sinkFileError(`Writing to file ${this.#path} failed`, error);
    }
    this.#length = at;
  }

  /** Makes the data durable, then `record`, which must say this length. */
  async commit(record: OffsetsRecord): Promise<void> {
    try {
      if (!this.#isSynced) {
        await this.#requireLength();
        await this.#handle.truncate(this.#length);
        await this.#handle.sync();
        this.#isSynced = true;
      }
      await this.#requireInPlace();
      await writeOffsets(this.#path, record);
    } catch (error) {
      throw sinkFileError(`Writing to file ${this.#path} failed`, error);
    }
    this.#record = record;
  }

  /** A file that somebody cut would be filled up with zeros. */
  async #requireLength(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size < this.#length) throw unfit(this.#path, size, this.#length);
  }

  /** What was written into a file that was deleted or replaced is lost to its readers: it must not be recorded as done. */
  async #requireInPlace(): Promise<void> {
    const own = await this.#handle.stat({ bigint: true });
    const found = await stat(this.#path, { bigint: true }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    if (found?.ino === own.ino && found.dev === own.dev) return;
    // A folder that is gone, such as one that was unmounted, may come back with the file and its record: that is worth further attempts.
    if (found === undefined) await requirePlace(this.#path);
    throw new ConnectError(
      ConnectErrorCode.stateInvalid,
      `File ${this.#path} was ${found === undefined ? 'deleted or moved away' : 'replaced by another one'} while it was written. ` +
        `Restore the file, or remove ${offsetsPath(this.#path)} to append from the offsets of the consumer group; ` +
        `then restart the task. ${LINES_IN_BOTH}`,
    );
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      await this.#lock.release();
    }
  }
}

/**
 * Finds the place of a file that may not exist yet, and checks that its folder can be written. Follows links, also one to a file that
 * is still to be created, so that all names of a file meet at one lock.
 * @throws {ConnectError} if its folder is missing or cannot be written
 */
export async function requirePlace(name: string): Promise<string> {
  const failure = `File ${name} cannot be written`;
  let path = resolve(name);
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    const place = join(await realFolder(dirname(path), failure), basename(path));
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) {
      await requireWritableFolder(dirname(place), failure);
      return place;
    }
    path = resolve(dirname(place), target);
  }
  throw sinkFileError(failure, new Error(`its name leads through more than ${MAX_LINKS} symbolic links: remove the loop`));
}

function requireRecordOf(connector: string, path: string, record: OffsetsRecord): void {
  if (record.connector !== connector) {
    throw new ConnectError(
      ConnectErrorCode.stateInvalid,
      `File ${path} is written by connector ${record.connector}, says ${offsetsPath(path)}: ` +
        `give connector ${connector} another file, or remove the record to append to the file.`,
    );
  }
}

const LINES_IN_BOTH = 'After such a removal, lines of records from those offsets on may be in both the earlier file and this one.';

function unfit(path: string, size: number | undefined, written: number): ConnectError {
  const [found, cause] =
    size === undefined ? ['does not exist', 'deleted it or moved it away'] : [`has ${size} bytes`, 'cut or replaced it'];
  return new ConnectError(
    ConnectErrorCode.stateInvalid,
    `File ${path} ${found}, but ${written} bytes were written, says ${offsetsPath(path)}: somebody ${cause}. ` +
      `Restore it, or remove the record to append to the file from the offsets of the consumer group. ${LINES_IN_BOTH}`,
  );
}
