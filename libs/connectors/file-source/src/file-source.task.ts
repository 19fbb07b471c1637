import { setTimeout as delay } from 'node:timers/promises';
import {
  type ConfigOf,
  ConnectError,
  ConnectErrorCode,
  requireConfig,
  schemas,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  type TaskLogger,
} from '@sluice/sdk';
import { FollowedFile, statIfPresent } from './followed-file.js';
import { fileSourceSpec } from './spec.js';

const firstIdleDelayMs = 1;
const maxIdleDelayMs = 200;
const maxIdleMs = 1_000;

type FileSourceConfig = ConfigOf<typeof fileSourceSpec>;

/**
 * Follows one file by byte offset. The partition is `{filename}`; the position is `{position}`, the offset after the line's newline.
 *
 * When another file takes the name (rotation), the old one is read to its end through the open descriptor, its last line also without a newline,
 * and then the new one from its start. So that a position is never looked up in the wrong file, the last record of each poll, and every
 * record of a file that has lost its name, has the file's inode in its position as well. A task that starts with a position of another inode
 * looks for that file beside the name and finishes it first. A position without inode, or one that a user has set, is taken for one of
 * the file that has the name.
 *
 * A file that is shorter than the position, or has no newline before it, was truncated or replaced: it is read from its start. What was cut
 * off before it was read is lost, and so is a file that came and lost the name again while the one before it was not read to its end.
 */
export class FileSourceTask implements SourceTask {
  #config: FileSourceConfig | undefined;
  #logger: TaskLogger | undefined;
  #partition = { filename: '' };
  #file: FollowedFile | undefined;
  /** Where to go on, until the file of that position has been looked for. */
  #stored: StoredPosition | undefined;
  #hasName = true;
  #idleDelayMs = firstIdleDelayMs;
  #restarts = 0;

  async start(context: SourceTaskContext): Promise<void> {
    const subject = `Configuration of task ${context.connectorName}-${context.taskIndex}`;
    const config = requireConfig(subject, fileSourceSpec, context.config, { unknownKeys: 'ignore' });
    this.#config = config;
    this.#logger = context.logger;
    this.#partition = { filename: config.file };
    const stored = context.position(this.#partition);
    if (stored !== undefined) this.#stored = checkedPosition(config.file, stored);
    await statIfPresent(config.file);
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    let idleMs = 0;
    while (!signal.aborted) {
      const records = await this.#read();
      if (records.length > 0) {
        this.#idleDelayMs = firstIdleDelayMs;
        return records;
      }
      if (idleMs >= maxIdleMs) return records;
      await delay(this.#idleDelayMs, undefined, { signal }).catch(() => undefined);
      idleMs += this.#idleDelayMs;
      this.#idleDelayMs = Math.min(this.#idleDelayMs * 2, maxIdleDelayMs);
    }
    return [];
  }

  async stop(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #read(): Promise<SourceRecord[]> {
    const config = this.#started();
    const records: SourceRecord[] = [];
    const file = (this.#file ??= await this.#open(config.file));
    if (file === undefined) return records;
    this.#take(file, config, records);
    if (records.length > 0) return records;
    const current = await statIfPresent(config.file);
    this.#hasName = current?.ino === file.inode;
    const outcome = await file.read();
    switch (outcome) {
      case 'data':
        this.#take(file, config, records);
        return records;
      case 'nothing':
        // A writer may write on into the old file until it opens the new one: its end is the end once the new one has content.
        if (!this.#hasName && current !== undefined && current.size > 0) await this.#leave(file, config, records);
        return records;
      case 'shrunk':
      case 'replaced':
        await this.#startAgain(file, outcome);
        return records;
      default:
        return outcome satisfies never;
    }
  }

  /** Opens the file to go on with: the one of the stored position, once, and later the one that has the name. */
  async #open(path: string): Promise<FollowedFile | undefined> {
    const stored = this.#stored;
    if (stored === undefined) return FollowedFile.open(path, 0);
    const current = await statIfPresent(path);
    const isSame = stored.inode === undefined || current?.ino === stored.inode;
    let file = isSame
      ? await FollowedFile.open(path, stored.position)
      : await FollowedFile.findRotated(path, stored.inode, stored.position);
    if (file === undefined && current !== undefined && !isSame) {
      this.#logger?.warn(
        `File ${path} is not the one that was read up to ${stored.position}, and that one is not beside it: ` +
          'lines that were added to it since are missing; reading the new file from its start.',
      );
      file = await FollowedFile.open(path, 0);
    }
    if (file !== undefined) this.#stored = undefined;
    return file;
  }

  #take(file: FollowedFile, config: FileSourceConfig, records: SourceRecord[]): void {
    const { topic } = config;
    const partition = this.#partition;
    const inode = this.#hasName ? undefined : file.inode;
    const { string: schema } = schemas;
    file.take(config['batch.size'], (value, position) => {
      records.push({
        topic,
        value,
        schema,
        partition,
        position: inode === undefined ? { position } : { position, inode },
      });
    });
    const last = records.pop();
    if (last !== undefined) records.push({ ...last, position: { ...last.position, inode: file.inode } });
  }

  /** Ends a file that another has taken the name of. It had no new lines when it was last read. */
  async #leave(file: FollowedFile, config: FileSourceConfig, records: SourceRecord[]): Promise<void> {
    if ((await file.read()) === 'data') return;
    const rest = await file.readRest();
    if (rest !== undefined) {
      const position = { position: rest.position, inode: file.inode };
      records.push({
        topic: config.topic,
        value: rest.line,
        schema: schemas.string,
        partition: this.#partition,
        position,
      });
    }
    this.#logger?.info(`File ${config.file} was replaced by a new one: going on at the start of that.`);
    await this.stop();
  }

  async #startAgain(file: FollowedFile, outcome: 'shrunk' | 'replaced'): Promise<void> {
    this.#restarts += 1;
    const what = outcome === 'shrunk' ? 'is shorter than' : 'has no end of a line at';
    this.#logger?.warn(
      `File ${file.path} ${what} the position ${file.position}: it was truncated or replaced. ` +
        `Reading from the start (${this.#restarts} times since the task started).`,
    );
    await this.stop();
  }

  #started(): FileSourceConfig {
    if (this.#config === undefined)
      throw new ConnectError(ConnectErrorCode.internal, 'The file source polls before its start.');
    return this.#config;
  }
}

interface StoredPosition {
  readonly position: number;
  readonly inode: number | undefined;
}

function checkedPosition(path: string, stored: SourcePosition): StoredPosition {
  const { position, inode } = stored;
  const isValid = typeof position === 'number' && Number.isSafeInteger(position) && position >= 0;
  if (isValid && (inode === undefined || typeof inode === 'number')) return { position, inode };
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The stored position ${JSON.stringify(stored)} of file ${path} is none: it has the byte offset as "position", a whole number from 0.`,
  );
}
