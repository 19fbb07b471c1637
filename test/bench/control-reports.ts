import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DesiredTasks, LatestReports, MAX_LEVEL, type ClusterState, type Report, reportIntervalMs } from '@sluice/core';
import { NodeStore, StatePersister } from '@sluice/node';
import { ReportAssembler, reportLimits, reportsQueueOf, ReportWriter, topicsOf } from '@sluice/protocol';
import { silent, untilWritten } from './control-node.js';
import { collectGarbage, foldRenewal, idleCounters, type ControlWorld } from './control-world.js';
import type { Figure } from './figure.js';

const topics = topicsOf('default');
const reportQueues = topics.reports.queues;
/** What a broker stores beside the body: head of the record, topic, unique key, and the entry of the queue's index. */
const messageOverhead = 91 + topics.reports.name.length + 43 + 20;
/** A coordinator asks for the log's head every half second. */
const HEAD_TENTHS = 5;
const IDLE_SECONDS = 12;
/** Seconds before the measured ones, in which Node.js compiles the code. */
const WARM_UP_SECONDS = 4;

/** Bytes that the reports of all workers take in 72 h while every task moves records. */
export function reportFigures(world: ControlWorld): Figure[] {
  const reports = 600;
  const everyMs = reportIntervalMs(world.scale.workers, MAX_LEVEL);
  const volume = (areMoving: boolean): number => {
    const writer = new ReportWriter<Report>();
    const base = world.reportOf(world.scale.workers - 1);
    let bytes = 0;
    for (let sent = 0; sent < reports; sent += 1) {
      const moved = (factor: number): number => (areMoving ? Math.round((sent * everyMs) / 1_000) * factor : 0);
      const tasks = base.tasks.map((task, at) => ({
        ...task,
        counters: {
          ...idleCounters,
          recordsPolled: moved(997 + at),
          recordsSent: moved(991 + at),
          bytesSent: moved(105_131 + 17 * at),
          batchesSent: moved(13),
          positionWrites: moved(7),
        },
      }));
      const report = { ...base, tasks, reportSeq: sent + 1, sentAt: base.sentAt + everyMs * sent };
      const told = { ...report, appliedSeq: base.appliedSeq + sent };
      for (const { length } of writer.messagesOf(told, sent * everyMs, true, everyMs)) bytes += length + messageOverhead;
    }
    return (bytes * world.scale.workers * 72 * 3_600_000) / (reports * everyMs) / 1e9;
  };
  return [
    { what: 'reports: volume in 72 h, all tasks busy', value: volume(true), unit: 'GB', atMost: 100 },
    { what: 'reports: volume in 72 h, all tasks idle', value: volume(false), unit: 'GB', atMost: 100 },
  ];
}

/** CPU of a second in which nothing happens, by role: reports, the leader's renewal, ticks and files; without the client's own work. */
export async function idleFigures(world: ControlWorld): Promise<Figure[]> {
  const told = toldBy(world);
  // What the clock of the bench, and this world that is no part of a node, take by themselves.
  const nothing = await idle(told, { state: world.followed, tenth: () => undefined });
  const above = async (node: IdleNode): Promise<number> => Math.max(0, (await idle(told, node)) - nothing);
  const leader = await above(new LeadingNode(world));
  const gateway = await above(new GatewayNode(world.followed));
  const runner = await above(new RunnerNode(world));
  return [
    { what: 'idle second of the leader', value: leader, unit: 'ms', atMost: 10 },
    { what: 'idle second of a gateway', value: gateway, unit: 'ms', atMost: 10 },
    { what: 'idle second of a runner', value: runner, unit: 'ms', atMost: 10 },
  ];
}

interface IdleNode {
  readonly state: ClusterState;
  /** A tenth of a second has passed, in which the others reported something. */
  tenth(told: ToldInTenth, isSecond: boolean): void;
}

class LeadingNode implements IdleNode {
  readonly #assemblers = Array.from({ length: reportQueues }, () => new ReportAssembler<Report>());
  #tenths = 0;
  constructor(private readonly world: ControlWorld) {}

  get state(): ClusterState {
    return this.world.followed;
  }

  tenth(told: ToldInTenth): void {
    const { world } = this;
    world.pass(100, this.#tenths % HEAD_TENTHS === 0);
    this.#tenths += 1;
    for (const [queue, assembler] of this.#assemblers.entries()) {
      const signs = told[queue]?.received().map((body) => assembler.read(body, world.now)) ?? [];
      if (signs.length > 0) world.take({ kind: 'reports.read', queue, signs });
    }
  }
}

class GatewayNode implements IdleNode {
  readonly #assemblers = Array.from({ length: reportQueues }, () => new ReportAssembler<Report>());
  readonly #latest = new LatestReports();
  #nowMs = 0;
  constructor(public state: ClusterState) {}

  tenth(told: ToldInTenth, isSecond: boolean): void {
    this.#nowMs += 100;
    for (const [queue, assembler] of this.#assemblers.entries()) {
      for (const body of told[queue]?.received() ?? []) {
        const heard = assembler.read(body, this.#nowMs);
        if (heard.kind === 'report') this.#latest.take(heard.report);
      }
    }
    if (isSecond) this.state = foldRenewal(this.state);
  }
}

class RunnerNode implements IdleNode {
  #tenths = 0;
  readonly #writer = new ReportWriter<Report>();
  readonly #desired: DesiredTasks;
  state: ClusterState;

