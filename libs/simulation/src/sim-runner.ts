import {
  type ClusterState,
  type Command,
  desiredTasks,
  FIRST_LEVEL,
  type NodeEffect,
  type Pair,
  type ReadEntry,
  type Report,
  type TaskId,
} from '@sluice/core';
import type { SimBroker } from './sim-broker.js';
import { SimProcess } from './sim-clock.js';
import { isCauseOfStop } from './sim-judge.js';
import { wrongExtension } from './sim-pairs.js';
import { SimLogReader, type SimDisk } from './sim-log-reader.js';

/** Every so many reports tell all; the others tell what is new. */
const WHOLE_REPORTS = 10;

/** How long a runner waits before it repeats a request for a new generation, in milliseconds. */
const REQUEST_AGAIN_MS = 5_000;

/** This share of the generations finds an end of data, within so many milliseconds of its first act. */
const BOUNDED_SHARE = 0.3;
const LONGEST_MS = 6_000;
/** This share of those has asked for new task settings: the request comes within so many milliseconds of the end. */
const ASKING_SHARE = 0.3;
const ASKED_AFTER_MS = 3_000;

/** A runner has pairs agreed upon that often, besides those that it needs to split a connector. */
const EXTENSION_MS = 4_000;
/** Keys and values are so few that requests of runners contradict each other. */
const PAIR_TEXTS = 12;
const MOST_PAIRS = 3;
const LOOK_FOR_PAIRS_MS = 100;
/** As long as a runner waits for the answer, in milliseconds. */
const PAIRS_LIMIT_MS = 8_000;

interface RunningTask {
  readonly id: TaskId;
  readonly generation: number;
  isStopping: boolean;
  /** Its generation has sent to a queue. */
  hasActed: boolean;
  /** Gaps in the lease after which its queues held no newer generation. */
  clearedGaps: number;
  isSuperseded: boolean;
  /** When it comes to its end of data; set by its first act. */
  endsAt?: number;
  /** All that it had is stored. */
  completedAt?: number;
}

/** One runner process: reads the log, keeps its lease, starts and stops tasks, reports. */
export class SimRunner extends SimProcess {
  readonly running = new Map<string, RunningTask>();
  isLeaving = false;
  readonly hasStopped = false;
  /** Until then its reports are lost while it reads the log and works. */
  mutedUntil = 0;
  readonly reader: SimLogReader;
  /** Asks that a task be revoked and assigned again. */
  requestGeneration: (id: TaskId, generation: number) => void = () => undefined;
  /** Asks that a connector be split into tasks again. */
  requestSplit: (name: string) => void = () => undefined;
  /** Asks that pairs be agreed upon. */
  requestPairs: ((name: string, pairs: readonly Pair[]) => Command) | undefined;
  /** Notes that a generation has come to its end of data. */
  noteCompletion: (key: string, generation: number) => void = () => undefined;
  #reportSeq = 0;

  constructor(
    readonly broker: SimBroker,
    readonly nodeId: string,
    readonly incarnation: string,
    readonly supersedes: string | undefined,
    readonly disk: SimDisk,
    readonly maxLevel: number,
    readonly abilities: { readonly capacity: number; readonly aliases: readonly string[] },
  ) {
    super(broker.clock);
    this.reader = new SimLogReader(this, broker, disk, this, (effect) => {
      this.#carryOut(effect);
    });
    this.every(900, () => {
      this.#report();
    });
    this.after(1, () => {
      this.#report();
    });
    this.every(EXTENSION_MS, () => {
      const name = this.clock.pick([...this.cluster.connectors.keys()]);
      if (name !== undefined && this.broker.isFaulty) this.extendPairs(name, () => undefined);
    });
  }

  get cluster(): ClusterState {
    return this.reader.node.cluster;
  }

  /** The cluster expired it, and it must start again under another incarnation. */
  get mustRestart(): boolean {
    return this.reader.node.lease.lost !== undefined;
  }

  /** Expired, or done with leaving. */
  get hasToEnd(): boolean {
    return this.mustRestart || (this.isLeaving && this.running.size === 0);
  }

  get appliedSeq(): number {
    return this.cluster.head.seq;
  }

  get hasLease(): boolean {
    return this.reader.hasLease;
  }

  leave(): void {
    this.isLeaving = true;
    for (const key of this.running.keys()) this.#stop(key);
    this.#report();
  }

  /** Has some pairs agreed upon and waits until its own state shows the answer, up to a limit. */
  extendPairs(name: string, done: (isAnswered: boolean) => void): void {
    const { clock } = this;
    const text = (): string => String(Math.floor(clock.random() * PAIR_TEXTS));
    const pairs = Array.from({ length: 1 + Math.floor(clock.random() * MOST_PAIRS) }, (): Pair => [`from ${text()}`, `to ${text()}`]);
    const command = this.requestPairs?.(name, pairs);
    const until = clock.now + PAIRS_LIMIT_MS;
    const look = (): void => {
      const outcome = command && this.cluster.results.get(command.requestId)?.outcome;
      if (outcome?.status === 'done') for (const what of wrongExtension(pairs, this.cluster.pairs.get(name))) this.broker.violate(what);
      if (outcome !== undefined || clock.now > until) done(outcome !== undefined);
      else this.after(LOOK_FOR_PAIRS_MS, look);
    };
    look();
  }

