import {
  type ClusterState,
  type Command,
  emptyState,
  fractionOf,
  type LogEntry,
  type LogEvent,
  type QueueBounds,
  type ReadEntry,
  type Report,
} from '@sluice/core';
import { wallOf, type SimClock } from './sim-clock.js';

export type StoredReport = { readonly storedAt?: number } &
  /** With `since` it holds only what is new after that number: a reader without that one does not know the whole. */
  (
    | { readonly kind: 'report'; readonly report: Report; readonly since?: number }
    | { readonly kind: 'probe'; readonly incarnation: string; readonly sentAt: number }
  );

const REMEMBERED_REPORTS = 32;

/** The topics of a simulated cluster: total orders, and sends that are lost, late, duplicate or end in doubt. */
export class SimBroker {
  /** All entries from the first on; those before `minOffset` can be read no more. */
  readonly log: ReadEntry[] = [];
  minOffset = 0;
  /** How often the log's tail was lost, or the log was created again. */
  rewrites = 0;
  /** Whether the log's topic exists. */
  isLogThere = true;
  /** What the log builds on: a restored one continues from a state that was kept in files. */
  base: ClusterState = emptyState();
  /** So many entries at the beginning are never lost with the tail. */
  leastEntries = 1;
  readonly commands: Command[] = [];
  /** How often the commands topic was created. */
  commandTopics = 1;
  readonly reports: StoredReport[][] = [[], [], [], []];
  /** While it stalls, nothing is stored and nothing is read. */
  stalledUntil = 0;
  isFaulty = true;
  /** Called with what somebody sends to the log, whether it arrives or not. */
  onAppend: (events: readonly LogEvent[]) => void = () => undefined;
  /** Called with what a leader has decided, and the reports that it knows by `memberKey`. */
  onDecide: (events: readonly LogEvent[], reportOf: (key: string) => Report | undefined) => void = () => undefined;
  /** Called with what must never happen. */
  violate: (what: string) => void = () => undefined;
  /** Called when the log is to be cut back. */
  onLoss: (lose: () => void) => void = (lose) => {
    lose();
  };
  /** The same for the reports topic alone: it may be on another broker than the log. */
  reportsStalledUntil = 0;
  /** When the last reports of each incarnation were sent. */
  readonly #reportedAt = new Map<string, readonly number[]>();
  #watches: { readonly kind: LogEvent['kind']; readonly act: (read: ReadEntry) => void }[] = [];

  constructor(readonly clock: SimClock) {
    this.#storeGenesis('L0');
  }

  endFaults(): void {
    this.isFaulty = false;
    this.#watches = [];
  }

  get bounds(): QueueBounds {
    return { minOffset: this.minOffset, maxOffset: this.log.length };
  }

  /** Entries that can be read, from an offset on. */
  readLog(from: number, limit: number): readonly ReadEntry[] {
    return this.log.slice(Math.max(from, this.minOffset), from + limit);
  }

  /** The broker comes back without what it had answered last. */
  loseTail(entries: number): void {
    this.onLoss(() => {
      this.log.length -= entries;
      this.rewrites += 1;
    });
  }

  /** Calls `act` once, when the next entry of a kind was stored, with it. */
  afterNext(kind: LogEvent['kind'], act: (read: ReadEntry) => void): void {
    this.#watches.push({ kind, act });
  }

  /** Retention takes what is before an offset. */
  loseHead(minOffset: number): void {
    this.minOffset = Math.max(this.minOffset, minOffset);
  }

  /** The log's topic is deleted: nothing is read or stored before it is there again. */
  deleteLog(): void {
    this.onLoss(() => {
      this.log.length = 0;
      this.minOffset = 0;
      this.rewrites += 1;
      this.isLogThere = false;
      this.base = emptyState();
    });
  }

  /** The log's topic is created again, without any entry. */
  makeLog(): void {
    this.isLogThere = true;
  }

  /** The log's topic is created again, as a new log. */
  recreateLog(): void {
    this.deleteLog();
    this.makeLog();
    this.#storeGenesis(`L${this.rewrites}`);
  }

  recreateCommands(): void {
    this.commandTopics += 1;
    this.commands.length = 0;
  }

  recreateReports(): void {
    for (const queue of this.reports) queue.length = 0;
    this.#reportedAt.clear();
  }

