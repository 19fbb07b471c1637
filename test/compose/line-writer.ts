import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Readable, Writable } from 'node:stream';

const TICK_MS = 200;

/** Feeds a process that appends lines to files, `<number> <file>` for each, to all files in turn at a steady rate. */
export class LineWriter {
  readonly #written: Map<string, number>;
  readonly #stopping = new AbortController();
  readonly #exited: Promise<number | null>;
  readonly #writing: Promise<void>;

  constructor(
    private readonly appender: ChildProcessByStdio<Writable, Readable, null>,
    files: readonly string[],
    private readonly linesPerSecond: number,
  ) {
    this.#written = new Map(files.map((file) => [file, 0]));
    this.#exited = once(appender, 'close').then(([code]: (number | null)[]) => code ?? null);
    // Its exit code reports that.
    appender.stdin.on('error', () => undefined);
    this.#writing = this.#write();
  }

  /** How many lines each file was given. */
  get written(): ReadonlyMap<string, number> {
    return this.#written;
  }

  /** Ends the files with whole lines. @throws Error if the appender failed: then not all that was written is in the files */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#writing;
    this.appender.stdin.end();
    const code = await this.#exited;
    if (code !== 0) throw new Error(`the writer of lines ended with ${String(code)}`);
  }

  /** Ends it at once, whatever was written. */
  kill(): void {
    this.#stopping.abort();
    this.appender.kill('SIGKILL');
  }

  async #write(): Promise<void> {
    const { signal } = this.#stopping;
    const begun = performance.now();
    while (!signal.aborted && this.appender.exitCode === null) {
      const due = Math.floor(((performance.now() - begun) / 1000) * this.linesPerSecond);
      const lines: string[] = [];
      for (const [file, count] of this.#written) {
        for (let number = count; number < due; number += 1) lines.push(`${number} ${file}\n`);
        this.#written.set(file, Math.max(count, due));
      }
      if (!this.appender.stdin.write(lines.join(''))) await once(this.appender.stdin, 'drain', { signal }).catch(() => undefined);
      await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
