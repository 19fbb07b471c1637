// npm run bench -- client [--rounds N] [--seconds N] [--messages N]: sends and pulls of 1 KB messages through libs/rocketmq
// beside RocketMQ's Java BatchProducer and a Java pull consumer, and beside the same bytes over a bare socket, on the same
// broker in the same run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { BatchEncoder, RocketMqClient } from '@sluice/rocketmq';
import { until } from '../support/sluice-cluster.js';
import type { LoadResult } from './client-load.js';
import { JavaLoad } from './java-load.js';
import { LoadProcess } from './load-process.js';
import { PULL_SETTINGS, type PullSetting, useLimits } from './pull-limits.js';
import { checkRatios, median } from './ratio-check.js';

const BODY_BYTES = 1024;
const QUEUES = 8;
const BATCH = 64;
const SENDS_IN_FLIGHT = 4;
const PER_PULL = 512;
const WARM_UP_MS = 4_000;
const loadScript = fileURLToPath(new URL('./client-load.js', import.meta.url));

/** Both sides write through these. */
const brokerConfig = { sendMessageThreadPoolNums: '4', waitTimeMillsInSendQueue: '1000' };

interface Speed {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** Of a process of Node. */
interface NodeSpeed extends Speed {
  /** The kernel's part of `cpuMicros`, from 0 to 1. */
  readonly systemShare: number;
  readonly heapBytes: number;
}

/** `bare`: the same bytes over a socket without a client. */
type Mode = 'send' | 'pull' | 'bare-send' | 'bare-pull';

class ClientBench {
  constructor(
    private readonly cluster: RunningCluster,
    private readonly client: RocketMqClient,
    private readonly java: JavaLoad,
  ) {}

  async createTopic(topic: string): Promise<void> {
    await this.client.admin.createTopic({ topic, readQueues: QUEUES, writeQueues: QUEUES });
  }

  async #stored(topic: string): Promise<number> {
    const stats = await this.client.admin.topicStats(topic);
    return stats.reduce((sum, queue) => sum + queue.maxOffset, 0);
  }

