// npm run bench -- isolation [--seconds N]: how late records of other threads are while a task spins, beside how late they are without it, in
// the same run; then how soon the thread of the task ends, its tasks run again, and a call that waits without end is named and ended.
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RocketMqClient } from '@sluice/rocketmq';
import { decodeVerificationRecord } from '@sluice/verification';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';
import { SupportRunner } from '../support/support-runner.js';
import { VerifiedFlow } from '../support/verified-flow.js';
import { type Figure, printFigures } from './figure.js';

const THREADS = 3;
/** Of each task, in records per second. */
const RATE = 500;
const RECORDS = RATE * 600;
const SEED = 11;
const WARM_UP_MS = 10_000;
const STALL_MS = 2_000;
/** A call is named after 10 s. */
const NAMED_AFTER_MS = 10_000;
const CALL_TIMEOUT_MS = 15_000;
const LIMIT_MS = 180_000;
const FLOW = 'steady';
/** The flow's source connector. */
const SOURCE = `${FLOW}-in`;

interface TaskStatus {
  readonly id: number;
  readonly state: string;
  readonly generation: number;
  readonly last_error?: { readonly message: string };
  readonly waits?: readonly { readonly call: string }[];
}

/** When a record was made and when the broker stored it, in milliseconds since the epoch. */
interface Stored {
  readonly partition: number;
  readonly seq: number;
  readonly createdMs: number;
  readonly storedMs: number;
}

interface Spin {
  readonly fromMs: number;
  readonly toMs: number;
  readonly cpuMs: number;
  readonly againMs: number;
  /** Partitions whose tasks ran in other threads. */
  readonly spared: readonly number[];
}

class IsolationBench {
  constructor(
    private readonly cluster: IsolatedCluster,
    private readonly client: RocketMqClient,
    private readonly runner: SupportRunner,
  ) {}

  async run(quietMs: number): Promise<readonly Figure[]> {
    const topic = this.cluster.topic(FLOW);
    await this.client.admin.createTopic({ topic, readQueues: THREADS, writeQueues: THREADS });
    await this.#warmRunner();
    const flow = await VerifiedFlow.start(
      this.cluster,
      { name: FLOW, seed: SEED, ofPartitions: new Array<number>(THREADS).fill(RECORDS) },
      { 'tasks.max': String(THREADS), rate: String(RATE) },
      { 'tasks.max': '1' },
    );
    await flow.until(1, LIMIT_MS);
    await delay(WARM_UP_MS);
    const quietFromMs = Date.now();
    await delay(quietMs);
    const spin = await this.#spin();
    const hang = await this.#hang();
    const { partitions } = await flow.verdict();
    const ending = await flow.endAt((Math.max(...partitions.map(({ last = 0 }) => last)) + RATE * 8) * THREADS);
    const verdict = await ending.until(ending.records, LIMIT_MS);
    if (!verdict.clean) throw new Error(`the verifier found ${JSON.stringify({ ...verdict, examples: verdict.examples.slice(0, 3) })}`);
    const stored = await this.#stored(topic);
    const quiet = lateness(stored, spin.spared, quietFromMs, { fromMs: quietFromMs, toMs: quietFromMs + quietMs });
    const beside = lateness(stored, spin.spared, quietFromMs, spin);
    return [
      { what: 'p99 of records, without a task that spins', value: quiet, unit: 'ms' },
      { what: 'p99 of records of other threads while it spins', value: beside, unit: 'ms', atMost: 50 },
      { what: '  times as late as without it', value: beside / quiet, unit: '' },
      { what: 'CPU time of the task until its thread ended', value: spin.cpuMs, unit: 'ms' },
      { what: 'tasks of its thread run again after its end', value: spin.againMs, unit: 'ms' },
      { what: 'a call that waits without end is named after', value: hang.namedMs, unit: 'ms' },
      { what: `... and ended, with a limit of ${CALL_TIMEOUT_MS} ms, after`, value: hang.endedMs, unit: 'ms' },
    ];
  }

