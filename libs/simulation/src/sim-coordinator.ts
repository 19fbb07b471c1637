import {
  type AppendOutcome,
  type CoordinatorState,
  type Effect,
  FIRST_LEVEL,
  initialCoordinator,
  type InputBody,
  type LogEvent,
  maySend,
  type NodeEffect,
  type Report,
  type ReportsSign,
  step,
  type SplitAnswer,
} from '@sluice/core';
import type { SimBroker, StoredReport } from './sim-broker.js';
import { SimProcess } from './sim-clock.js';
import type { JudgedNode } from './sim-judge.js';
import { SimLogReader, type SimDisk } from './sim-log-reader.js';

export type Ask = (effect: Extract<Effect, { kind: 'ask-task-configs' }>, reply: (answer: SplitAnswer) => void) => void;

/** Of an append whose outcome is unknown, after the coordinator learned that. */
const LATEST_LANDING_MS = 8_000;

/** One coordinator process: the loop and the effects around `step`. */
export class SimCoordinator extends SimProcess {
  state: CoordinatorState;
  readonly running: JudgedNode['running'] = new Map();
  isLeaving = false;
  /** How often the log was rewritten when it had stopped in order and nothing of it could follow. */
  #rewritesAtStop: number | undefined;
  /** Until then an append whose outcome nobody knows may still be stored. */
  #mayLandUntil = 0;
  #lastRequestId: string | undefined;
  #commandsAt: { readId: number; offset: number } | undefined;
  readonly #reportsAt: number[];
  readonly reader: SimLogReader;
  /** Until then its reports are lost while it reads the log and works. */
  mutedUntil = 0;
  /** What happens to it between the next append with an event of a kind and its send. */
  standsStillBefore: { readonly kind: LogEvent['kind']; readonly act: () => void } | undefined;
  /** Number of the last report of each incarnation that is known as a whole. */
  readonly #wholeReports = new Map<string, number>();
  #reportSeq = 0;

  constructor(
    readonly broker: SimBroker,
    readonly nodeId: string,
    readonly incarnation: string,
    supersedes: string | undefined,
    readonly disk: SimDisk,
    readonly maxLevel: number,
    readonly ask: Ask,
  ) {
    super(broker.clock);
    const self = { nodeId, incarnation, ...(supersedes === undefined ? {} : { supersedes }) };
    this.reader = new SimLogReader(this, broker, disk, this, (effect) => {
      this.#follow(effect);
    });
    const settings = { maxLevel, snapshotEntries: 60, snapshotChunkBytes: 1_500, maxDrainMoves: 1 };
    this.state = initialCoordinator(self, this.reader.node.cluster, this.clocks, settings);
    this.#reportsAt = broker.reports.map((queue) => queue.length);
    this.every(90, () => {
      this.#pullReports();
    });
    this.every(90, () => {
      this.#pullCommands();
    });
    this.every(150, () => {
      this.feed({ kind: 'tick' });
    });
    this.every(1_000, () => {
      this.#report(supersedes);
    });
  }

  get appliedSeq(): number {
    return this.state.cluster.head.seq;
  }

  get isLeader(): boolean {
    return this.state.role === 'leader';
  }

  get hasStopped(): boolean {
    return this.#rewritesAtStop === this.broker.rewrites;
  }

  stop(): void {
    this.feed({ kind: 'stop' });
  }

  feed(body: InputBody): void {
    if (this.isDead) return;
    const { state, effects } = step(this.state, { ...body, ...this.clocks });
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'append':
        this.broker.onDecide(effect.events, (key) => this.state.reports.get(key)?.report);
        if (effect.events.some(({ kind }) => kind === this.standsStillBefore?.kind)) {
          this.standsStillBefore?.act();
          this.standsStillBefore = undefined;
        }
        this.after(1, () => {
          this.#send(effect);
        });
        return;
      case 'send-probe': {
        const queue = this.broker.reports[effect.queue];
        const { incarnation } = this;
        if (queue !== undefined) this.broker.send(queue, { kind: 'probe', incarnation, sentAt: effect.sentAt });
        return;
      }
      case 'ask-task-configs':
        this.ask(effect, (answer) => {
          this.after(5, () => {
            const { connector, configVersion, nodeId } = effect;
            this.feed({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer });
          });
        });
        return;
      case 'read-commands':
        this.#commandsAt = { readId: effect.readId, offset: effect.fromOffset };
        this.#lastRequestId = effect.lastRequestId;
        return;
      case 'exit':
        if (effect.reason === 'stopped' && this.clock.now > this.#mayLandUntil && this.#knowsLog())
          this.#rewritesAtStop = this.broker.rewrites;
        this.isDead = true;
        return;
      case 'became-leader':
      case 'stepped-down':
      case 'log':
        return;
    }
  }

