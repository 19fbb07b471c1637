import { type ClusterState, emptyState, foldEntries, type LogEntry, type ReadEntry, recordsOf, stateOfRecords } from '@sluice/core';
import type { SimBroker } from './sim-broker.js';
import type { SimJudge } from './sim-judge.js';
import type { SimLedger } from './sim-ledger.js';
import { wrongPairs } from './sim-pairs.js';

/** What the log says to one who sees all of it at every moment. */
export class SimTruth {
  state: ClusterState = emptyState();
  /** Claims that were accepted and are still in the log, by epoch. */
  readonly claims = new Map<number, string>();
  /** Epochs of all claims that were ever accepted. */
  readonly epochs = new Map<string, number>();
  #read = 0;
  #rewrites = 0;
  #base: ClusterState;
  /** Folds the same again: no code of the nodes judges what the log builds on. */
  #origin = emptyState();
  /** All that were ever accepted, by digest: those of a restored log build on some that its topic does not hold. */
  readonly #accepted = new Map<string, LogEntry>();
  /** Highest number of an entry that was ever accepted. */
  #highestSeq = -1;
  /** When entries were accepted, by their digests: the head may go back to an older one. */
  readonly #acceptedAt = new Map<string, number>();

  constructor(
    readonly broker: SimBroker,
    readonly judge: SimJudge,
    readonly ledger: SimLedger,
  ) {
    this.#base = broker.base;
  }

  /** Reads what is new; after the loss of the tail, all of it again. */
  follow(): void {
    const { log, rewrites, base } = this.broker;
    const isRewritten = rewrites !== this.#rewrites || base !== this.#base;
    if (isRewritten) {
      this.#rewrites = rewrites;
      this.#base = base;
      this.#origin = stateOfRecords(recordsOf(base)) ?? emptyState();
      this.state = this.#origin;
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
    return foldEntries(this.#origin, this.broker.log.slice(0, offset + 1)).state;
  }

  /** Accepted entries in their order, from the first one of the first log on. */
  accepted(): readonly LogEntry[] {
    const chain: LogEntry[] = [];
    for (let entry = this.#accepted.get(this.state.head.digest); entry !== undefined;) {
      chain.push(entry);
      entry = this.#accepted.get(entry.prevDigest);
    }
    return chain.reverse();
  }

  /** A log is to begin with `state`: its numbers are above all that were ever given. */
  judgeRestored({ head }: ClusterState): void {
    this.follow();
    if (head.seq <= this.#highestSeq) this.broker.violate(`a restored log continues at ${head.seq} after ${this.#highestSeq}`);
  }

  #take(read: ReadEntry, wasSeen: boolean): void {
    const before = this.state;
    const { state, accepted } = foldEntries(before, [read]);
    this.state = state;
    if (accepted.length === 0) return;
    this.#accepted.set(read.digest, read.entry);
    for (const what of wrongPairs(before, state)) this.broker.violate(what);
    // Nobody keeps numbers of a restore that was broken off.
    if (read.entry.event.kind !== 'snapshot.chunk') this.#highestSeq = Math.max(this.#highestSeq, read.entry.seq);
    const { event, epoch, claimId } = read.entry;
    if (event.kind === 'claimed') {
      this.claims.set(epoch, claimId);
      this.epochs.set(claimId, epoch);
    }
    if (wasSeen) return;
    const { now } = this.broker.clock;
    this.judge.judge(before, read, now - (this.#acceptedAt.get(before.head.digest) ?? 0));
    this.ledger.judge(before, event, now);
    this.#acceptedAt.set(read.digest, now);
  }
}
