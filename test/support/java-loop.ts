import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RocketmqVersion } from '@sluice/embedded-rocketmq';
import { compileJava, SMALL_JVM } from './java-program.js';

const SOURCE = fileURLToPath(new URL('../interop/java/MainLoop.java', import.meta.url));
/** A busy machine takes its time to start a JVM. */
const TIMEOUT_MS = 180_000;

export interface JavaPrograms {
  /** Besides the main classes of RocketMQ. */
  readonly sources?: readonly string[];
  /** The newest by default. */
  readonly version?: RocketmqVersion | undefined;
}

/** One JVM for all runs of main classes, one after the other; it starts with the first of them. */
export class JavaLoop {
  #jvm: LoopJvm | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param homeDir where RocketMQ's clients write their logs */
  constructor(
    private readonly homeDir: string,
    private readonly programs: JavaPrograms = {},
  ) {}

  /**
   * Runs a main class.
   * @returns what it printed
   * @throws Error with what it printed where it throws or ends the JVM, or takes too long
   */
  run(mainClass: string, args: readonly string[]): Promise<string> {
    const words = [mainClass, ...args];
    if (words.some((word) => /[\t\r\n]/.test(word))) throw new Error(`words with tabs or new lines: ${JSON.stringify(words)}`);
    const printed = this.#last.then(() => this.#ask(words.join('\t')));
    this.#last = printed.catch(() => undefined);
    return printed;
  }

  async #ask(line: string): Promise<string> {
    const { sources = [], version } = this.programs;
    this.#jvm ??= new LoopJvm(await compileJava([SOURCE, ...sources], version), this.homeDir);
    return this.#jvm.ask(line);
  }

  async close(): Promise<void> {
    await this.#jvm?.end();
  }
}

class LoopJvm {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  constructor(classPath: string, homeDir: string) {
    const args = [...SMALL_JVM, `-Duser.home=${homeDir}`, '-cp', classPath, 'MainLoop'];
    this.#child = spawn('java', args, { stdio: 'pipe', env: { ...process.env, ROCKETMQ_HOME: homeDir } });
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    // That the JVM has ended shows in the end of its answers.
    this.#child.stdin.on('error', () => undefined);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), TIMEOUT_MS);
    try {
      const { done, value } = await this.#answers.next();
      if (done === true) throw new Error(`${line} has ended its JVM, or took more than ${TIMEOUT_MS} ms: ${this.#errors}`);
      const [outcome, base64 = ''] = value.split(' ');
      const printed = Buffer.from(base64, 'base64').toString();
      if (outcome !== 'ok') throw new Error(`${line} ${outcome}: ${printed}`);
      return printed;
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