  /** Between the decision and this the process may have been suspended. */
  #send(effect: Extract<Effect, { kind: 'append' }>): void {
    const { appendId } = effect;
    const settle = (outcome: AppendOutcome, lastOffset?: number): void => {
      this.after(0, () => {
        this.feed({ kind: 'append.settled', appendId, outcome, ...(lastOffset === undefined ? {} : { lastOffset }) });
      });
    };
    if (!maySend(this.state, effect, this.clocks)) {
      settle('not-stored');
      return;
    }
    this.broker.append(effect, (outcome, lastOffset) => {
      if (outcome === 'unknown') this.#mayLandUntil = this.clock.now + LATEST_LANDING_MS;
      settle(outcome, lastOffset);
    });
  }

  /** The log has not lost what this process last read of it. */
  #knowsLog(): boolean {
    const { offset, digest } = this.state.cluster.head;
    return this.broker.readLog(offset, 1)[0]?.digest === digest;
  }

  #follow(effect: NodeEffect): void {
    if (effect.kind === 'folded') this.feed({ ...effect, kind: 'log.folded' });
    if (effect.kind === 'head-proven') this.feed({ kind: 'head.reached', sentAt: effect.sentAt });
    if (effect.kind === 'end') this.isDead = true;
  }

  #pullReports(): void {
    if (!this.broker.canReport) return;
    this.broker.reports.forEach((messages, queue) => {
      const from = Math.min(this.#reportsAt[queue] ?? 0, messages.length);
      this.#reportsAt[queue] = messages.length;
      const read = messages.slice(from);
      if (read.length === 0) return;
      const storedAt = Math.max(...read.map((message) => message.storedAt ?? 0));
      this.feed({ kind: 'reports.read', queue, signs: read.map((message) => this.#signOf(message)), storedAt });
    });
  }

  #signOf(message: StoredReport): ReportsSign {
    if (message.kind === 'probe') return { kind: 'probe', probe: message };
    const { report, since } = message;
    const { nodeId, incarnation, reportSeq } = report;
    const last = this.#wholeReports.get(incarnation);
    if (since !== undefined && since !== last) return { kind: 'alive', nodeId, incarnation, reportSeq };
    this.#wholeReports.set(incarnation, Math.max(reportSeq, last ?? 0));
    return { kind: 'report', report };
  }

  #pullCommands(): void {
    const at = this.#commandsAt;
    if (!this.broker.isAwake || at === undefined || !this.isLeader) return;
    const { commands } = this.broker;
    const last = commands[at.offset - 1]?.requestId;
    if (at.offset > commands.length || (this.#lastRequestId !== undefined && last !== this.#lastRequestId)) {
      this.feed({ kind: 'commands.cut', readId: at.readId, minOffset: 0 });
      return;
    }
    const read = commands.slice(at.offset, at.offset + 10);
    this.#lastRequestId = read.at(-1)?.requestId ?? this.#lastRequestId;
    read.forEach((command, i) => {
      this.feed({ kind: 'command.read', readId: at.readId, offset: at.offset + i, command });
    });
    if (this.#commandsAt === at) this.#commandsAt = { readId: at.readId, offset: at.offset + read.length };
  }

  #report(supersedes: string | undefined): void {
    this.#reportSeq += 1;
    if (this.clock.now < this.mutedUntil) return;
    const report: Report = {
      nodeId: this.nodeId,
      incarnation: this.incarnation,
      role: 'coordinator',
      reportSeq: this.#reportSeq,
      sentAt: this.wall,
      leaving: this.isLeaving,
      ...(this.maxLevel > FIRST_LEVEL ? { maxLevel: this.maxLevel } : {}),
      ...(supersedes === undefined ? {} : { supersedes }),
      capacity: 1,
      plugins: [],
      appliedSeq: this.state.cluster.head.seq,
      tasks: [],
    };
    const queue = this.broker.reports[this.nodeId.charCodeAt(this.nodeId.length - 1) % 4];
    if (queue !== undefined) this.broker.send(queue, { kind: 'report', report });
  }
}
