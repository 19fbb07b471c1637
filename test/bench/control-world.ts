import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  emptyState,
  foldEntries,
  initialCoordinator,
  MAX_LEVEL,
  memberKey,
  step,
  type ClusterState,
  type CoordinatorSettings,
  type CoordinatorState,
  type Effect,
  type InputBody,
  type LogEvent,
  type ReadEntry,
  type Report,
  type TaskId,
  type TaskReport,
} from '@sluice/core';
import { decodeLogEntry, encodeLogChain, entryDigest } from '@sluice/protocol';
import { newTaskCounters } from '@sluice/runtime';

setFlagsFromString('--expose-gc');

/** Takes the garbage of the bench away before something is measured: others would pay for it. */
export const collectGarbage = runInNewContext('gc') as () => void;

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
 * A leader on a log that stores at once, with workers that report what they are given: what a step costs apart from the network. The fold of
 * its node is part of it.
 */
export class ControlWorld {
  now = 0;
  state: CoordinatorState;
  followed: ClusterState;
  readonly reads: ReadEntry[] = [];
  readonly effects: Effect[] = [];
  appendedBytes = 0;
  readonly #waiting: InputBody[] = [];
  readonly #reportSeqs = new Map<string, number>();
  #isTaking = false;

  constructor(
    readonly scale: Scale,
    settings: Partial<CoordinatorSettings> = {},
  ) {
    this.followed = emptyState();
    this.#writeAs({ epoch: 0, claimId: '' }, [{ kind: 'genesis', broker: 'broker-a' }]);
    const { seq, digest } = this.followed.head;
    const first = { epoch: 1, claimId: 'first' };
    this.#writeAs(first, [{ kind: 'claimed', nodeId: 'coordinator-0', incarnation: 'c0', after: { seq, digest } }]);
    this.#writeAs(first, [{ kind: 'cluster.version', level: MAX_LEVEL }]);
    for (const events of this.#clusterEvents()) this.#writeAs(first, events);
    this.state = initialCoordinator(coordinator, this.followed, { now: 0, wall: 0 }, settings);
  }

  /** A cluster that runs all its tasks, under a leader that has just taken over and has heard all workers. */
  static settled(scale: Scale, settings: Partial<CoordinatorSettings> = {}): ControlWorld {
    const world = new ControlWorld(scale, { snapshotEntries: 1e9, snapshotAgeMs: 1e12, ...settings });
    world.feed({ kind: 'reports.read', queue: 0, signs: [], storedAt: startedAt });
    world.feed({ kind: 'head.reached', sentAt: 0 });
    // A new leader assigns nothing before leases of what the log may have lost have ended.
    for (let second = 0; second < 6; second += 1) world.passSecond();
    return world;
  }

  workerId(at: number): { readonly nodeId: string; readonly incarnation: string } {
    const number = String(at).padStart(8, '0');
    return { nodeId: `source-runner-${number}`, incarnation: `${number}-0000-4000-8000-000000000000` };
  }

  /** As {@link take}; returns its milliseconds of CPU. */
  feed(body: InputBody): number {
    const before = process.cpuUsage();
    this.take(body);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }

  /** Steps an input and all that follows from it. */
  take(body: InputBody): void {
    this.#waiting.push(body);
    if (this.#isTaking) return;
    this.#isTaking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const result = step(this.state, { now: this.now, wall: startedAt + this.now, ...next });
      this.state = result.state;
      for (const effect of result.effects) this.#run(effect);
    }
    this.#isTaking = false;
  }

  /** Returns the milliseconds of CPU of its steps. */
  tick(ms: number): number {
    this.#reachHead(ms);
    return this.feed({ kind: 'tick' });
  }

  /** A tick that is not measured. */
  pass(ms: number, provesHead = true): void {
    if (provesHead) this.#reachHead(ms);
    else this.now += ms;
    this.take({ kind: 'tick' });
  }

  /** What a worker says now: it runs what it was given. */
  reportOf(at: number, more: Partial<Report> = {}): Report {
    const self = this.workerId(at);
    const reportSeq = (this.#reportSeqs.get(self.nodeId) ?? 0) + 1;
    this.#reportSeqs.set(self.nodeId, reportSeq);
    return {
      ...self,
      role: 'source-runner',
      reportSeq,
      sentAt: this.#wall,
      startedAt,
      http: '10.0.0.1:8080',
      leaving: false,
      capacity: 1,
      labels: { zone: `z${at % 3}` },
      plugins: [{ kind: 'source', name: 'FileStreamSource', aliases: ['FileSource'], version: '1.0.0' }],
      maxLevel: MAX_LEVEL,
      appliedSeq: this.followed.head.seq,
      tasks: this.runs(at),
      ...more,
    };
  }

  report(at: number, more: Partial<Report> = {}): number {
    const report = this.reportOf(at, more);
    return this.feed({ kind: 'reports.read', queue: at % 4, signs: [{ kind: 'report', report }] });
  }

  /** A second in which every worker reports. */
  passSecond(): void {
    this.reportAll();
    for (let tenth = 0; tenth < 10; tenth += 1) this.pass(100);
  }

  reportAll(): void {
    for (let at = 0; at < this.scale.workers; at += 1) {
      this.take({ kind: 'reports.read', queue: at % 4, signs: [{ kind: 'report', report: this.reportOf(at) }] });
    }
  }

  /** How many entries lie between two snapshots from now on. */
  setSnapshotEntries(snapshotEntries: number): void {
    this.state = { ...this.state, settings: { ...this.state.settings, snapshotEntries } };
  }

  /** What a worker runs, as it reports it. */
  runs(at: number): readonly TaskReport[] {
    const { tasks } = this.followed;
    return Array.from(tasks.heldBy(memberKey(this.workerId(at)))).flatMap((id) => {
      const assignment = tasks.find(id)?.assignment;
      if (assignment === undefined || assignment.revokedAt !== undefined) return [];
      const { generation } = assignment;
      return { id, generation, state: 'RUNNING', since: startedAt, committed: false, counters: idleCounters };
    });
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

  #reachHead(ms: number): void {
    this.now += ms;
    this.take({ kind: 'head.reached', sentAt: this.now });
  }

  get #wall(): number {
    return startedAt + this.now;
  }

  /** All that was said before: connectors with their tasks, workers, and who has what. */
  *#clusterEvents(): Generator<LogEvent[]> {
    const { tasks, connectors, workers } = this.scale;
    const tasksMax = tasks / connectors;
    for (let at = 0; at < workers; at += 1) {
      const { role, capacity, labels = {} } = this.reportOf(at, { tasks: [] });
      const plugins = ['FileStreamSource', 'FileSource'];
      yield [{ kind: 'member.joined', member: { ...this.workerId(at), role, capacity, labels, plugins } }];
    }
    const owned: (TaskId & { nodeId: string; incarnation: string })[] = [];
    for (let at = 0; at < connectors; at += 1) {
      const name = `connector-${at}`;
      const config = connectorConfig(name, tasksMax);
      const configVersion = this.followed.head.seq + 1;
      const own = Array.from({ length: tasksMax }, (_, index) => fileOf(index));
      yield [
        { kind: 'connector.put', name, type: 'source', config, targetState: 'RUNNING' },
        { kind: 'tasks.configured', name, configVersion, tasks: own },
      ];
      own.forEach((_, index) => owned.push({ connector: name, index, ...this.workerId(owned.length % workers) }));
    }
    for (let at = 0; at < owned.length; at += 250) yield [{ kind: 'tasks.assigned', tasks: owned.slice(at, at + 250) }];
    yield [{ kind: 'leader.resigned' }];
  }

