import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RunningCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { compileJava } from '../support/java-program.js';
import type { SiteMessage } from './flow-judge.js';

const SOURCE = fileURLToPath(new URL('../../chaos/java/FlowSite.java', import.meta.url));
const JVM = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const LIMIT_MS = 240_000;
const MOST_BYTES = 256 * 1024 * 1024;
const READERS = 'flow-readers';
const HOPS = 'sluice-hops';

/** How many messages of a topic came through a flow, and how many its own users sent. */
interface Counts {
  copies: number;
  locals: number;
}

/** How the sends of Java producers were answered, by the numbers of their messages. */
export interface Answers {
  readonly acknowledged: readonly number[];
  readonly rolledBack: readonly number[];
}

/** One of two clusters that copy a topic to each other: its Java users, and how much is there. */
export class FlowSite {
  readonly #client: RocketMqClient;
  readonly #ended = new AbortController();
  readonly #counts: Counts = { copies: 0, locals: 0 };
  #counting: Promise<unknown> = Promise.resolve();
  #load: ChildProcess | undefined;
  #printed = '';

  private constructor(
    /** How its users call it in their messages. */
    readonly name: string,
    readonly rocketmq: RunningCluster,
    private readonly topic: string,
    private readonly classPath: string,
    private readonly folder: string,
  ) {
    this.#client = RocketMqClient.open({ namesrv: rocketmq.namesrv, requestTimeoutMs: 30_000 });
  }

  /** @param folder where the Java clients write their logs */
  static async open(name: string, rocketmq: RunningCluster, topic: string, queues: number, folder: string): Promise<FlowSite> {
    const site = new FlowSite(name, rocketmq, topic, await compileJava([SOURCE]), folder);
    await site.#client.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
    await site.#client.admin.createGroup({ group: READERS });
    const { brokerName } = rocketmq;
    const all = Array.from({ length: queues }, (_, queueId) => site.#count({ topic, brokerName, queueId }));
    site.#counting = Promise.allSettled(all);
    return site;
  }

  get url(): string {
    return `rocketmq://${this.rocketmq.namesrv.replaceAll(';', ',')}`;
  }

  /** As of what was read by now; a copy that came twice counts twice. */
  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  /** Lets Java producers send messages of every kind, until {@link endLoad}. */
  startLoad(pauseMs: number): void {
    const { namesrv } = this.rocketmq;
    const child = spawn('java', this.#words('load', namesrv, this.topic, this.name, String(pauseMs)), { stdio: 'pipe' });
    child.stdout.on('data', (chunk: Buffer) => (this.#printed += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.#printed += chunk.toString()));
    this.#load = child;
  }

  /** Ends the load; returns how its sends were answered. */
  async endLoad(): Promise<Answers> {
    const child = this.#load;
    if (child === undefined) throw new Error(`no load at ${this.name}`);
    const closed = once(child, 'close', { signal: AbortSignal.timeout(LIMIT_MS) });
    child.stdin?.end('\n');
    await closed;
    if (!this.#printed.trimEnd().endsWith('done')) throw new Error(`the load of ${this.name} broke off: ${this.#printed.slice(-2000)}`);
    const numbers = (word: string): readonly number[] =>
      [...this.#printed.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number));
    return { acknowledged: numbers('acked'), rolledBack: numbers('rolled-back') };
  }

  /** Reads the whole topic with the Java client, queue by queue. */
  async read(): Promise<readonly SiteMessage[]> {
    const words = this.#words('read', this.rocketmq.namesrv, this.topic, READERS);
    const { stdout } = await promisify(execFile)('java', words, { timeout: LIMIT_MS, maxBuffer: MOST_BYTES });
    const lines = stdout.trimEnd().split('\n');
    if (lines.pop() !== 'done') throw new Error(`the topic of ${this.name} was not read: ${stdout.slice(-2000)}`);
    return lines.flatMap((line) => {
      const [mark, broker = '', queueId = '', site = '', number, isCopy, checksum = ''] = line.split(' ');
      if (mark !== 'message' || site === 'barrier') return [];
      return { queue: `${broker}:${queueId}`, site, number: Number(number), isCopy: isCopy === 'true', checksum };
    });
  }

  async close(): Promise<void> {
    this.#load?.kill('SIGKILL');
    this.#ended.abort();
    await this.#counting;
    await this.#client.close();
  }

  async #count(queue: QueueRef): Promise<void> {
    const reader = this.#client.consumer.readQueue(queue, { from: 0, group: READERS, signal: this.#ended.signal });
    for await (const message of reader) {
      if (message.property('sluice-b') !== undefined) continue;
      if (message.property(HOPS) === undefined) this.#counts.locals += 1;
      else this.#counts.copies += 1;
    }
  }

  #words(...args: readonly string[]): readonly string[] {
    return [...JVM, `-Duser.home=${this.folder}`, '-cp', this.classPath, 'FlowSite', ...args];
  }
}