  /** Resolves when the runner is known to have the faulty source. */
  async #warmRunner(): Promise<void> {
    await this.runner.create('probe', { 'connector.class': 'FaultySource', fault: 'hang', 'done.file': '/dev/null' });
    await this.cluster.request('DELETE', '/connectors/probe');
  }

  async #spin(): Promise<Spin> {
    const before = await this.#tasks(SOURCE);
    const file = await this.#commit('spin');
    const failed = await this.#untilTask('spin', ({ last_error: error }) => error !== undefined);
    const toMs = Date.now();
    const used = /used the CPU for ([\d,]+) ms/.exec(failed.last_error?.message ?? '')?.[1];
    if (used === undefined) throw new Error(`the task did not end for its CPU time: ${failed.last_error?.message ?? ''}`);
    await this.#untilTask('spin', ({ state }) => state === 'RUNNING');
    let tasks = before;
    const after = await until(
      'the tasks of its thread run again',
      async () => {
        tasks = await this.#tasks(SOURCE);
        const isAgain = tasks.some(({ generation }, index) => generation > (before[index]?.generation ?? Infinity));
        return isAgain && tasks.every(({ state }) => state === 'RUNNING') && tasks;
      },
      LIMIT_MS,
      () => `Before: ${JSON.stringify(before)}; now: ${JSON.stringify(tasks)}. ${this.runner.log.slice(-4000)}`,
    );
    const spared = after.filter(({ generation }, index) => generation === before[index]?.generation).map(({ id }) => id);
    const fromMs = (await stat(file)).mtimeMs;
    return { fromMs, toMs, cpuMs: Number(used.replaceAll(',', '')), againMs: Date.now() - toMs, spared };
  }

  async #hang(): Promise<{ readonly namedMs: number; readonly endedMs: number }> {
    const file = await this.#commit('hang');
    const { waits = [] } = await this.#untilTask('hang', ({ waits: named = [] }) => named.length > 0);
    const namedMs = Date.now();
    if (waits[0]?.call !== 'poll') throw new Error(`the status names ${JSON.stringify(waits)} instead of poll`);
    await this.#untilTask('hang', ({ last_error: error }) => error !== undefined);
    const endedMs = Date.now();
    const { mtimeMs } = await stat(file);
    if (namedMs - mtimeMs < NAMED_AFTER_MS) throw new Error(`the call is named after ${namedMs - mtimeMs} ms`);
    return { namedMs: namedMs - mtimeMs, endedMs: endedMs - mtimeMs };
  }

  /** Has a task commit a fault. @returns the file that it makes when it begins to */
  async #commit(fault: string): Promise<string> {
    const file = this.cluster.path(fault);
    await this.runner.create(fault, {
      'connector.class': 'FaultySource',
      fault,
      'done.file': file,
      'restart.backoff.initial.ms': '200',
    });
    return file;
  }

  async #untilTask(connector: string, condition: (task: TaskStatus) => boolean): Promise<TaskStatus> {
    let tasks: readonly TaskStatus[] = [];
    return until(
      `the task of ${connector} is as expected`,
      async () => {
        tasks = await this.#tasks(connector);
        return tasks.find(condition);
      },
      LIMIT_MS,
      () => JSON.stringify(tasks) + this.runner.log.slice(-2000),
    );
  }

  async #tasks(connector: string): Promise<readonly TaskStatus[]> {
    const { body } = await this.cluster.request('GET', `/connectors/${connector}/status`);
    return (body as { tasks?: readonly TaskStatus[] }).tasks ?? [];
  }

  /** All records of the topic. */
  async #stored(topic: string): Promise<readonly Stored[]> {
    const records: Stored[] = [];
    const { brokerName } = this.cluster.rocketmq;
    for (let queueId = 0; queueId < THREADS; queueId += 1) {
      const reader = this.client.consumer.readQueue({ topic, brokerName, queueId }, { from: 0, group: 'bench' });
      for (let isMore = true; isMore;) {
        for (const message of await reader.next({ timeoutMs: 5_000 })) {
          const decoded = decodeVerificationRecord(message.body);
          if (!decoded.ok) continue;
          const { partition, seq, createdMs } = decoded.numbers;
          records.push({ partition, seq, createdMs, storedMs: message.storeTimestamp });
        }
        isMore = reader.position < (reader.maxOffset ?? Infinity);
      }
      reader.close();
    }
    return records;
  }
}

/**
 * Returns the 99th percentile of the time from when a record was due until the broker stored it, in milliseconds. After a stall the generator
 * makes what is due in one go. By the times at which records were made, a stalled thread would look quick.
 */
function lateness(
  stored: readonly Stored[],
  partitions: readonly number[],
  quietFromMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  const intervalMs = 1_000 / RATE;
  const late = partitions.flatMap((partition) => {
    const own = stored.filter((record) => record.partition === partition && record.createdMs >= quietFromMs);
    // No record is made before it is due: the earliest one gives the schedule.
    const startMs = own.reduce((least, { seq, createdMs }) => Math.min(least, createdMs - seq * intervalMs), Infinity);
    const dueMs = (seq: number): number => startMs + seq * intervalMs;
    return own.filter(({ seq }) => dueMs(seq) >= fromMs && dueMs(seq) < toMs).map(({ seq, storedMs }) => storedMs - dueMs(seq));
  });
  const sorted = Float64Array.from(late).sort();
  const p99 = sorted[Math.floor(sorted.length * 0.99)];
  if (p99 === undefined) throw new Error('no records of other threads');
  return p99;
}

/** Runs the bench and prints its figures. @throws Error when a record is lost or duplicate, or a fault is not met as promised */
export async function isolationBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string', default: '10' } } });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds: ${values.seconds} given; allowed are numbers above 0`);
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  let runner: SupportRunner | undefined;
  try {
    await client.admin.createGroup({ group: 'bench' });
    await cluster.role('source-runner-1').kill('SIGTERM');
    runner = new SupportRunner(cluster, new URL('../support/faulty-source-runner.js', import.meta.url), 'threaded-sources', {
      SLUICE_TASK_THREADS: String(THREADS),
      SLUICE_TASK_STALL_MS: String(STALL_MS),
      SLUICE_TASK_CALL_TIMEOUT_MS: String(CALL_TIMEOUT_MS),
    });
    printFigures(await new IsolationBench(cluster, client, runner).run(seconds * 1_000));
  } finally {
    runner?.kill('SIGKILL');
    await client.close();
    await cluster.close();
  }
}