  /** What the broker stored in a window of time, warmed up, whoever sends. */
  async #window(topic: string, load: LoadProcess, seconds: number): Promise<Speed> {
    await until(`${topic} is written`, async () => (await this.#stored(topic)) > 0, 60_000);
    await elapse(WARM_UP_MS);
    const cpu = load.cpuSeconds();
    const started = performance.now();
    const before = await this.#stored(topic);
    await elapse(seconds * 1000);
    const messages = (await this.#stored(topic)) - before;
    const elapsedSeconds = (performance.now() - started) / 1000;
    return { perSecond: messages / elapsedSeconds, cpuMicros: ((load.cpuSeconds() - cpu) * 1e6) / messages };
  }

  async javaSend(topic: string, seconds: number): Promise<Speed> {
    await this.createTopic(topic);
    const load = this.java.batchProducer(this.cluster.namesrv, topic, BATCH, SENDS_IN_FLIGHT, BODY_BYTES);
    try {
      return await this.#window(topic, load, seconds);
    } finally {
      await load.kill();
    }
  }

  async send(mode: 'send' | 'bare-send', topic: string, seconds: number): Promise<NodeSpeed> {
    await this.createTopic(topic);
    const load = this.#node(mode, topic, BATCH, SENDS_IN_FLIGHT);
    try {
      await load.nextLine();
      load.begin();
      const speed = await this.#window(topic, load, seconds);
      load.finish();
      return { ...speed, ...sharesOf(await resultOf(load)) };
    } finally {
      await load.kill();
    }
  }

  /** Fills every queue alike. */
  async fill(topic: string, messages: number): Promise<number> {
    await this.createTopic(topic);
    const perQueue = Math.ceil(messages / QUEUES / BATCH) * BATCH;

    const brokerName = (await this.client.routes.get(topic)).brokers[0]?.brokerName ?? '';
    for (let queueId = 0; queueId < QUEUES; queueId += 1) {
      const encoder = new BatchEncoder();
      for (let sent = 0; sent < perQueue; sent += encoder.count) {
        encoder.reset();
        while (encoder.count < Math.min(1_024, perQueue - sent)) encoder.add(Buffer.alloc(BODY_BYTES, 'x'), '');
        await this.client.producer.sendBatch({ topic, brokerName, queueId }, encoder.finish(), { timeoutMs: 30_000 });
      }
    }
    await until(`${topic} is full`, async () => (await this.#stored(topic)) === perQueue * QUEUES, 60_000);
    return perQueue;
  }

  async javaPull(topic: string, end: number): Promise<Speed> {
    const load = this.java.pullConsumer(this.cluster.namesrv, topic, QUEUES, PER_PULL, end);
    try {
      await load.nextLine();
      const cpu = load.cpuSeconds();
      load.begin();
      const [, messages = 0, milliseconds = 1] = (await load.nextLine()).split(' ').map(Number);
      checkCount(messages, end * QUEUES);
      return {
        perSecond: (messages * 1000) / milliseconds,
        cpuMicros: ((load.cpuSeconds() - cpu) * 1e6) / messages,
      };
    } finally {
      await load.kill();
    }
  }

  async pull(mode: 'pull' | 'bare-pull', topic: string, end: number): Promise<NodeSpeed> {
    const load = this.#node(mode, topic, PER_PULL, end);
    try {
      await load.nextLine();
      load.begin();
      const result = await resultOf(load);
      const { messages, milliseconds, cpuMicros } = result;
      checkCount(messages, end * QUEUES);
      return {
        perSecond: (messages * 1000) / milliseconds,
        cpuMicros: cpuMicros / messages,
        ...sharesOf(result),
      };
    } finally {
      await load.kill();
    }
  }

  /** From now on the broker answers pulls so; returns how the figures are to be headed. */
  useLimits(setting: PullSetting): Promise<string> {
    return useLimits(this.client, setting);
  }

  #node(mode: Mode, topic: string, ...numbers: readonly number[]): LoadProcess {
    const words = [loadScript, mode, this.cluster.namesrv, topic, String(QUEUES), ...numbers.map(String)];
    return new LoadProcess(process.execPath, words);
  }
}

async function resultOf(load: LoadProcess): Promise<LoadResult> {
  return JSON.parse(await load.nextLine()) as LoadResult;
}

function sharesOf(result: LoadResult): Pick<NodeSpeed, 'systemShare' | 'heapBytes'> {
  return { systemShare: result.systemMicros / result.cpuMicros, heapBytes: result.heapBytes / result.messages };
}

function checkCount(messages: number, expected: number): void {
  if (messages !== expected) throw new Error(`${messages} messages were read, ${expected} are there`);
}

function line(who: string, speed: Speed): string {
  return `${who} ${speed.perSecond.toFixed(0)} msg/s, ${speed.cpuMicros.toFixed(2)} us CPU per message`;
}

/** Sluice beside the same bytes over a bare socket: no client can use less CPU than that. */
function lines(sluice: NodeSpeed, bare: NodeSpeed): string {
  const system = ({ systemShare }: NodeSpeed): string => `${(systemShare * 100).toFixed(0)} % of it the kernel's`;
  return [
    `${line('Sluice', sluice)}, ${system(sluice)}; ${sluice.heapBytes.toFixed(0)} B of heap`,
    `${line('bare socket', bare)}, ${system(bare)}; Sluice uses ${(sluice.cpuMicros / bare.cpuMicros).toFixed(2)} times its CPU`,
  ].join('\n  ');
}

const print = (text: string): boolean => process.stdout.write(`${text}\n`);

/** Returns how many times the Java client's messages ours sent, by round. */
async function compareSends(bench: ClientBench, rounds: number, seconds: number): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const java = await bench.javaSend(`bench-java-${round}`, seconds);
    const sluice = await bench.send('send', `bench-sluice-${round}`, seconds);
    const bare = await bench.send('bare-send', `bench-bare-${round}`, seconds);
    print(`round ${round}, send, batches of ${BATCH}, ${SENDS_IN_FLIGHT} in flight`);
    print(`  ${line('Java BatchProducer', java)}\n  ${lines(sluice, bare)}`);
    ratios.push(sluice.perSecond / java.perSecond);
  }
  return ratios;
}

/** Returns how many times the Java client's messages ours pulled, by round. */
async function comparePulls(bench: ClientBench, topic: string, end: number, rounds: number): Promise<number[]> {
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const java = await bench.javaPull(topic, end);
    const sluice = await bench.pull('pull', topic, end);
    const bare = await bench.pull('bare-pull', topic, end);
    print(`round ${round}, pull, ${QUEUES} queues on one connection, ${PER_PULL} messages asked of a pull`);
    print(`  ${line('Java pull consumer', java)}\n  ${lines(sluice, bare)}`);
    ratios.push(sluice.perSecond / java.perSecond);
  }
  return ratios;
}

async function compare(bench: ClientBench, rounds: number, seconds: number, messages: number): Promise<void> {
  const topic = 'bench-pull';
  const end = await bench.fill(topic, messages);
  const ratios = [{ name: 'send to Java BatchProducer', ratio: median(await compareSends(bench, rounds, seconds)), goal: 1 }];
  for (const setting of PULL_SETTINGS) {
    print(await bench.useLimits(setting));
    const pulls = await comparePulls(bench, topic, end, rounds);
    ratios.push({ name: `pull to Java pull consumer, ${setting.name}`, ratio: median(pulls), goal: 1 });
  }
  checkRatios(ratios);
}

/** Runs the bench. @throws Error when a ratio is below 0.8 of its goal */
export async function clientBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '8' },
      messages: { type: 'string', default: '800000' },
    },
  });
  const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const cluster = await startCluster({
    name: 'bench',
    dataDir: join(directory, 'rocketmq'),
    ports: await freePorts(),
    brokerConfig,
  });
  const client = RocketMqClient.open({ namesrv: cluster.namesrv });
  try {
    await client.admin.createGroup({ group: 'bench' });
    process.stdout.write(`${BODY_BYTES}-byte messages, one broker on the same machine with ${JSON.stringify(brokerConfig)}\n`);
    const bench = new ClientBench(cluster, client, await JavaLoad.compile());
    await compare(bench, Number(values.rounds), Number(values.seconds), Number(values.messages));
  } finally {
    await client.close();
    await cluster.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