  /** Sends a chain of entries as one batch and reports its outcome once. */
  append(
    effect: {
      readonly events: readonly LogEvent[];
      readonly after: { readonly seq: number; readonly digest: string };
      readonly logId: string;
      readonly epoch: number;
      readonly claimId: string;
      readonly at: number;
    },
    settle: (outcome: 'stored' | 'not-stored' | 'unknown', lastOffset?: number) => void,
  ): void {
    const { clock } = this;
    this.onAppend(effect.events);
    const fate = this.isFaulty ? clock.random() : 1;
    const sentTo = this.rewrites;
    // What is under way when a broker dies never arrives: its connections die with it.
    const isConnected = (): boolean => sentTo === this.rewrites && this.isLogThere;
    const store = (): number | undefined =>
      isConnected() ? this.store(effect.after.seq, effect.after.digest, effect.events, effect) : undefined;
    if (fate < 0.03 || !this.isLogThere) {
      this.#arrive(() => {
        settle('not-stored');
      });
    } else if (fate < 0.1) {
      const lateMs = 300 + clock.random() * 8_000;
      if (fate < 0.06) this.#landAfter(lateMs, store);
      clock.after(1_000, () => {
        settle('unknown');
      });
    } else {
      this.#arrive(() => {
        const lastOffset = store();
        if (fate < 0.14) this.#landAfter(clock.random() * 3_000, store);
        this.#arrive(() => {
          if (!isConnected()) settle('unknown');
          else if (fate < 0.5) settle('stored', lastOffset);
          else settle('stored');
        });
      });
    }
  }

  /** How often an incarnation reported in a time before now, as far as the topic was not created again since. */
  reportsWithin(incarnation: string, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number {
    const { now } = this.clock;
    const times = this.#reportedAt.get(incarnation) ?? [];
    return times.filter((at) => now - at <= fromMs && now - at >= toMs).length;
  }

  /** Sends a report or a probe. */
  send(queue: StoredReport[], message: StoredReport): void {
    const fate = this.isFaulty ? this.clock.random() : 1;
    if (fate < 0.02) return;
    if (message.kind === 'report') this.#noteReport(message.report);
    this.#arrive(() => {
      this.#storeReport(queue, message);
    });
    if (fate < 0.05) {
      this.clock.after(this.clock.random() * 4_000, () => {
        this.#storeReport(queue, message);
      });
    }
  }

  #storeReport(queue: StoredReport[], message: StoredReport): void {
    if (this.canReport) queue.push({ ...message, storedAt: wallOf(this.clock) });
    else
      this.clock.after(Math.max(this.stalledUntil, this.reportsStalledUntil) - this.clock.now + 1, () => {
        this.#storeReport(queue, message);
      });
  }

  #noteReport({ incarnation }: Report): void {
    const times = this.#reportedAt.get(incarnation) ?? [];
    this.#reportedAt.set(incarnation, [...times.slice(-REMEMBERED_REPORTS), this.clock.now]);
  }

  /** Whether pulls are answered now. */
  get isAwake(): boolean {
    return this.clock.now >= this.stalledUntil;
  }

  /** Whether reports are stored and read now. */
  get canReport(): boolean {
    return this.isAwake && this.clock.now >= this.reportsStalledUntil;
  }

  #landAfter(delayMs: number, act: () => void): void {
    this.clock.after(delayMs, () => {
      this.#whenAwake(act);
    });
  }

  #arrive(act: () => void): void {
    this.clock.after(1 + this.clock.random() * (this.isFaulty ? 40 : 5), () => {
      this.#whenAwake(act);
    });
  }

  #whenAwake(act: () => void): void {
    if (this.isAwake) act();
    else this.clock.after(this.stalledUntil - this.clock.now + 1, act);
  }

  #storeGenesis(logId: string): void {
    const head = { logId, epoch: 0, claimId: '', at: wallOf(this.clock) };
    this.store(-1, '', [{ kind: 'genesis', broker: 'broker-a' }], head);
  }

  /** Stores a chain of entries at once; returns the offset of the last one. */
  store(
    afterSeq: number,
    afterDigest: string,
    events: readonly LogEvent[],
    head: Pick<LogEntry, 'logId' | 'epoch' | 'claimId' | 'at'>,
  ): number {
    let prevDigest = afterDigest;
    events.forEach((event, i) => {
      const { logId, epoch, claimId, at } = head;
      const entry: LogEntry = { logId, epoch, claimId, at, seq: afterSeq + 1 + i, prevDigest, event };
      const digest = `${entry.seq}/${fractionOf(JSON.stringify(entry))}`;
      this.log.push({ offset: this.log.length, digest, entry });
      prevDigest = digest;
    });
    const stored = this.log.slice(-events.length);
    for (const watch of [...this.#watches]) {
      const read = stored.find(({ entry }) => entry.event.kind === watch.kind);
      if (read === undefined) continue;
      this.#watches = this.#watches.filter((each) => each !== watch);
      watch.act(read);
    }
    return this.log.length - 1;
  }
}
