import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RocketmqVersion } from '@sluice/embedded-rocketmq';
import { jarDir } from './java-jars.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../../interop/java/JavaPeer.java', import.meta.url));
const TIMEOUT_MS = 60_000;

/** RocketMQ's Java client, of the jars that the embedded RocketMQ keeps in its cache. */
export class JavaPeer {
  private constructor(
    private readonly dir: string,
    private readonly classPath: string,
  ) {}

  /** With the jars of a RocketMQ version, the newest by default. */
  static async compile(version?: RocketmqVersion): Promise<JavaPeer> {
    const jars = join(await jarDir(version), '*');
    const dir = await mkdtemp(join(tmpdir(), 'sluice-java-peer-'));
    await run('javac', ['-nowarn', '-d', dir, '-cp', jars, SOURCE], { timeout: TIMEOUT_MS });
    return new JavaPeer(dir, `${dir}:${jars}`);
  }

  /** The words of each line that the program printed. */
  async run(...args: readonly (string | number)[]): Promise<string[][]> {
    const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Duser.home=${this.dir}`];
    const command = [...jvm, '-cp', this.classPath, 'JavaPeer', ...args.map(String)];
    const { stdout } = await run('java', command, { timeout: TIMEOUT_MS });
    const lines = stdout.split('\n').map((line) => line.split(' '));
    return lines.filter(([mark]) => mark === 'peer').map(([, ...words]) => words);
  }

  /** Runs a program of RocketMQ's own examples to its end. @returns what it printed */
  async runExample(name: string, ...args: readonly (string | number)[]): Promise<string> {
    const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Duser.home=${this.dir}`];
    const command = [...jvm, '-cp', this.classPath, `org.apache.rocketmq.example.${name}`, ...args.map(String)];
    return (await run('java', command, { timeout: TIMEOUT_MS })).stdout;
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}
