import type { RocketMqClient } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { identityAmong } from './cluster-identity.js';
import { Pace, PairComparison, type PairResult, type PairState } from './compare-pair.js';
import { type FlowEnds, pairQueues } from './pair-queues.js';
import { VerifyReport } from './verify-report.js';
import { loadState, saveState, type VerifySubject } from './verify-state.js';

/** What is compared, and how. */
export interface VerifyOptions {
  /** URLs, for reports. */
  readonly from: string;
  readonly to: string;
  /**
   * Chooses topics of the source among all that it has, given the names of its cluster and brokers; returns them sorted.
   *
   * @throws Error for one that is not there
   */
  readonly chooseTopics: (listed: readonly string[], servers: ReadonlySet<string>) => readonly string[];
  /** How the topics of the target are named: `${topic}` stands for the source's name. */
  readonly targetTopic: string;
  readonly connector: string | undefined;
  readonly queueMap: ReadonlyMap<string, string>;
  /** Keeps how far it is. */
  readonly stateFile: string | undefined;
  /** Messages of a second, of both sides together, that are looked at. */
  readonly ratePerSecond: number;
  /** Pairs of queues that are compared at once. */
  readonly parallel: number;
  /** The flow is stopped, and has copied everything. */
  readonly isComplete: boolean;
  readonly isFromFirstCopy: boolean;
  /** Hears every second how far it is. */
  readonly onProgress: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly messages: number;
  readonly pairs: number;
  readonly pairsDone: number;
}

const PROGRESS_MS = 1_000;
const SAVE_MS = 5_000;

/**
 * Compares topics of two clusters, queue by queue.
 *
 * @throws Error where a topic is missing, the state is of another comparison, or a side gives no messages. The state file has what is known by then.
 */
export async function verify(
  clients: { readonly from: RocketMqClient; readonly to: RocketMqClient },
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const { from, to, targetTopic, connector, queueMap, stateFile } = options;
  const [sourceTopics, targetTopics] = await Promise.all([
    clients.from.admin.listTopics({ signal }),
    clients.to.admin.listTopics({ signal }),
  ]);
  const ends: FlowEnds = {
    source: clients.from,
    target: clients.to,
    sourceIdentity: identityAmong(sourceTopics, from),
    targetIdentity: identityAmong(targetTopics, to),
  };
  if (ends.sourceIdentity === ends.targetIdentity) throw new Error(`--from and --to are the same cluster, ${ends.sourceIdentity}`);
  const { brokers } = await clients.from.admin.clusterInfo({ signal });
  const topics = options.chooseTopics(sourceTopics, new Set(brokers.flatMap(({ brokerName, cluster }) => [brokerName, cluster])));
  const subject: VerifySubject = {
    from: ends.sourceIdentity,
    to: ends.targetIdentity,
    connector: connector ?? null,
    targetTopic,
    topics,
    queueMap: [...queueMap].map(([one, other]) => `${one}=${other}`).sort(),
  };
  const kept = stateFile === undefined ? undefined : await loadState(stateFile, subject);
  const states: PairState[] = [];
  for (const topic of topics) {
    const pairs = await pairQueues(ends, { source: topic, target: targetNameOf(targetTopic, topic) }, { connector, queueMap }, signal);
    states.push(...pairs.map((pair) => keptOf(kept?.pairs, pair) ?? { pair }));
  }
  return new Verification(ends, states, subject, options, signal).run();
}

/** Returns the name of the topic with the copies of another one. */
function targetNameOf(pattern: string, topic: string): string {
  return pattern.replaceAll('${topic}', () => topic);
}

/** Finds the state of a pair. One without copies, or whose copies are elsewhere by now, starts again. */
function keptOf(kept: readonly PairState[] | undefined, { source, copies }: PairState['pair']): PairState | undefined {
  return kept?.find(
    ({ pair }) =>
      queueKey(pair.source) === queueKey(source) &&
      pair.copies !== undefined &&
      copies !== undefined &&
      queueKey(pair.copies.queue) === queueKey(copies.queue) &&
      pair.copies.stream === copies.stream,
  );
}

class Verification {
  readonly #pace: Pace;
  readonly #comparisons: readonly PairComparison[];
  readonly #results: (PairResult | undefined)[];
  #next = 0;
  #saving: Promise<void> = Promise.resolve();
  #saveError: Error | undefined;

  constructor(
    ends: FlowEnds,
    states: readonly PairState[],
    private readonly subject: VerifySubject,
    private readonly options: VerifyOptions,
    private readonly signal: AbortSignal,
  ) {
    const pace = (this.#pace = new Pace(options.ratePerSecond));
    this.#comparisons = states.map((state) => new PairComparison(ends, state, { pace, signal }));
    this.#results = states.map(() => undefined);
  }

  async run(): Promise<VerifyReport> {
    const { options } = this;
    const timers = [
      setInterval(() => {
        options.onProgress(this.#progress);
      }, PROGRESS_MS),
      setInterval(() => {
        this.#save();
      }, SAVE_MS),
    ];
    try {
      const workers = Array.from({ length: Math.min(options.parallel, this.#comparisons.length) }, () => this.#work());
      const ends = await Promise.allSettled(workers);
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    } finally {
      for (const timer of timers) clearInterval(timer);
      this.#save();
      await this.#saving;
    }
    if (this.#saveError !== undefined) throw this.#saveError;
    const results = this.#results.filter((result) => result !== undefined);
    return new VerifyReport({ from: options.from, to: options.to, results, isFromFirstCopy: options.isFromFirstCopy });
  }

  async #work(): Promise<void> {
    for (let index = this.#next++; index < this.#comparisons.length && this.#saveError === undefined; index = this.#next++) {
      this.signal.throwIfAborted();
      try {
        this.#results[index] = await this.#comparisons[index]?.run(this.options.isComplete);
      } catch (error) {
        // The other workers take no further pair.
        this.#next = this.#comparisons.length;
        throw error;
      }
    }
  }

  /** Writes the state as it is now, one write after the other. */
  #save(): void {
    const { stateFile } = this.options;
    if (stateFile === undefined) return;
    this.#saving = this.#saving
      .then(() => saveState(stateFile, { subject: this.subject, pairs: this.#comparisons.map(({ state }) => state) }))
      .catch((error: unknown) => {
        this.#saveError ??= error as Error;
      });
  }

  get #progress(): VerifyProgress {
    const pairsDone = this.#results.filter((result) => result !== undefined).length;
    return { messages: this.#pace.total, pairs: this.#comparisons.length, pairsDone };
  }
}
