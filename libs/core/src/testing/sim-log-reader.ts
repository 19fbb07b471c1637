import { emptyState } from '../log/fold.js';
import { loadSnapshot, snapshotReadFrom, snapshotsNamedIn } from '../log/snapshot-load.js';
import { planStart } from '../log/start-plan.js';
import { fromFiles, toConnectorFile, toTaskFile } from '../log/state-files.js';
import { tailBreak, type Tail } from '../log/tail-check.js';
import type { ClusterState } from '../model/cluster-state.js';
import type { ReadEntry } from '../model/entry.js';
import type { SimBroker } from './sim-broker.js';

/** What a process keeps on its disk: the files of its folded state, as text. */
export interface SimDisk {
  files?: { readonly connectors: string; readonly tasks: string };
  /** Of the first log that the node has read: it refuses another one. */
  logId?: string;
}

/** As many entries as one pull brings. */
const PULL_LIMIT = 200;
/** Readers without a copy look for a snapshot in logs of more entries. */
const PREFER_SNAPSHOT_BEYOND = 40;

export interface SimPull {
  readonly reads: readonly ReadEntry[];
  readonly nextOffset: number;
  /** All of the log was read. */
  readonly isHead: boolean;
}

/** Reads the log as nodes do: from their files, the newest snapshot or the first entry, and with a look at the last message that they know. */
export class SimLogReader {
  readonly initial: ClusterState;
  nextOffset: number;
  #tail: Tail | undefined;

  constructor(
    readonly broker: SimBroker,
    readonly disk: SimDisk,
  ) {
    this.initial = this.#begin();
    const { head } = this.initial;
    this.nextOffset = head.seq < 0 ? broker.minOffset : head.offset + 1;
    this.#tail = head.seq < 0 ? undefined : head;
  }

  /** The log's topic was created again: a node that knew the old one must not run on the new one. */
  get isOtherLog(): boolean {
    const { logId } = this.disk;
    const found = this.broker.readLog(this.broker.minOffset, 1)[0]?.entry.logId;
    return logId !== undefined && found !== undefined && logId !== found;
  }

  /** What the broker answers now, or why the log is another one than was read. */
  pull(): SimPull | string {
    const broken = this.#break();
    if (broken !== undefined) return broken;
    const reads = this.broker.readLog(this.nextOffset, PULL_LIMIT);
    const nextOffset = this.nextOffset + reads.length;
    return { reads, nextOffset, isHead: nextOffset === this.broker.log.length };
  }

  /** Takes an answer in; false if another came first. */
  advance({ reads, nextOffset }: SimPull): boolean {
    if (this.nextOffset !== nextOffset - reads.length) return false;
    this.nextOffset = nextOffset;
    this.#tail = reads.at(-1) ?? this.#tail;
    return true;
  }

  persist(state: ClusterState): void {
    if (state.logId !== '') this.disk.logId ??= state.logId;
    this.disk.files = {
      connectors: JSON.stringify(toConnectorFile(state)),
      tasks: JSON.stringify(toTaskFile(state)),
    };
  }

  #break(): string | undefined {
    const tail = this.#tail;
    if (tail === undefined) return undefined;
    return tailBreak(tail, this.broker.readLog(tail.offset, 1)[0]?.digest, this.broker.bounds);
  }

  #begin(): ClusterState {
    const { files } = this.disk;
    const local = files && fromFiles(JSON.parse(files.connectors), JSON.parse(files.tasks));
    const { bounds } = this.broker;
    const plan = planStart(local?.head, bounds, PREFER_SNAPSHOT_BEYOND);
    this.#tail = local?.head;
    if (plan.kind === 'local' && local !== undefined && this.#break() === undefined) return local;
    if (plan.kind === 'local' || plan.kind === 'rewritten') {
      delete this.disk.files;
      return this.#begin();
    }
    const found = plan.kind === 'snapshot' ? this.#snapshot() : undefined;
    if (found === undefined && bounds.minOffset > 0) throw new Error('no snapshot is left');
    return found ?? emptyState();
  }

  #snapshot(): ClusterState | undefined {
    const { minOffset, maxOffset } = this.broker.bounds;
    for (const doneOffset of snapshotsNamedIn(this.broker.readLog(minOffset, maxOffset))) {
      const from = snapshotReadFrom(this.broker.readLog(doneOffset, 1)[0]);
      if (from === undefined || from < minOffset) continue;
      const loaded = loadSnapshot(this.broker.readLog(from, doneOffset + 1 - from));
      if (loaded.kind === 'loaded') return loaded.state;
    }
    return undefined;
  }
}
