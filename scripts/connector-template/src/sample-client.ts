import { open, readFile, type FileHandle } from 'node:fs/promises';
import { RetriableError } from '@sluice/sdk';

/**
 * Reads and appends entries of the other system. Replace it with the driver of yours: as generated, the system is a file that holds one entry
 * a line, as JSON.
 */
export class SampleClient {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Connects, or rejects with an error that says which system does not answer. */
  static async connect(path: string): Promise<SampleClient> {
    return new SampleClient(path, await retriable(path, open(path, 'a')));
  }

  /** Reads up to `limit` entries from the number `from` on; the first entry has the number 0. */
  async read(from: number, limit: number): Promise<readonly string[]> {
    const lines = (await retriable(this.#path, readFile(this.#path, 'utf8'))).split('\n');
    // What follows the last newline is not written to its end yet.
    return lines.slice(from, Math.min(from + limit, lines.length - 1)).map((line) => JSON.parse(line) as string);
  }

  async append(entries: readonly string[]): Promise<void> {
    await retriable(this.#path, this.#file.appendFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')));
  }

  /** Makes durable what was appended. */
  async sync(): Promise<void> {
    await retriable(this.#path, this.#file.sync());
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Marks an outage of the system as passing: the runtime makes the same call again after a backoff. */
async function retriable<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RetriableError(`sample at ${path} does not answer: ${why}`, { cause: error });
  }
}
