// npm run bench -- engine [--records N] [--seconds N]: numbered records of 1 KB from the generator through a topic into the verifier, at
// full speed and at 1,000 records a second; beside the bare client on the same broker, and beside what both connectors cost by themselves.
// npm run bench -- engine --transforms [--records N] [--rounds N]: JSON through two transforms on each side, beside Kafka Connect.
import { mkdirSync } from 'node:fs';
import { setTimeout as elapse } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RocketMqClient } from '@sluice/rocketmq';
import { cpuSeconds } from '../support/cpu-time.js';
import { type IsolatedCluster, SluiceCluster } from '../support/sluice-cluster.js';
import { VerifiedFlow } from '../support/verified-flow.js';
import type { LoadResult } from './client-load.js';
import type { ConnectorCosts } from './engine-load.js';
import { type Figure, printFigures } from './figure.js';
import { LoadProcess } from './load-process.js';
import { PULL_SETTINGS, useLimits } from './pull-limits.js';
import { transformBench } from './transforms.js';

const RECORD_BYTES = 1024;
const QUEUES = 4;
const BATCH = 64;
const PER_PULL = 512;
const IN_FLIGHT = 4;
/** Of the records at full speed, those that are not measured: processes have just started. */
const WARM_UP_SHARE = 0.3;
const RATE = 1_000;
const LIMIT_MS = 300_000;

interface Load {
  readonly perSecond: number;
  /** Microseconds of CPU per record, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

class EngineBench {
  constructor(
    private readonly cluster: IsolatedCluster,
    private readonly client: RocketMqClient,
  ) {}

  /** Names the topic in which {@link fullSpeed} leaves its records. */
  get topic(): string {
    return this.cluster.topic('full');
  }

  async fullSpeed(records: number): Promise<Load> {
    await this.client.admin.createTopic({ topic: this.topic, readQueues: QUEUES, writeQueues: QUEUES });
    const ofPartitions = new Array<number>(QUEUES).fill(records / QUEUES);
    const flow = await VerifiedFlow.start(
      this.cluster,
      { name: 'full', seed: 7, ofPartitions },
      {
        'tasks.max': '1',
        'record.size': String(RECORD_BYTES),
      },
      { 'tasks.max': '1' },
    );
    const { records: first } = await flow.until(WARM_UP_SHARE * records, LIMIT_MS);
    const [startedAt, before] = [performance.now(), this.#cpu()];
    // The next report of each queue may be a second away: the end is seen when the last one is written.
    const verdict = await flow.until(records, LIMIT_MS);
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = this.#cpu();
    if (!verdict.clean) throw new Error(`the verifier found ${JSON.stringify({ ...verdict, examples: verdict.examples.slice(0, 3) })}`);
    const measured = records - first;
    const cpu = Object.entries(before).map(([name, used]) => [name, (((after[name] ?? 0) - used) * 1e6) / measured] as const);
    return { perSecond: measured / seconds, cpu: Object.fromEntries(cpu) };
  }

  /** Returns the 99th percentile of the time from the making of a record to its arrival, in milliseconds, without the start-up. */
  async latency(seconds: number): Promise<{ readonly p50: number; readonly p99: number; readonly max: number }> {
    const records = RATE * seconds;
    const settings = { 'tasks.max': '1', rate: String(RATE), 'record.size': String(RECORD_BYTES) };
    const flow = await VerifiedFlow.start(this.cluster, { name: 'paced', seed: 8, ofPartitions: [records] }, settings, {
      'tasks.max': '1',
      'latency.warmup.ms': '10000',
    });
    const verdict = await flow.until(records, seconds * 1_000 + LIMIT_MS);
    if (!verdict.clean) throw new Error(`the verifier found ${JSON.stringify(verdict)}`);
    if (verdict.warmLatencyMs === undefined) throw new Error('no record came after the start-up');
    return verdict.warmLatencyMs;
  }

  /** Microseconds of CPU per message that a bare client takes to send such bodies. */
  async bareSend(seconds: number): Promise<number> {
    const topic = this.cluster.topic('bare');
    await this.client.admin.createTopic({ topic, readQueues: QUEUES, writeQueues: QUEUES });
    return this.#bare(['send', topic, BATCH, IN_FLIGHT], async (load) => {
      await elapse(seconds * 1_000);
      load.finish();
    });
  }

  /** The same for reading what the flow at full speed has left. */
  barePull(records: number): Promise<number> {
    return this.#bare(['pull', this.topic, PER_PULL, records / QUEUES], () => Promise.resolve());
  }

  async connectors(records: number): Promise<ConnectorCosts> {
    const reports = this.cluster.path('alone');
    mkdirSync(reports);
    const script = fileURLToPath(new URL('./engine-load.js', import.meta.url));
    const load = new LoadProcess(process.execPath, [script, String(records), String(RECORD_BYTES), reports]);
    try {
      return JSON.parse(await load.nextLine()) as ConnectorCosts;
    } finally {
      await load.kill();
    }
  }

  async #bare([mode, topic, ...numbers]: [string, string, ...number[]], during: (load: LoadProcess) => Promise<void>): Promise<number> {
    const script = fileURLToPath(new URL('./client-load.js', import.meta.url));
    const load = new LoadProcess(process.execPath, [
      script,
      mode,
      this.cluster.rocketmq.namesrv,
      topic,
      String(QUEUES),
      ...numbers.map(String),
    ]);
    try {
      await load.nextLine();
      load.begin();
      await during(load);
      const { cpuMicros, messages } = JSON.parse(await load.nextLine()) as LoadResult;
      return cpuMicros / messages;
    } finally {
      await load.kill();
    }
  }

  #cpu(): Readonly<Record<string, number>> {
    return {
      source: cpuSeconds(this.cluster.role('source-runner-1').pid),
      sink: cpuSeconds(this.cluster.role('sink-runner-1').pid),
      broker: cpuSeconds(this.cluster.rocketmq.pids.broker ?? 0),
    };
  }
}