  #carryOut(effect: NodeEffect): void {
    if (effect.kind === 'folded') this.#follow(effect.accepted);
    if (effect.kind === 'end') this.isDead = true;
  }

  #follow(accepted: readonly ReadEntry[] = []): void {
    const desired = desiredTasks(this.cluster, this);
    for (const [key, task] of this.running) {
      if (task.isStopping || desired.get(key)?.generation === task.generation) continue;
      if (!accepted.some(({ entry }) => isCauseOfStop(entry.event, task.id, this)))
        this.broker.violate(`${this.nodeId} stops ${key}, and no entry says so`);
      this.#stop(key);
    }
    if (this.isLeaving || this.mustRestart) return;
    for (const [key, { id, generation }] of desired) {
      if (this.running.has(key)) continue;
      const fresh = { isStopping: false, hasActed: false, clearedGaps: 0, isSuperseded: false };
      this.running.set(key, { id, generation, ...fresh });
      this.after(1, () => {
        this.#report();
      });
    }
  }

  #stop(key: string): void {
    const task = this.running.get(key);
    if (task === undefined || task.isStopping) return;
    task.isStopping = true;
    this.after(this.clock.random() * 400, () => {
      this.running.delete(key);
      this.#report();
      this.#follow();
    });
  }

  #report(): void {
    this.#reportSeq += 1;
    if (this.clock.now < this.mutedUntil) return;
    const report: Report = {
      nodeId: this.nodeId,
      incarnation: this.incarnation,
      role: 'source-runner',
      reportSeq: this.#reportSeq,
      sentAt: this.wall,
      leaving: this.isLeaving,
      ...(this.maxLevel > FIRST_LEVEL ? { maxLevel: this.maxLevel } : {}),
      ...(this.supersedes === undefined ? {} : { supersedes: this.supersedes }),
      capacity: this.abilities.capacity,
      plugins: [{ kind: 'source', name: 'FileSource', aliases: this.abilities.aliases, version: '1' }],
      appliedSeq: this.cluster.head.seq,
      tasks: [...this.running.values()].map(({ id, generation, isStopping, completedAt }) => ({
        id,
        generation,
        state: isStopping ? 'STOPPING' : 'RUNNING',
        since: 0,
        committed: generation % 2 === 0,
        ...(completedAt === undefined ? {} : { completedAt }),
        counters: {},
      })),
    };
    const queue = this.broker.reports[this.nodeId.charCodeAt(this.nodeId.length - 1) % 4];
    const since = this.#reportSeq % WHOLE_REPORTS === 1 ? {} : { since: this.#reportSeq - 1 };
    if (queue !== undefined) this.broker.send(queue, { kind: 'report', report, ...since });
  }

  /**
   * Has the tasks of this process act, but for those that find a successor after a gap in the lease. Returns the keys of those that acted.
   *
   * @param acted the newest generation that has acted for each task, as the queues show that to a task that has sent to one before
   */
  active(acted: ReadonlyMap<string, number>): readonly string[] {
    if (this.isDead || !this.hasLease) return [];
    const keys: string[] = [];
    for (const [key, task] of this.running) {
      this.#lookForSuccessor(task, acted.get(key) ?? 0);
      if (task.isSuperseded) continue;
      this.#act(key, task);
      keys.push(key);
    }
    return keys;
  }

  /** A task writes nothing without a lease, so it does not come to its end then either. */
  #act(key: string, task: RunningTask): void {
    const { clock } = this;
    if (!task.hasActed) task.endsAt = clock.random() < BOUNDED_SHARE ? clock.now + clock.random() * LONGEST_MS : Infinity;
    task.hasActed = true;
    if (task.completedAt !== undefined || task.isStopping || clock.now < (task.endsAt ?? Infinity)) return;
    task.completedAt = this.wall;
    this.noteCompletion(key, task.generation);
    this.#report();
    if (clock.random() < ASKING_SHARE)
      this.after(clock.random() * ASKED_AFTER_MS, () => {
        this.requestSplit(task.id.connector);
      });
  }

  #lookForSuccessor(task: RunningTask, newest: number): void {
    const { doubtfulUpTo, gaps } = this.reader.node.lease;
    if (task.isSuperseded || task.generation > doubtfulUpTo || task.clearedGaps >= gaps) return;
    task.clearedGaps = gaps;
    task.isSuperseded = !task.hasActed || newest > task.generation;
    if (task.isSuperseded) this.#request(task);
  }

  #request(task: RunningTask): void {
    if (task.isStopping) return;
    this.requestGeneration(task.id, task.generation);
    this.after(REQUEST_AGAIN_MS, () => {
      this.#request(task);
    });
  }
}
