import type { ClusterState } from '../model/cluster-state.js';
import type { TaskId } from '../model/connector.js';
import type { ReadEntry } from '../model/entry.js';
import { FIRST_LEVEL } from '../model/feature-level.js';
import type { Report } from '../model/report.js';
import type { NodeEffect } from '../node/node-step.js';
import { desiredTasks } from '../runner/desired-tasks.js';
import type { SimBroker } from './sim-broker.js';
import { SimProcess } from './sim-clock.js';
import { isCauseOfStop } from './sim-judge.js';
import { SimLogReader, type SimDisk } from './sim-log-reader.js';

/** Every so many reports tell all; the others tell what is new. */
const WHOLE_REPORTS = 10;

interface RunningTask {
  readonly id: TaskId;
  readonly generation: number;
  isStopping: boolean;
}

/** One runner process: reads the log, keeps its lease, starts and stops tasks, reports. */
export class SimRunner extends SimProcess {
  readonly running = new Map<string, RunningTask>();
  isLeaving = false;
  readonly hasStopped = false;
  /** Until then its reports are lost while it reads the log and works. */
  mutedUntil = 0;
  readonly reader: SimLogReader;
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
  }

  get cluster(): ClusterState {
    return this.reader.node.cluster;
  }

  /** It was put out of the cluster and must start again under another incarnation. */
  get mustRestart(): boolean {
    return this.reader.node.lease.lost !== undefined;
  }

  /** Put out, or done with leaving. */
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
      this.running.set(key, { id, generation, isStopping: false });
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
      tasks: [...this.running.values()].map(({ id, generation, isStopping }) => ({
        id,
        generation,
        state: isStopping ? 'STOPPING' : 'RUNNING',
        since: 0,
        committed: generation % 2 === 0,
        counters: {},
      })),
    };
    const queue = this.broker.reports[this.nodeId.charCodeAt(this.nodeId.length - 1) % 4];
    const since = this.#reportSeq % WHOLE_REPORTS === 1 ? {} : { since: this.#reportSeq - 1 };
    if (queue !== undefined) this.broker.send(queue, { kind: 'report', report, ...since });
  }

  /** Tasks that this process would act for, by key. */
  active(): readonly string[] {
    return this.isDead || !this.hasLease ? [] : [...this.running.keys()];
  }
}
