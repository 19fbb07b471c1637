import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureJars, type RocketmqVersion } from '@sluice/embedded-rocketmq';
import { JavaLoop } from '../../support/java-loop.js';
import { SMALL_JVM } from '../../support/java-program.js';

const SOURCE = fileURLToPath(new URL('../../interop/java/JavaPeer.java', import.meta.url));
const TIMEOUT_MS = 180_000;

/** RocketMQ's Java client, of the jars that the embedded RocketMQ keeps in its cache. */
export class JavaPeer {
  private constructor(
    private readonly dir: string,
    private readonly java: JavaLoop,
    private readonly version: RocketmqVersion | undefined,
  ) {}

  /** With the jars of a RocketMQ version, the newest by default. */
  static async open(version?: RocketmqVersion): Promise<JavaPeer> {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-java-peer-'));
    return new JavaPeer(dir, new JavaLoop(dir, { sources: [SOURCE], version }), version);
  }

  /** The words of each line that the program printed. */
  async run(...args: readonly (string | number)[]): Promise<string[][]> {
    const printed = await this.java.run('JavaPeer', args.map(String));
    const lines = printed.split('\n').map((line) => line.split(' '));
    return lines.filter(([mark]) => mark === 'peer').map(([, ...words]) => words);
  }

  /** Runs a program of RocketMQ's own examples to its end, in a JVM of its own: some end it. @returns what it printed */
  async runExample(name: string, ...args: readonly (string | number)[]): Promise<string> {
    const { libDir } = await ensureJars(this.version === undefined ? {} : { version: this.version });
    const options = [...SMALL_JVM, `-Duser.home=${this.dir}`, '-cp', join(libDir, '*')];
    const command = [...options, `org.apache.rocketmq.example.${name}`, ...args.map(String)];
    return (await promisify(execFile)('java', command, { timeout: TIMEOUT_MS })).stdout;
  }

  async close(): Promise<void> {
    await this.java.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