  #writeAs(claim: { readonly epoch: number; readonly claimId: string }, events: readonly LogEvent[]): void {
    const { head } = this.followed;
    const chain = encodeLogChain({ logId: 'log-1', ...claim, at: startedAt }, head, events);
    const reads = decoded(
      head.offset,
      chain.map(({ body }) => body),
    );
    this.reads.push(...reads);
    this.followed = foldEntries(this.followed, reads).state;
  }

  #run(effect: Effect): void {
    if (effect.kind === 'append') this.#store(effect);
    else if (effect.kind === 'send-probe') {
      const probe = { incarnation: coordinator.incarnation, sentAt: effect.sentAt };
      this.#waiting.push({ kind: 'reports.read', queue: effect.queue, signs: [{ kind: 'probe', probe }] });
    }
    this.effects.push(effect);
  }

  #store({ appendId, events, after, logId, epoch, claimId, at }: Append): void {
    const bodies = encodeLogChain({ logId, epoch, claimId, at }, after, events).map(({ body }) => body);
    for (const { length } of bodies) this.appendedBytes += length;
    const first = this.followed.head.offset;
    const reads = decoded(first, bodies);
    const folded = foldEntries(this.followed, reads);
    this.followed = folded.state;
    this.reads.push(...reads);
    const lastOffset = first + reads.length;
    this.#waiting.push({ kind: 'append.settled', appendId, outcome: 'stored', lastOffset });
    this.#waiting.push({ kind: 'log.folded', ...folded, nextOffset: lastOffset + 1 });
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

export const idleCounters: Readonly<Record<string, number>> = { ...newTaskCounters() };

function fileOf(index: number): Readonly<Record<string, string>> {
  return { file: `/var/lib/exports/till-${index}.csv` };
}
