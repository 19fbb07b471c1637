import {
  heldUntil,
  leaseAfterEvent,
  leaseAfterHeadReached,
  leaseAfterLogLost,
  newLease,
  type NodeLease,
} from '../lease/node-lease.js';
import { foldEntries } from '../log/fold.js';
import type { ClusterState } from '../model/cluster-state.js';
import { taskKey, type TaskId } from '../model/connector.js';
import { FIRST_LEVEL } from '../model/feature-level.js';
import type { Report } from '../model/report.js';
import { desiredTasks } from '../runner/desired-tasks.js';
import type { SimBroker } from './sim-broker.js';
import { SimProcess } from './sim-clock.js';
import { SimLogReader, type SimDisk } from './sim-log-reader.js';

interface RunningTask {
  readonly id: TaskId;
  readonly generation: number;
  isStopping: boolean;
}

/** One runner process: reads the log, keeps its lease, starts and stops tasks, reports. */
export class SimRunner extends SimProcess {
  cluster: ClusterState;
  readonly running = new Map<string, RunningTask>();
  lease: NodeLease;
  isLeaving = false;
  readonly hasStopped = false;
  /** Until then its reports are lost while it reads the log and works. */
  mutedUntil = 0;
  /** Between these times it cannot read the log while it works. */
  deaf = { from: 0, until: 0 };
  readonly #reader: SimLogReader;
  #reportSeq = 0;

  constructor(
    readonly broker: SimBroker,
    readonly nodeId: string,
    readonly incarnation: string,
    readonly supersedes: string | undefined,
    readonly disk: SimDisk,
    readonly maxLevel: number,
    readonly capacity: number,
  ) {
    super(broker.clock);
    this.#reader = new SimLogReader(broker, disk);
    this.cluster = this.#reader.initial;
    if (this.cluster.level > maxLevel || this.#reader.isOtherLog) this.isDead = true;
    this.every(2_000, () => {
      this.#reader.persist(this.cluster);
    });
    this.lease = newLease({ nodeId, incarnation, leaseMs: 2_500 });
    this.every(80, () => {
      this.#pullLog();
    });
    this.every(900, () => {
      this.#report();
    });
    this.after(1, () => {
      this.#report();
    });
  }

  /** It was put out of the cluster and must start again under another incarnation. */
  get mustRestart(): boolean {
    return this.lease.lost !== undefined;
  }

  /** Put out, or done with leaving. */
  get hasToEnd(): boolean {
    return this.mustRestart || (this.isLeaving && this.running.size === 0);
  }

  get appliedSeq(): number {
    return this.cluster.head.seq;
  }

  get hasLease(): boolean {
    return this.localNow < heldUntil(this.lease);
  }

  leave(): void {
    this.isLeaving = true;
    for (const key of this.running.keys()) this.#stop(key);
    this.#report();
  }

  get #isDeaf(): boolean {
    return this.clock.now >= this.deaf.from && this.clock.now < this.deaf.until;
  }

  #pullLog(): void {
    const sentAt = this.localNow;
    this.after(2, () => {
      if (!this.broker.isAwake || this.#isDeaf) return;
      const pull = this.#reader.pull();
      if (typeof pull === 'string') {
        delete this.disk.files;
        this.lease = leaseAfterLogLost(this.lease);
        this.isDead = true;
        return;
      }
      this.after(this.clock.random() * 30, () => {
        if (!this.#reader.advance(pull)) return;
        const { state, accepted } = foldEntries(this.cluster, pull.reads, this.maxLevel);
        for (const { entry } of accepted) this.lease = leaseAfterEvent(this.lease, entry.event);
        this.cluster = state;
        if (state.needsNewer !== undefined) {
          this.isDead = true;
          return;
        }
        if (pull.isHead) this.lease = leaseAfterHeadReached(this.lease, sentAt);
        this.#follow();
      });
    });
  }

  #follow(): void {
    const desired = desiredTasks(this.cluster, this);
    for (const [key, task] of this.running) {
      if (desired.get(key)?.generation !== task.generation) this.#stop(key);
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
      capacity: this.capacity,
      plugins: [{ kind: 'source', name: 'FileSource', aliases: ['alias.FileSource'], version: '1' }],
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
    if (queue !== undefined) this.broker.send(queue, { kind: 'report', report });
  }

  /** Tasks that this process would act for, by key. */
  active(): readonly string[] {
    return this.isDead || !this.hasLease ? [] : [...this.running.values()].map(({ id }) => taskKey(id));
  }
}
