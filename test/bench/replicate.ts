// npm run bench -- replicate [--messages N] [--rounds N] [--seconds N] [--delay MS] [--born-time native|stamp]: messages of 1 KB of one RocketMQ
// cluster into another, by a flow of real processes: beside RocketMQ's Java BatchProducer, which writes such messages to the target, and beside
// MirrorMaker 2 on a Kafka broker where PEER_KAFKA_CONNECT names its jars. Then with a distance between the sites, then how long a message takes.
import { randomBytes } from 'node:crypto';
import { setTimeout as elapse } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { BatchEncoder, encodeProperties, type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { cpuSeconds, untilProcessorsIdle } from '../support/cpu-time.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';
import { DelayedSite } from './delayed-site.js';
import { type Figure, printFigures } from './figure.js';
import { JavaLoad } from './java-load.js';
import { mirrorLoad, mirrorProblem } from './mirror-maker.js';
import { checkRatios, median, type Ratio } from './ratio-check.js';

const BODY_BYTES = 1024;
const QUEUES = 8;
const TASKS = '2';
const BATCH = 64;
const PRODUCER_THREADS = 4;
/** Of the messages, those that are not measured: processes have just started, and compile what they run. */
const WARM_UP_SHARE = 0.3;
const LIMIT_MS = 300_000;
const RATE = 1_000;
const LATENCY_QUEUES = 4;
const LATENCY_WARM_UP_MS = 10_000;
const TICK_MS = 5;
const READERS = 'bench-readers';

interface Load {
  readonly perSecond: number;
  /** Microseconds of CPU per message, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

interface Options {
  readonly messages: number;
  readonly bornTime: string;
}

class ReplicateBench {
  readonly #source: RocketMqClient;
  readonly #target: RocketMqClient;
  #flows = 0;

  constructor(
    private readonly sourceCluster: RunningCluster,
    private readonly cluster: IsolatedCluster,
    private readonly java: JavaLoad,
    private readonly options: Options,
  ) {
    this.#source = RocketMqClient.open({ namesrv: sourceCluster.namesrv, requestTimeoutMs: 30_000 });
    this.#target = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 30_000 });
  }

  async close(): Promise<void> {
    await Promise.all([this.#source.close(), this.#target.close()]);
  }

  /** Where clients of the source go; with a distance of so many milliseconds for a round trip. */
  async distance(roundTripMs: number): Promise<DelayedSite> {
    const { brokers } = await this.#source.admin.clusterInfo();
    const address = brokers[0]?.masterAddress;
    if (address === undefined) throw new Error('the source has no broker');
    return DelayedSite.before(this.sourceCluster.namesrv, address, roundTripMs);
  }

  /** Fills a topic of the source, all queues alike. */
  async fill(topic: string): Promise<number> {
    const queues = await this.#createAtSource(topic, QUEUES);
    const perQueue = Math.ceil(this.options.messages / QUEUES / BATCH) * BATCH;
    const run = randomBytes(6).toString('hex').toUpperCase();
    for (const queue of queues) {
      const encoder = new BatchEncoder();
      for (let sent = 0; sent < perQueue; sent += encoder.count) {
        encoder.reset();
        while (encoder.count < Math.min(1_024, perQueue - sent)) {
          const number = `${queue.queueId}${String(sent + encoder.count).padStart(18, '0')}`;
          // As the messages of RocketMQ's own producers: an id of 32 characters, and a tag.
          encoder.add(
            Buffer.alloc(BODY_BYTES, 'x'),
            encodeProperties([
              ['UNIQ_KEY', `${run}${number}`],
              ['TAGS', 'bench'],
            ]),
          );
        }
        await this.#source.producer.sendBatch(queue, encoder.finish(), { timeoutMs: 30_000 });
      }
    }
    return perQueue * QUEUES;
  }

  /** Copies a topic that is full, and measures all but the beginning. */
  async copy(topic: string, messages: number, namesrv = this.sourceCluster.namesrv): Promise<Load> {
    const name = await this.#startFlow(topic, namesrv);
    const first = await this.#untilStored(topic, WARM_UP_SHARE * messages);
    const [startedAt, before] = [performance.now(), this.#cpu()];
    const last = await this.#untilStored(topic, messages);
    const [seconds, after] = [(performance.now() - startedAt) / 1_000, this.#cpu()];
    await this.#stopFlow(name);
    if (last !== messages) throw new Error(`${last} messages are at the target, ${messages} are at the source`);
    const measured = last - first;
    const cpu = Object.entries(before).map(([process, used]) => [process, (((after[process] ?? 0) - used) * 1e6) / measured] as const);
    return { perSecond: measured / seconds, cpu: Object.fromEntries(cpu) };
  }

  /** Lets RocketMQ's Java producer write to the target. */
  async javaProducer(topic: string, seconds: number): Promise<Load> {
    await this.#target.admin.createTopic({ topic, readQueues: QUEUES, writeQueues: QUEUES });
    const load = this.java.batchProducer(this.cluster.rocketmq.namesrv, topic, BATCH, PRODUCER_THREADS, BODY_BYTES);
    try {
      await until(`${topic} is written`, async () => (await this.#stored(topic)) > 0, 60_000);
      await elapse(4_000);
      const [cpu, brokerCpu, startedAt, before] = [load.cpuSeconds(), this.#brokerCpu(), performance.now(), await this.#stored(topic)];
      await elapse(seconds * 1_000);
      const messages = (await this.#stored(topic)) - before;
      const perMessage = (used: number): number => (used * 1e6) / messages;
      return {
        perSecond: (messages * 1_000) / (performance.now() - startedAt),
        cpu: { producer: perMessage(load.cpuSeconds() - cpu), target: perMessage(this.#brokerCpu() - brokerCpu) },
      };
    } finally {
      await load.kill();
    }
  }

  /** Returns how long messages take from their send at the source to a reader at the target, in milliseconds, without the start-up. */
  async latency(seconds: number): Promise<{ readonly p50: number; readonly p99: number; readonly max: number }> {
    const topic = 'bench-latency';
    const queues = await this.#createAtSource(topic, LATENCY_QUEUES);
    const name = await this.#startFlow(topic, this.sourceCluster.namesrv);
    await until(`${topic} is at the target`, () => this.#target.routes.refresh(topic).catch(() => undefined));
    const reading = new AbortController();
    const taken: number[] = [];
    const { brokerName } = this.cluster.rocketmq;
    const startedAt = performance.now();
    const reads = queues.map(async ({ queueId }) => {
      const options = { from: 0, group: READERS, signal: reading.signal };
      for await (const { body } of this.#target.consumer.readQueue({ topic, brokerName, queueId }, options)) {
        const sentAt = body.readDoubleBE(0);
        if (sentAt - startedAt > LATENCY_WARM_UP_MS) taken.push(performance.now() - sentAt);
      }
    });
    const ended = Promise.allSettled(reads);
    const total = RATE * (seconds + LATENCY_WARM_UP_MS / 1_000);
    const sends: Promise<unknown>[] = [];
    for (let sent = 0; sent < total;) {
      for (const due = ((performance.now() - startedAt) * RATE) / 1_000; sent < Math.min(due, total); sent += 1) {
        const body = Buffer.alloc(BODY_BYTES);
        body.writeDoubleBE(performance.now(), 0);
        sends.push(this.#source.producer.send(queues[sent % queues.length] as QueueRef, { body }));
      }
      await elapse(TICK_MS);
    }
    await Promise.all(sends);
    const wanted = RATE * seconds;
    // A few more or fewer than the rate says fall into the time.
    await until('all messages have arrived', () => taken.length >= wanted * 0.99, LIMIT_MS);
    await elapse(1_000);
    reading.abort();
    await ended;
    await this.#stopFlow(name);
    const sorted = taken.sort((one, other) => one - other);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  async createReaders(): Promise<void> {
    await this.#target.admin.createGroup({ group: READERS });
  }

  async #createAtSource(topic: string, queues: number): Promise<readonly QueueRef[]> {
    await this.#source.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
    const { brokerName } = this.sourceCluster;
    return Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName, queueId }));
  }

  async #startFlow(topic: string, namesrv: string): Promise<string> {
    const name = `flow-${(this.#flows += 1)}`;
    const config = {
      'connector.class': 'RocketMQSourceConnector',
      'source.cluster.url': `rocketmq://${namesrv}`,
      'tasks.max': TASKS,
      'born.time': this.options.bornTime,
      topics: topic,
    };
    const { status, body } = await this.cluster.request('POST', '/connectors', { name, config });
    if (status !== 201) throw new Error(`${name} is refused: ${JSON.stringify(body)}`);
    await this.cluster.untilTask(name, 'RUNNING');
    return name;
  }

  async #stopFlow(name: string): Promise<void> {
    await this.cluster.request('DELETE', `/connectors/${name}`);
  }

  async #untilStored(topic: string, messages: number): Promise<number> {
    return until(
      `${messages} messages of ${topic} are at the target`,
      async () => {
        const stored = await this.#stored(topic).catch(() => 0);
        return stored >= messages && stored;
      },
      LIMIT_MS,
    );
  }

  async #stored(topic: string): Promise<number> {
    const stats = await this.#target.admin.topicStats(topic);
    return stats.reduce((sum, queue) => sum + queue.maxOffset, 0);
  }

  #brokerCpu(): number {
    return cpuSeconds(this.cluster.rocketmq.pids.broker ?? 0);
  }

  #cpu(): Readonly<Record<string, number>> {
    return {
      runner: cpuSeconds(this.cluster.role('source-runner-1').pid),
      source: cpuSeconds(this.sourceCluster.pids.broker ?? 0),
      target: this.#brokerCpu(),
    };
  }
}

function shown(who: string, { perSecond, cpu }: Load): string {
  const each = Object.entries(cpu).map(([process, micros]) => `${process} ${micros.toFixed(1)}`);
  return `  ${who} ${perSecond.toFixed(0)} msg/s; CPU per message in microseconds: ${each.join(', ')}\n`;
}

/** Runs the bench and prints all figures. @throws Error when messages are lost or come twice, or a ratio is below 0.8 of its goal */
export async function replicateBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: 'string', default: '400000' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '10' },
      delay: { type: 'string', default: '40' },
      'born-time': { type: 'string', default: 'stamp' },
    },
  });
  const [messages, rounds, seconds, delay] = [values.messages, values.rounds, values.seconds, values.delay].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const cluster = await SluiceCluster.startIsolated();
  let source: RunningCluster | undefined;
  let bench: ReplicateBench | undefined;
  try {
    source = await startCluster({ name: 'source', dataDir: cluster.path('source'), ports: await freePorts(), topology: { proxy: false } });
    bench = new ReplicateBench(source, cluster, await JavaLoad.compile(), { messages, bornTime: values['born-time'] });
    await bench.createReaders();
    process.stdout.write(
      `${messages} messages of ${BODY_BYTES} bytes, ${QUEUES} queues, ${TASKS} tasks, born.time=${values['born-time']}\n`,
    );
    const near: Load[] = [];
    const far: Load[] = [];
    const shares: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      process.stdout.write(`round ${round}\n`);
      const topic = `bench-${round}`;
      const count = await bench.fill(topic);
      const flow = await bench.copy(topic, count);
      process.stdout.write(shown('Sluice', flow));
      const java = await bench.javaProducer(`bench-java-${round}`, seconds);
      process.stdout.write(shown('Java BatchProducer', java));
      near.push(flow);
      shares.push((java.cpu['producer'] ?? NaN) / (flow.cpu['runner'] ?? NaN));
      await bench.fill(`bench-far-${round}`);
      const site = await bench.distance(delay);
      try {
        const distant = await bench.copy(`bench-far-${round}`, count, site.namesrv);
        process.stdout.write(shown(`Sluice, ${delay} ms of a round trip between the sites`, distant));
        far.push(distant);
      } finally {
        await site.close();
      }
    }
    const perSecond = median(near.map((load) => load.perSecond));
    const ratios: Ratio[] = [
      { name: 'messages per CPU-second of the runner to those of BatchProducer', ratio: median(shares), goal: 1 },
      { name: `with ${delay} ms between the sites to without`, ratio: median(far.map((load) => load.perSecond)) / perSecond, goal: 0.8 },
    ];
    const problem = mirrorProblem();
    if (problem === undefined) {
      const mirror = await mirrorLoad(cluster.path('kafka'), messages, BODY_BYTES, QUEUES, WARM_UP_SHARE);
      process.stdout.write(shown('MirrorMaker 2', { perSecond: mirror.perSecond, cpu: { worker: mirror.cpuMicros } }));
      ratios.push({ name: 'to MirrorMaker 2', ratio: perSecond / mirror.perSecond, goal: 2 });
    } else {
      process.stdout.write(`MirrorMaker 2: skipped, ${problem}\n`);
    }
    process.stdout.write("RocketMQ Connect's replicator: skipped, no build of it is started here\n");
    await untilProcessorsIdle(30_000);
    const { p50, p99, max } = await bench.latency(seconds * 2);
    const figures: Figure[] = [
      { what: 'copied', value: perSecond, unit: 'msg/s' },
      { what: `from send to reader at ${RATE} msg/s, p50`, value: p50, unit: 'ms' },
      { what: `from send to reader at ${RATE} msg/s, p99`, value: p99, unit: 'ms', atMost: 20 },
      { what: `from send to reader at ${RATE} msg/s, longest`, value: max, unit: 'ms' },
    ];
    printFigures(figures);
    checkRatios(ratios);
  } finally {
    await bench?.close();
    await source?.kill();
    await cluster.close();
  }
}
