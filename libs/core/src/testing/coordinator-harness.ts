import type { Effect } from '../coordinator/effect.js';
import type { InputBody, ReportsSign } from '../coordinator/input.js';
import type { CoordinatorSettings } from '../coordinator/settings.js';
import { initialCoordinator, type CoordinatorState } from '../coordinator/state.js';
import { step } from '../coordinator/step.js';
import { foldEntries } from '../log/fold.js';
import type { Command, CommandBody, CommandOutcome } from '../model/command.js';
import { eventsIn, type LogEvent, type ReadEntry } from '../model/entry.js';
import { MAX_LEVEL } from '../model/feature-level.js';
import type { Report, TaskReport } from '../model/report.js';
import { LogWriter } from './log-writer.js';

/** A little more than a leader waits before it assigns tasks. */
export const UNTIL_GIVING_MS = 3_100;

type Append = Extract<Effect, { kind: 'append' }>;

/** One coordinator on a log that a spec writes; time moves only when the spec says so. */
export class CoordinatorHarness {
  state: CoordinatorState;
  now = 0;
  wall = 1_000_000_000;
  readonly effects: Effect[] = [];
  /** Whether appends are stored and read back as soon as they are made. */
  isStoring = true;
  /** Whether probes come back. */
  isProbing = true;
  #commandOffset = 0;
  readonly #reportSeqs = new Map<string, number>();

  constructor(
    readonly log: LogWriter,
    supersedes?: string,
    settings: Partial<CoordinatorSettings> = {},
  ) {
    const self = { nodeId: 'c1', incarnation: 'c1#2', ...(supersedes === undefined ? {} : { supersedes }) };
    this.state = initialCoordinator(self, log.state, { now: 0, wall: this.wall }, { reportQueues: 1, ...settings });
    this.hearBrokerTime(this.wall);
  }

  /** A leader on a log that has no other, at the highest feature level, that may assign tasks. */
  static leading(settings: Partial<CoordinatorSettings> = {}): CoordinatorHarness {
    const log = new LogWriter();
    log.write({ kind: 'genesis', broker: 'b' });
    const harness = new CoordinatorHarness(log, undefined, settings);
    harness.feed({ kind: 'head.reached', sentAt: 0 });
    harness.pass(UNTIL_GIVING_MS);
    return harness;
  }

  feed(body: InputBody): readonly Effect[] {
    const result = step(this.state, { ...body, now: this.now, wall: this.wall });
    this.state = result.state;
    this.effects.push(...result.effects);
    for (const effect of result.effects) {
      if (effect.kind === 'append' && this.isStoring) this.store(effect);
      if (effect.kind === 'send-probe' && this.isProbing) {
        this.hear({ kind: 'probe', probe: { incarnation: this.state.self.incarnation, sentAt: effect.sentAt } });
      }
    }
    return result.effects;
  }

  /** Messages of the only queue of reports, as one answer. */
  hear(...signs: readonly ReportsSign[]): void {
    this.feed({ kind: 'reports.read', queue: 0, signs });
  }

  /** A message of somebody else shows when the broker stored it. */
  hearBrokerTime(storedAt: number): void {
    this.feed({ kind: 'reports.read', queue: 0, signs: [], storedAt });
  }

  /** Lets an append land behind what is there, and reads it back. */
  store(append: Append): void {
    const { logId, epoch, claimId, at, after } = append;
    let { digest } = after;
    const reads: ReadEntry[] = append.events.map((event, i) => {
      const seq = after.seq + 1 + i;
      const entry = { logId, epoch, claimId, at, seq, prevDigest: digest, event };
      digest = `d${seq}-${claimId}`;
      return { offset: after.offset + 1 + i, digest, entry };
    });
    this.log.accept(reads);
    const lastOffset = after.offset + reads.length;
    this.feed({ kind: 'append.settled', appendId: append.appendId, outcome: 'stored', lastOffset });
    this.read(reads, lastOffset + 1);
  }

