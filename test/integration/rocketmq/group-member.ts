import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileJava, SMALL_JVM } from '../../support/java-program.js';
import { until } from '../../support/sluice-cluster.js';

const SOURCE = fileURLToPath(new URL('../../interop/java/GroupMember.java', import.meta.url));

export interface GroupMemberOptions {
  readonly namesrv: string;
  readonly topic: string;
  readonly group: string;
  readonly producerGroup: string;
  /** The end of its client id. */
  readonly name: string;
}

/** RocketMQ's Java push consumer and producer, one client in a process of its own. */
export class GroupMember {
  #output = '';
  #errors = '';

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly dir: string,
  ) {
    child.stdout.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  static async start(options: GroupMemberOptions): Promise<GroupMember> {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-group-member-'));
    const jvm = [...SMALL_JVM, `-Duser.home=${dir}`, '-cp', await compileJava([SOURCE])];
    const { namesrv, topic, group, producerGroup, name } = options;
    const args = [...jvm, 'GroupMember', namesrv, topic, group, producerGroup, name];
    const member = new GroupMember(spawn('java', args, { stdio: 'pipe' }), dir);
    try {
      const isReady = (): boolean => member.#lines.includes('READY') || member.#throwIfEnded();
      await until('the group member runs', isReady, 120_000, () => member.#errors);
    } catch (error) {
      await member.stop();
      throw error;
    }
    return member;
  }

  /** Offsets that it got of a queue, in their order. */
  offsets(queueId: number): number[] {
    const words = this.#lines.map((line) => line.split(' '));
    return words.filter(([queue]) => queue === String(queueId)).map(([, offset]) => Number(offset));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null) {
      this.child.kill('SIGKILL');
      await ended;
    }
    await rm(this.dir, { recursive: true, force: true });
  }

  get #lines(): string[] {
    return this.#output.split('\n');
  }

  #throwIfEnded(): false {
    if (this.child.exitCode === null) return false;
    throw new Error(`the group member ended: ${this.#errors}`);
  }
}