/**
 * Runs the bench and prints its figures with their goals.
 *
 * @throws Error when a record is lost, duplicate, out of order or damaged, or as {@link transformBench}
 */
export async function engineBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      transforms: { type: 'boolean', default: false },
      records: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '70' },
    },
  });
  if (values.transforms) return transformBench({ lines: Number(values.records ?? 1_000_000), rounds: Number(values.rounds) });
  const [records, seconds] = [Number(values.records ?? 2_000_000), Number(values.seconds)];
  if (!Number.isInteger(records / QUEUES)) throw new Error(`--records: ${records} given; allowed are multiples of ${QUEUES}`);
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  try {
    const bench = new EngineBench(cluster, client);
    // The bare client's.
    await client.admin.createGroup({ group: 'bench' });
    const [limits] = PULL_SETTINGS;
    if (limits !== undefined) process.stdout.write(`${await useLimits(client, limits)}\n`);
    const latency = await bench.latency(seconds);
    const full = await bench.fullSpeed(records);
    const bare = { source: await bench.bareSend(10), sink: await bench.barePull(records) };
    const own = await bench.connectors(Math.min(records, 400_000));
    printFigures([
      { what: `generator to verifier, records of ${RECORD_BYTES} B`, value: full.perSecond, unit: 'records/s', atLeast: 60_000 },
      { what: `latency at ${RATE} records/s, p50`, value: latency.p50, unit: 'ms' },
      { what: `latency at ${RATE} records/s, p99`, value: latency.p99, unit: 'ms', atMost: 10 },
      { what: `latency at ${RATE} records/s, longest`, value: latency.max, unit: 'ms' },
      { what: 'broker: CPU per record', value: full.cpu['broker'] ?? NaN, unit: 'us' },
      ...sideFigures('source', full.cpu['source'] ?? NaN, bare.source, { name: 'generator', micros: own.generator }),
      ...sideFigures('sink', full.cpu['sink'] ?? NaN, bare.sink, { name: 'verifier', micros: own.verifier }),
    ]);
  } finally {
    await client.close();
    await cluster.close();
  }
}

function sideFigures(side: string, whole: number, bare: number, connector: { readonly name: string; readonly micros: number }): Figure[] {
  const added = whole - bare - connector.micros;
  return [
    { what: `${side} runner: CPU per record`, value: whole, unit: 'us' },
    { what: `  bare client on that side`, value: bare, unit: 'us' },
    { what: `  the ${connector.name} by itself`, value: connector.micros, unit: 'us' },
    { what: `  what the runtime adds on the ${side} side`, value: added, unit: 'us', atMost: 2 },
  ];
}
