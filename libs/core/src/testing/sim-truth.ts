import { emptyState, foldEntries } from '../log/fold.js';
import type { ClusterState } from '../model/cluster-state.js';
import type { LogEntry, ReadEntry } from '../model/entry.js';
import type { SimBroker } from './sim-broker.js';
import type { SimJudge } from './sim-judge.js';
import type { SimLedger } from './sim-ledger.js';

/** What the log says to one who sees all of it at every moment. */
export class SimTruth {
  state: ClusterState = emptyState();
  /** Claims that were accepted and are still in the log, by epoch. */
  readonly claims = new Map<number, string>();
  #read = 0;
  #rewrites = 0;
  /** When entries were accepted, by their digests: the head may go back to an older one. */
  readonly #acceptedAt = new Map<string, number>();

  constructor(
    readonly broker: SimBroker,
    readonly judge: SimJudge,
    readonly ledger: SimLedger,
  ) {}

  /** Reads what is new; after the loss of the tail, all of it again. */
  follow(): void {
    const { log, rewrites } = this.broker;
    const isRewritten = rewrites !== this.#rewrites;
    if (isRewritten) {
      this.#rewrites = rewrites;
      this.state = emptyState();
      this.claims.clear();
      this.#read = 0;
    }
    for (; this.#read < log.length; this.#read += 1) {
      const read = log[this.#read];
      if (read !== undefined) this.#take(read, isRewritten);
    }
  }

  /** Lets `lose` cut the log back, and notes who may still act on what is gone. */
  followLoss(lose: () => void): void {
    this.follow();
    const before = this.state;
    lose();
    this.follow();
    this.ledger.noteLoss(before, this.state, this.broker.clock.now);
  }

  /** What a reader must hold that has read up to an offset. */
  stateAt(offset: number): ClusterState {
    return foldEntries(emptyState(), this.broker.log.slice(0, offset + 1)).state;
  }

  /** Accepted entries in their order. */
  accepted(): readonly LogEntry[] {
    return foldEntries(emptyState(), this.broker.log).accepted.map(({ entry }) => entry);
  }

  #take(read: ReadEntry, wasSeen: boolean): void {
    const before = this.state;
    const { state, accepted } = foldEntries(before, [read]);
    this.state = state;
    if (accepted.length === 0) return;
    const { event, epoch, claimId } = read.entry;
    if (event.kind === 'claimed') this.claims.set(epoch, claimId);
    if (wasSeen) return;
    const { now } = this.broker.clock;
    this.judge.judge(before, read, now - (this.#acceptedAt.get(before.head.digest) ?? 0));
    this.ledger.judge(before, event, now);
    this.#acceptedAt.set(read.digest, now);
  }
}