  constructor(private readonly world: ControlWorld) {
    this.state = world.followed;
    this.#desired = new DesiredTasks(world.workerId(world.scale.workers - 1));
    // A node that has just started looks at all tasks once: that is no idle second.
    this.#desired.in(this.state);
  }

  tenth(_told: ToldInTenth, isSecond: boolean): void {
    const { world } = this;
    this.#tenths += 1;
    if (!isSecond) return;
    this.state = foldRenewal(this.state);
    this.#desired.in(this.state);
    const report = world.reportOf(world.scale.workers - 1, { appliedSeq: this.state.head.seq });
    this.#writer.messagesOf(report, this.#tenths * 100, true, reportIntervalMs(world.scale.workers, MAX_LEVEL));
  }
}

/** The messages of a tenth of a second by queue: what a reader that pauses on busy queues is given by one pull of each. */
type ToldInTenth = readonly Answer[];

/** Messages as one answer to a pull, of which a client gives out pieces: it has just come in when it is read. */
class Answer {
  readonly #bytes: Buffer;
  readonly #lengths: readonly number[];

  constructor(messages: readonly Buffer[]) {
    this.#bytes = Buffer.concat(messages);
    this.#lengths = messages.map(({ length }) => length);
  }

  received(): Buffer[] {
    const bytes = Buffer.from(this.#bytes);
    let end = 0;
    return this.#lengths.map((length) => bytes.subarray(end, (end += length)));
  }
}

/** What all workers report, made before: only reading it is measured. */
interface Told {
  /** All that each of them says first. */
  readonly first: ToldInTenth;
  readonly tenths: readonly ToldInTenth[];
}

function toldBy(world: ControlWorld): Told {
  const everyMs = reportIntervalMs(world.scale.workers, MAX_LEVEL);
  const writers = Array.from({ length: world.scale.workers }, () => new ReportWriter<Report>());
  const messages = (at: number, tenth: number): readonly Buffer[] =>
    writers[at]?.messagesOf(world.reportOf(at), tenth * 100 + at, true, everyMs) ?? [];
  const queueOf = writers.map((_, at) => reportsQueueOf(world.workerId(at).nodeId, topics));
  const byQueue = (told: (at: number) => readonly Buffer[]): ToldInTenth =>
    Array.from(
      { length: reportQueues },
      (_, queue) => new Answer(writers.flatMap((_writer, at) => (queueOf[at] === queue ? told(at) : []))),
    );
  const period = Math.round(everyMs / 100);
  // Each node reports its whole state at another moment.
  const fullAfter = reportLimits.fullAfterIntervals;
  const first = byQueue((at) => messages(at, -(at % (fullAfter * period))));
  const tenths = Array.from({ length: 10 * (WARM_UP_SECONDS + IDLE_SECONDS) }, (_, tenth) =>
    byQueue((at) => (at % period === tenth % period ? messages(at, tenth) : [])),
  );
  return { first, tenths };
}

/**
 * In real time, with the files as a node writes them. A full garbage collection goes through all that the bench has made before: seconds with
 * one do not count.
 */
async function idle({ first, tenths }: Told, node: IdleNode): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const store = await NodeStore.open(root, 'bench');
  const intervals = { config: 5_000, position: 5_000, offset: 5_000 };
  const persister = new StatePersister(store, () => node.state, {}, intervals, silent);
  node.tenth(first, false);
  persister.start();
  const collections = new FullCollections();
  const seconds: number[] = [];
  try {
    await untilWritten(store);
    collectGarbage();
    let cpu = 0;
    for (const [tenth, bodies] of tenths.entries()) {
      const before = process.cpuUsage();
      node.tenth(bodies, tenth % 10 === 0);
      await delay(95);
      const { user, system } = process.cpuUsage(before);
      cpu += (user + system) / 1_000;
      if (tenth % 10 < 9) continue;
      if (!collections.take() && tenth >= 10 * WARM_UP_SECONDS) seconds.push(cpu);
      cpu = 0;
    }
  } finally {
    collections.stop();
    await persister.stop();
    await store.close();
    await rm(root, { recursive: true, force: true });
  }
  if (seconds.length < IDLE_SECONDS / 2) throw new Error('full garbage collections took most of the seconds');
  return seconds.reduce((sum, cpu) => sum + cpu, 0) / seconds.length;
}

/** Node.js types the detail of an entry only for users' own marks. */
const kindOf = (entry: PerformanceEntry): number => (entry as unknown as { readonly detail: { readonly kind: number } }).detail.kind;

/** Notices full garbage collections, and the steps that mark for one. */
class FullCollections {
  #hasRun = false;
  readonly #observer = new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => FULL_COLLECTIONS.has(kindOf(entry)))) {
      this.#hasRun = true;
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Whether one has run since the call before. */
  take(): boolean {
    const hasRun = this.#hasRun;
    this.#hasRun = false;
    return hasRun;
  }

  stop(): void {
    this.#observer.disconnect();
  }
}

const FULL_COLLECTIONS: ReadonlySet<number> = new Set([constants.NODE_PERFORMANCE_GC_MAJOR, constants.NODE_PERFORMANCE_GC_INCREMENTAL]);
