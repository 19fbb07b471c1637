import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compileJava, SMALL_JVM } from '../../support/java-program.js';

const SOURCE = fileURLToPath(new URL('../../interop/java/MqadminLoop.java', import.meta.url));
const ATTEMPTS = 3;
/** A busy machine takes its time to start a JVM. */
const TIMEOUT_MS = 150_000;
const SEPARATOR = '\t';

/** RocketMQ's administration tool, as the judge of what was done: in one JVM, which starts with the first command. */
export class Mqadmin {
  #jvm: ToolJvm | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly namesrv: string,
    private readonly logDir: string,
  ) {}

  static async open(namesrv: string): Promise<Mqadmin> {
    return new Mqadmin(namesrv, await mkdtemp(join(tmpdir(), 'sluice-mqadmin-')));
  }

  /** What a command prints. The tool gives up after 5 s per request whatever is asked, so a busy machine is asked again. */
  run(command: string, ...args: string[]): Promise<string> {
    const words = [command, '-n', this.namesrv, ...args];
    if (words.some((word) => /[\t\r\n]/.test(word))) throw new Error(`mqadmin takes one line without tabs, not ${JSON.stringify(words)}`);
    const printed = this.#last.then(() => this.#ask(words));
    this.#last = printed.catch(() => undefined);
    return printed;
  }

  async #ask(words: readonly string[]): Promise<string> {
    let printed = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      this.#jvm ??= new ToolJvm(await compileJava(SOURCE), this.logDir);
      printed = await this.#jvm.ask(words.join(SEPARATOR));
      if (!printed.includes('SubCommandException')) return printed;
    }
    return printed;
  }

  async close(): Promise<void> {
    await this.#jvm?.end();
    await rm(this.logDir, { recursive: true, force: true });
  }
}

class ToolJvm {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  constructor(classPath: string, logDir: string) {
    const args = [...SMALL_JVM, `-Duser.home=${logDir}`, '-cp', classPath, 'MqadminLoop'];
    this.#child = spawn('java', args, { stdio: 'pipe', env: { ...process.env, ROCKETMQ_HOME: logDir } });
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
      if (done === true) throw new Error(`mqadmin ${line} has ended its JVM, or took more than ${TIMEOUT_MS} ms: ${this.#errors}`);
      return Buffer.from(value, 'base64').toString();
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
