import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConfigOf,
  ConnectError,
  ConnectErrorCode,
  requireTaskConfig,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@sluice/sdk';
import { type FollowedFile, type ReadOutcome, statIfPresent } from './followed-file.js';
import { LineTooLongError } from './line-splitter.js';
import { fromPosition, type StoredPlace, toPosition } from './position.js';
import { findPlace, type LeftFile, nameCompressed, RotationWatch } from './rotated-files.js';
import { fileSourceSpec } from './settings.js';

const FIRST_IDLE_DELAY_MS = 1;
const MAX_IDLE_DELAY_MS = 200;
const MAX_IDLE_MS = 1_000;

type FileSourceConfig = ConfigOf<typeof fileSourceSpec>;

/**
 * Follows one file by byte offset and sends its lines. The partition is `{filename}`. The position is the offset after a line's newline,
 * with the inode of the file and a print of the bytes before it. A position is valid only in a file that has these bytes there.
 *
 * When another file takes the name (rotation), the task reads the old one to its end through the open descriptor. Its last line needs no
 * newline. The task then reads the rotated files that came in between, and at last the file that has the name, from its start. The same
 * happens to a file that was copied and truncated: the task reads the copy to its end first.
 *
 * Where no file has the position any more, the task reads the named file from its start and warns: lines may be missing.
 */
export class FileSourceTask implements SourceTask {
  #config: FileSourceConfig | undefined;
  #context: SourceTaskContext | undefined;
  #watch: RotationWatch | undefined;
  #partition = { filename: '' };
  #file: FollowedFile | undefined;
  /** Where to resume, until the file of that position has been looked for. */
  #stored: StoredPlace | undefined;
  /** The file that was read to its end, until the next one is found. */
  #left: LeftFile | undefined;
  #hasName = true;
  #isAbsent = false;
  #idleDelayMs = FIRST_IDLE_DELAY_MS;

