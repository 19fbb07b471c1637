import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RoleProcessOptions {
  readonly role: string;
  /** Path of the role's built main file. */
  readonly main: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Called with every line that the process prints. */
  readonly onLine: (role: string, line: string) => void;
  /** Called with what happens to the process: deaths and restarts. */
  readonly onEvent: (text: string) => void;
}

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 15_000;
/** A process that lived this long starts its backoff over. */
const SOUND_AFTER_MS = 60_000;

/** One role as a child process that is started again when it dies, until {@link stop}. */
export class RoleProcess {
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #restartTimer: NodeJS.Timeout | undefined;
  #restartMs = FIRST_RESTART_MS;
  #stopping = false;

  constructor(private readonly options: RoleProcessOptions) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { role, main, environment, onLine, onEvent } = this.options;
    const startedAt = performance.now();
    // A group of its own: Ctrl-C in a terminal reaches the supervisor only, which stops the roles in order. The channel ends
    // when the supervisor itself does, and the role with it.
    const child = spawn(process.execPath, [main], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream)
        createInterface({ input: stream }).on('line', (line) => {
          onLine(role, line);
        });
    }
    this.#exited = new Promise((resolve) => {
      const gone = (how: string): void => {
        this.#child = undefined;
        resolve();
        if (this.#stopping) return;
        if (performance.now() - startedAt > SOUND_AFTER_MS) this.#restartMs = FIRST_RESTART_MS;
        onEvent(`${role} ${how}; starting it again in ${this.#restartMs} ms`);
        this.#restartTimer = setTimeout(() => {
          this.start();
        }, this.#restartMs);
        this.#restartMs = Math.min(this.#restartMs * 2, LONGEST_RESTART_MS);
      };
      child.once('error', (error) => {
        gone(`could not be started: ${error.message}`);
      });
      child.once('exit', (code, signal) => {
        gone(signal === null ? `ended with code ${String(code)}` : `was killed by ${signal}`);
      });
    });
  }

  /** Asks the process to end and waits; after `graceMs` it is killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => {
      this.options.onEvent(`${this.options.role} did not stop within ${graceMs} ms and is killed`);
      child.kill('SIGKILL');
    }, graceMs);
    await this.#exited;
    clearTimeout(killer);
  }
}