  /** Its node folds what it has read. */
  read(reads: readonly ReadEntry[], nextOffset: number): void {
    const { cluster, settings } = this.state;
    this.feed({ kind: 'log.folded', ...foldEntries(cluster, reads, settings.maxLevel), nextOffset });
  }

  /** Entries of somebody else, read by this coordinator. */
  readNew(write: (log: LogWriter) => void): void {
    const from = this.log.reads.length;
    write(this.log);
    const reads = this.log.reads.slice(from);
    this.read(reads, this.log.state.head.offset + 1);
  }

  /** Time passes in ticks of 100 ms; the given nodes report every second meanwhile. */
  pass(durationMs: number, alive: readonly string[] = []): void {
    for (let passed = 0; passed < durationMs; passed += 100) {
      this.now += 100;
      this.wall += 100;
      if (this.now % 1_000 === 0) for (const nodeId of alive) this.report(nodeId);
      this.feed({ kind: 'tick' });
    }
  }

  report(nodeId: string, change: Partial<Report> = {}): void {
    this.hear({ kind: 'report', report: this.reportOf(nodeId, change) });
  }

  /** The next report of a node: it lists just what the log assigns to the node, or what `change` says. */
  reportOf(nodeId: string, change: Partial<Report> = {}): Report {
    const incarnation = change.incarnation ?? `${nodeId}#1`;
    const reportSeq = (this.#reportSeqs.get(incarnation) ?? 0) + 1;
    this.#reportSeqs.set(incarnation, reportSeq);
    const tasks: TaskReport[] = [];
    for (const { id, assignment } of this.state.cluster.tasks.values()) {
      if (assignment?.incarnation !== incarnation || assignment.revokedAt !== undefined) continue;
      const { generation } = assignment;
      tasks.push({ id, generation, state: 'RUNNING', since: 0, committed: false, counters: {} });
    }
    return {
      nodeId,
      incarnation,
      role: 'source-runner',
      reportSeq,
      sentAt: this.wall,
      leaving: false,
      capacity: 1,
      plugins: [{ kind: 'source', name: 'FileSource', aliases: ['org.FileSource'], version: '1' }],
      maxLevel: MAX_LEVEL,
      appliedSeq: this.state.cluster.head.seq,
      tasks,
      ...change,
    };
  }

  command(body: CommandBody, change: Partial<Command> = {}): CommandOutcome | undefined {
    const offset = this.#commandOffset;
    this.#commandOffset += 1;
    const base = { requestId: `q${offset}`, sentAt: this.wall, from: 'g1' };
    const command: Command = { ...base, ...change, ...body };
    this.feed({ kind: 'command.read', readId: this.state.commandReads, offset, command });
    return this.state.cluster.results.get(command.requestId)?.outcome;
  }

  create(name: string, tasks = 1): CommandOutcome | undefined {
    const config = { 'connector.class': 'FileSource', 'tasks.max': String(tasks) };
    return this.command({ kind: 'connector.put', mode: 'create', name, type: 'source', config });
  }

  /** Answers the last question with as many tasks as were asked for. */
  answer(extra: Readonly<Record<string, string>> = {}): void {
    const question = this.effects.findLast((effect) => effect.kind === 'ask-task-configs');
    if (question === undefined) throw new Error('nothing was asked');
    const { connector, configVersion, nodeId, maxTasks } = question;
    const tasks = Array.from({ length: maxTasks }, (_, i) => ({ part: String(i), ...extra }));
    this.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer: { kind: 'tasks', tasks } });
  }

  of<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);
  }

  /** The events of one kind that were accepted, oldest first. */
  events<Kind extends LogEvent['kind']>(kind: Kind): Extract<LogEvent, { kind: Kind }>[] {
    return this.log.reads
      .flatMap(({ entry }) => eventsIn(entry.event))
      .filter((event): event is Extract<LogEvent, { kind: Kind }> => event.kind === kind);
  }

  owner(key: string): string | undefined {
    const assignment = this.state.cluster.tasks.get(key)?.assignment;
    return assignment === undefined ? undefined : `${assignment.nodeId}${assignment.revokedAt === undefined ? '' : '✗'}`;
  }
}
