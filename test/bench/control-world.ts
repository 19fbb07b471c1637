import {
  emptyState,
  foldEntries,
  initialCoordinator,
  MAX_LEVEL,
  step,
  type ClusterState,
  type CoordinatorSettings,
  type CoordinatorState,
  type Effect,
  type InputBody,
  type LogEvent,
  type ReadEntry,
  type Report,
  type TaskReport,
} from '@sluice/core';
import { decodeLogEntry, encodeLogChain, entryDigest } from '@sluice/protocol';

/** How large a simulated cluster is. */
export interface Scale {
  readonly tasks: number;
  readonly connectors: number;
  readonly workers: number;
}

type Append = Extract<Effect, { kind: 'append' }>;

const startedAt = Date.UTC(2030, 0, 1);

/** Settings such as real connectors have: most of them are the same for all tasks of a connector. */
export function connectorConfig(name: string, tasksMax: number): Readonly<Record<string, string>> {
  return {
    'connector.class': 'FileStreamSource',
    'tasks.max': String(tasksMax),
    topic: `orders-${name}`,
    directory: `/var/lib/exports/${name}`,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'errors.tolerance': 'all',
    'errors.retry.timeout': '600000',
    'errors.deadletterqueue.topic.name': `dead-${name}`,
    'restart.max.attempts': '10',
    description: `Orders of branch ${name}, one file per till and day`,
  };
}

/**
 * A leader on a log that stores at once, with workers that report what they are given: what a step costs apart from the network. Both folds of
 * the product, the follower's and the coordinator's, are made.
 */
export class ControlWorld {
  now = 0;
  state: CoordinatorState;
  followed: ClusterState;
  readonly reads: ReadEntry[] = [];
  readonly effects: Effect[] = [];
  appendedBytes = 0;
  private readonly waiting: InputBody[] = [];
  private readonly reportSeqs = new Map<string, number>();
  private isFeeding = false;
  private held: ReturnType<typeof heldTasks> = new Map();
  private heldOf: ClusterState['tasks'] | undefined;

  constructor(
    readonly scale: Scale,
    settings: Partial<CoordinatorSettings> = {},
  ) {
    const bodies = encodeLogChain({ logId: 'log-1', epoch: 0, claimId: '', at: startedAt }, { seq: -1, digest: '' }, [
      { kind: 'genesis', broker: 'broker-a' },
    ]);
    this.followed = foldEntries(
      emptyState(),
      decoded(
        -1,
        bodies.map(({ body }) => body),
      ),
    ).state;
    this.state = initialCoordinator(coordinator, this.followed, 0, settings);
  }

  /** A cluster that runs all its tasks. */
  static settled(scale: Scale, settings: Partial<CoordinatorSettings> = {}): ControlWorld {
    const world = new ControlWorld(scale, { snapshotEntries: 1e9, snapshotAgeMs: 1e12, ...settings });
    world.feed({ kind: 'head.reached', sentAt: 0 });
    world.tick(100);
    world.reportAll();
    world.tick(100);
    world.define();
    world.untilAssigned();
    world.reportAll();
    return world;
  }

  workerId(at: number): { readonly nodeId: string; readonly incarnation: string } {
    const number = String(at).padStart(8, '0');
    return { nodeId: `source-runner-${number}`, incarnation: `${number}-0000-4000-8000-000000000000` };
  }