  async start(context: SourceTaskContext): Promise<void> {
    const config = requireTaskConfig(context, fileSourceSpec);
    this.#config = config;
    this.#context = context;
    this.#watch = new RotationWatch(config.file, (text) => {
      context.warn(text);
    });
    this.#partition = { filename: config.file };
    const stored = context.position(this.#partition);
    if (stored !== undefined) this.#stored = fromPosition(config.file, stored);
    await statIfPresent(config.file);
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    let idleMs = 0;
    while (!signal.aborted) {
      const records = await this.#read(signal);
      if (records.length > 0) {
        this.#idleDelayMs = FIRST_IDLE_DELAY_MS;
        // A writer may still have the file that was moved away.
        if (!this.#isAbsent) this.#context?.waitFor(undefined);
        return records;
      }
      if (idleMs >= MAX_IDLE_MS) {
        // A rotation leaves the name without a file for a moment: only a longer absence is worth a word.
        const { config, context } = this.#started();
        context.waitFor(this.#isAbsent ? `File ${config.file} does not exist` : undefined);
        return records;
      }
      await delay(this.#idleDelayMs, undefined, { signal }).catch(() => undefined);
      idleMs += this.#idleDelayMs;
      this.#idleDelayMs = Math.min(this.#idleDelayMs * 2, MAX_IDLE_DELAY_MS);
    }
    return [];
  }

  async stop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #read(signal: AbortSignal): Promise<SourceRecord[]> {
    const { config } = this.#started();
    const records: SourceRecord[] = [];
    const file = (this.#file ??= await this.#open(config.file));
    this.#isAbsent = file === undefined;
    if (file === undefined) return records;
    this.#take(file, records);
    while (records.length === 0 && !signal.aborted) {
      const current = await statIfPresent(config.file);
      this.#hasName = current?.ino === file.inode;
      this.#isAbsent = current === undefined;
      const outcome = await file.read();
      if (outcome !== 'data') {
        await this.#withoutData(file, outcome, current !== undefined && current.size > 0, records);
        break;
      }
      this.#take(file, records);
    }
    return records;
  }

  async #withoutData(
    file: FollowedFile,
    outcome: Exclude<ReadOutcome, 'data'>,
    hasSuccessor: boolean,
    records: SourceRecord[],
  ): Promise<void> {
    // A writer may write on into the old file until it opens the new one: its end is the end once the new one has content.
    if (outcome !== 'nothing') await this.#resumeElsewhere(file, outcome);
    else if (!this.#hasName && hasSuccessor) await this.#leave(file, records);
  }

  /** Opens the file to resume with: that of the stored position, once, later the one that came after the one that was left. */
  async #open(path: string): Promise<FollowedFile | undefined> {
    const stored = this.#stored;
    if (stored !== undefined) {
      const file = await this.#openStored(path, stored);
      if (file !== undefined) this.#stored = undefined;
      return file;
    }
    const file = await this.#started().watch.next(this.#left);
    if (file !== undefined) this.#left = undefined;
    return file;
  }

  async #openStored(path: string, stored: StoredPlace): Promise<FollowedFile | undefined> {
    const { context, watch } = this.#started();
    const file = await findPlace(path, stored, stored.inode);
    if (file !== undefined) {
      if (file.path === path) await watch.lookAround(file);
      context.logger.info(`File ${path}: resumes at offset ${stored.position} of ${file.path}.`);
      return file;
    }
    if ((await statIfPresent(path)) === undefined) return undefined;
    context.warn(
      `File ${path} is not the one that was read up to offset ${stored.position}, and no rotated file beside it is: ` +
        'lines that were added to that one since may be missing. The task reads the file from its start.' +
        (await nameCompressed(path)),
    );
    return watch.next(undefined);
  }

  #take(file: FollowedFile, records: SourceRecord[]): void {
    const { config, context } = this.#started();
    const { topic } = config;
    const partition = this.#partition;
    const inode = file.inode.toString(36);
    const { string: schema } = schemas;
    try {
      file.take(config['batch.size'], (value, position, print) => {
        records.push({ topic, value, schema, partition, position: toPosition(position, inode, print) });
      });
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      context.skipRecord(new ConnectError(ConnectErrorCode.recordTooLarge, `File ${file.path}: ${error.message}`, { cause: error }));
      file.skipLine();
    }
  }

  /** Ends a file that another has taken the name of. It had no new lines when it was last read. */
  async #leave(file: FollowedFile, records: SourceRecord[]): Promise<void> {
    if ((await file.read()) === 'data') return;
    const { config, context } = this.#started();
    const rest = await this.#restOf(file);
    if (rest !== undefined) {
      const position = toPosition(rest.position, file.inode.toString(36), rest.print);
      const { topic } = config;
      records.push({ topic, value: rest.line, schema: schemas.string, partition: this.#partition, position });
    }
    context.logger.info(`File ${file.path} was rotated and is read to its end; the next one follows.`);
    this.#left = { ...(await file.age()), path: file.path };
    await this.stop();
  }

  async #restOf(file: FollowedFile): ReturnType<FollowedFile['readRest']> {
    try {
      return await file.readRest();
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== ConnectErrorCode.recordTooLarge) throw error;
      this.#started().context.skipRecord(error);
      return undefined;
    }
  }

  /** The position is not in this file any more: it was truncated, after a copy of it was made or not. */
  async #resumeElsewhere(file: FollowedFile, outcome: 'shrunk' | 'replaced'): Promise<void> {
    const { config, context, watch } = this.#started();
    const { place } = file;
    await this.stop();
    const copy = await findPlace(config.file, place, undefined);
    if (copy !== undefined) {
      context.logger.info(`File ${file.path} was truncated; its copy ${copy.path} is read to its end first.`);
      this.#file = copy;
      return;
    }
    const what = outcome === 'shrunk' ? 'is shorter than' : 'has other bytes before';
    context.warn(
      `File ${file.path} ${what} offset ${place.position}, up to which it was read, and no copy beside it has that place: ` +
        'lines that were cut off may be missing. The task reads the file from its start.' +
        (await nameCompressed(config.file)),
    );
    this.#file = await watch.next(undefined);
  }

  #started(): {
    readonly config: FileSourceConfig;
    readonly context: SourceTaskContext;
    readonly watch: RotationWatch;
  } {
    const config = this.#config;
    const context = this.#context;
    const watch = this.#watch;
    if (config === undefined || context === undefined || watch === undefined) {
      throw new ConnectError(ConnectErrorCode.internal, 'The file source polls before its start.');
    }
    return { config, context, watch };
  }
}
