import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cpuSeconds } from '../support/cpu-time.js';

const LIMIT_MS = 120_000;

/** A process that makes load: it says "ready" on its output and begins at a line on its input. */
export class LoadProcess {
  readonly #child;
  readonly #lines;
  readonly #exit: Promise<unknown>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#exit = once(this.#child, 'exit');
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** CPU seconds, user and system, that it has used so far. */
  cpuSeconds(): number {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  begin(): void {
    this.#child.stdin.write('begin\n');
  }

  /** The end of its input ends it. */
  finish(): void {
    this.#child.stdin.end();
  }

  /** @throws Error when there is none within two minutes or the process ends */
  async nextLine(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, LIMIT_MS, new Error(`no line within ${LIMIT_MS} ms of ${this.#child.spawnfile}`));
    });
    try {
      const line = await Promise.race([this.#lines.next(), late]);
      if (line.done === true) throw new Error(`${this.#child.spawnfile} ended`);
      return line.value;
    } finally {
      clearTimeout(timer);
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