  /** Steps an input and all that follows from it; in milliseconds of CPU. */
  feed(body: InputBody): number {
    this.waiting.push(body);
    if (this.isFeeding) return 0;
    this.isFeeding = true;
    const before = process.cpuUsage();
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const result = step(this.state, { ...next, now: this.now, wall: startedAt + this.now });
      this.state = result.state;
      for (const effect of result.effects) this.run(effect);
    }
    this.isFeeding = false;
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }

  tick(ms: number): number {
    this.now += ms;
    this.feed({ kind: 'head.reached', sentAt: this.now });
    return this.feed({ kind: 'tick' });
  }

  /** Entries of the leader that its decisions did not make. */
  write(...events: readonly LogEvent[]): void {
    const { logId, epoch, claimId } = this.followed;
    this.store({
      kind: 'append',
      appendId: 0,
      events,
      after: this.followed.head,
      logId,
      epoch,
      claimId,
      at: this.wall,
    });
  }

  /** What a worker says now: it runs what it was given. */
  reportOf(at: number, more: Partial<Report> = {}): Report {
    const self = this.workerId(at);
    const reportSeq = (this.reportSeqs.get(self.nodeId) ?? 0) + 1;
    this.reportSeqs.set(self.nodeId, reportSeq);
    return {
      ...self,
      role: 'source-runner',
      reportSeq,
      sentAt: this.wall,
      startedAt,
      http: '10.0.0.1:8080',
      leaving: false,
      capacity: 1,
      labels: { zone: `z${String(at % 3)}` },
      plugins: [{ kind: 'source', name: 'FileStreamSource', aliases: ['FileSource'], version: '1.0.0' }],
      maxLevel: MAX_LEVEL,
      appliedSeq: this.followed.head.seq,
      tasks: this.runs(at),
      ...more,
    };
  }

  report(at: number, more: Partial<Report> = {}): number {
    return this.feed({ kind: 'report.read', queue: at % 4, report: this.reportOf(at, more) });
  }

  reportAll(): void {
    for (let at = 0; at < this.scale.workers; at += 1) this.report(at);
  }

  /** From now on a snapshot is due. */
  allowSnapshots(): void {
    this.state = { ...this.state, settings: { ...this.state.settings, snapshotEntries: 1 } };
  }

  /** What a worker runs, as it reports it. */
  runs(at: number): readonly TaskReport[] {
    return this.heldBy(at).map(({ connector, index, generation }) => ({
      id: { connector, index },
      generation,
      state: 'RUNNING',
      since: startedAt,
      committed: false,
      counters: idleCounters,
    }));
  }

  untilAssigned(): void {
    for (let turn = 0; turn < 10_000; turn += 1) {
      this.tick(50);
      if ([...this.followed.tasks.values()].every(({ assignment }) => assignment !== undefined)) {
        this.tick(50);
        return;
      }
    }
    throw new Error('the tasks are not assigned');
  }

  private get wall(): number {
    return startedAt + this.now;
  }

  private define(): void {
    const { tasks, connectors } = this.scale;
    const tasksMax = tasks / connectors;
    for (let at = 0; at < connectors; at += 1) {
      const name = `connector-${String(at)}`;
      const config = connectorConfig(name, tasksMax);
      this.write({ kind: 'connector.put', name, type: 'source', config, targetState: 'RUNNING' });
      const configVersion = this.followed.head.seq;
      const tasks = Array.from({ length: tasksMax }, (_, index) => taskOf(config, index));
      this.write({ kind: 'tasks.configured', name, configVersion, tasks });
    }
  }

  private heldBy(at: number): readonly { connector: string; index: number; generation: number }[] {
    const { nodeId } = this.workerId(at);
    this.held = this.heldOf === this.followed.tasks ? this.held : heldTasks(this.followed);
    this.heldOf = this.followed.tasks;
    return this.held.get(nodeId) ?? [];
  }

  private run(effect: Effect): void {
    if (effect.kind === 'append') this.store(effect);
    else if (effect.kind === 'send-probe') {
      this.waiting.push({ kind: 'probe.returned', queue: effect.queue, sentAt: effect.sentAt });
    }
    this.effects.push(effect);
  }

  private store({ appendId, events, after, logId, epoch, claimId, at }: Append): void {
    const bodies = encodeLogChain({ logId, epoch, claimId, at }, after, events).map(({ body }) => body);
    for (const { length } of bodies) this.appendedBytes += length;
    const first = this.followed.head.offset;
    const reads = decoded(first, bodies);
    this.followed = foldEntries(this.followed, reads).state;
    this.reads.push(...reads);
    const lastOffset = first + reads.length;
    this.waiting.push({ kind: 'append.settled', appendId, outcome: 'stored', lastOffset });
    if (appendId === 0) this.feed({ kind: 'log.read', reads, nextOffset: lastOffset + 1 });
    else this.waiting.push({ kind: 'log.read', reads, nextOffset: lastOffset + 1 });
  }
}

function decoded(after: number, bodies: readonly Buffer[]): ReadEntry[] {
  return bodies.map((body, i) => ({
    offset: after + 1 + i,
    digest: entryDigest(body),
    entry: decodeLogEntry<LogEvent>(body),
  }));
}

/** The leader's renewal as another node reads and folds it. */
export function foldRenewal(state: ClusterState): ClusterState {
  const { logId, epoch, claimId, head } = state;
  const renewal: LogEvent = { kind: 'lease.renewed' };
  const [entry] = encodeLogChain({ logId, epoch, claimId, at: startedAt }, head, [renewal]);
  return entry === undefined ? state : foldEntries(state, decoded(head.offset, [entry.body])).state;
}

const coordinator = { nodeId: 'coordinator-1', incarnation: '00000000-0000-4000-8000-00000000c001' };

export const idleCounters: Readonly<Record<string, number>> = {
  recordsPolled: 0,
  recordsSent: 0,
  bytesSent: 0,
  batchesSent: 0,
  sendRetries: 0,
  unknownOutcomes: 0,
  positionWrites: 0,
  bufferedRecords: 0,
  bufferedBytes: 0,
  recordsRead: 0,
  bytesRead: 0,
  recordsPut: 0,
  putRetries: 0,
  flushes: 0,
  offsetCommits: 0,
  droppedOlderGeneration: 0,
  droppedRepeatedSeq: 0,
  recordsLost: 0,
  conversionErrors: 0,
  recordsSkipped: 0,
  incompleteScans: 0,
};

function taskOf(config: Readonly<Record<string, string>>, index: number): Readonly<Record<string, string>> {
  return { ...config, file: `/var/lib/exports/till-${String(index)}.csv` };
}

function heldTasks({ tasks }: ClusterState): Map<string, { connector: string; index: number; generation: number }[]> {
  const held = new Map<string, { connector: string; index: number; generation: number }[]>();
  for (const { id, assignment } of tasks.values()) {
    if (assignment === undefined || assignment.revokedAt !== undefined) continue;
    const own = held.get(assignment.nodeId) ?? [];
    held.set(assignment.nodeId, own);
    own.push({ ...id, generation: assignment.generation });
  }
  return held;
}
