import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RocketmqVersion } from '@sluice/embedded-rocketmq';
import { compileJava, SMALL_JVM } from '../../support/java-program.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../../interop/java/JavaPeer.java', import.meta.url));
const TIMEOUT_MS = 180_000;

/** RocketMQ's Java client, of the jars that the embedded RocketMQ keeps in its cache. */
export class JavaPeer {
  private constructor(
    private readonly dir: string,
    private readonly classPath: string,
  ) {}

  /** With the jars of a RocketMQ version, the newest by default. */
  static async compile(version?: RocketmqVersion): Promise<JavaPeer> {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-java-peer-'));
    return new JavaPeer(dir, await compileJava(SOURCE, version));
  }

  /** The words of each line that the program printed. */
  async run(...args: readonly (string | number)[]): Promise<string[][]> {
    const stdout = await this.#java('JavaPeer', args);
    const lines = stdout.split('\n').map((line) => line.split(' '));
    return lines.filter(([mark]) => mark === 'peer').map(([, ...words]) => words);
  }

  /** Runs a program of RocketMQ's own examples to its end. @returns what it printed */
  async runExample(name: string, ...args: readonly (string | number)[]): Promise<string> {
    return this.#java(`org.apache.rocketmq.example.${name}`, args);
  }

  async #java(mainClass: string, args: readonly (string | number)[]): Promise<string> {
    const command = [...SMALL_JVM, `-Duser.home=${this.dir}`, '-cp', this.classPath, mainClass, ...args.map(String)];
    return (await run('java', command, { timeout: TIMEOUT_MS })).stdout;
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
