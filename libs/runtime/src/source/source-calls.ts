import type { CommittedPosition, SourcePartition, SourceRecord, SourceTaskContext } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import type { RecordOutcome } from './pending-batch.js';
import type { SourceLoopSpec } from './source-loop-options.js';

export interface SourceCallsOptions {
  readonly spec: Pick<SourceLoopSpec, 'task' | 'transforms' | 'counters' | 'logger' | 'traces'>;
  readonly lease: Lease;
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing is polled any more. */
  readonly stopping: AbortSignal;
  /** Aborted when nothing is committed any more. */
  readonly killed: AbortSignal;
  /** Aborted when a stop has no time left for calls that fail; also with `killed`. */
  readonly late: AbortSignal;
}

/** Calls the source's task, again after a retriable error. The loop makes one call at a time. */
export class SourceCalls {
  #isStarted = false;
  /** Stored positions that the task does not know of yet. */
  readonly #stored = new Map<SourcePartition, CommittedPosition>();
  /** What became of records, in order, and the task does not know yet. No more than it polled since the last call. */
  #outcomes: RecordOutcome[] = [];
  /** `commitRecord` failed: positions of records that the task does not know of must not be committed. */
  #isBroken = false;
  #isAtEnd = false;
  #hasEnded = false;

  constructor(private readonly options: SourceCallsOptions) {}

  async start(context: SourceTaskContext): Promise<void> {
    this.#isStarted = true;
    await this.options.spec.task.start(context);
  }

  /** Notes that the task has no more data: it is polled no more. */
  readonly noteEndOfData = (): void => {
    this.#isAtEnd = true;
  };

  /** The task has no more data. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** The task is stopped: nothing is called any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves with the next records, which are none once the task stops. */
  async poll(): Promise<readonly SourceRecord[]> {
    const { spec, policy, stopping } = this.options;
    const polled = await unlessAborted(
      retrying(policy('poll'), stopping, () => spec.task.poll(stopping)),
      stopping,
    );
    if (polled === undefined || polled.length === 0) return [];
    spec.counters.recordsPolled += polled.length;
    spec.counters.batchesPolled++;
    return polled;
  }

  /** The task knows of all stored positions, and of all records where it wants to. */
  get isCommitted(): boolean {
    return this.#stored.size === 0 && this.#outcomes.length === 0;
  }

  /** Notes what became of a record: the next commit begins with it. To be called before its position can be stored. */
  addOutcome(outcome: RecordOutcome): void {
    if (this.options.spec.task.commitRecord !== undefined) this.#outcomes.push(outcome);
  }

  /** Notes that a position is stored: the next commit has it. */
  addStored(position: CommittedPosition): void {
    if (!this.#hasEnded) this.#stored.set(position.partition, position);
  }

  /** Commits records and positions that were stored since the last call, unless the lease is lost. */
  async commit(): Promise<void> {
    const { spec, lease, late } = this.options;
    const { task } = spec;
    if (this.isCommitted || this.#isBroken || !lease.held) return;
    const positions = [...this.#stored.values()];
    this.#stored.clear();
    // The positions of what is acknowledged from now on are not among these.
    if (this.#outcomes.length > 0 && !(await this.#commitRecords())) return;
    if (task.commit === undefined || positions.length === 0) return;
    await this.#repeat('commit', async () => {
      await lease.whenHeld(late);
      await task.commit?.(positions);
    });
  }

  /** Returns whether the call succeeded; false where a stop had no more time for it. The next owner commits again. */
  async #repeat(name: string, call: () => Promise<void>): Promise<boolean> {
    const { policy, late, killed } = this.options;
    try {
      await retrying(policy(name), late, call);
      return true;
    } catch (error) {
      if (!late.aborted || killed.aborted) throw error;
      this.options.spec.logger.warn(`The task stops, though its ${name} has not succeeded: ${String(error)}`);
      return false;
    }
  }

  /** Returns whether the task knows of all of them. */
  async #commitRecords(): Promise<boolean> {
    const { spec, lease, late } = this.options;
    const { task } = spec;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    let next = 0;
    let areKnown = false;
    try {
      areKnown = await this.#repeat('commitRecord', async () => {
        await lease.whenHeld(late);
        for (let outcome = outcomes[next]; outcome !== undefined; outcome = outcomes[++next]) {
          const pending = task.commitRecord?.(outcome.record, outcome.metadata);
          if (pending === undefined) continue;
          await pending;
          late.throwIfAborted();
        }
      });
    } finally {
      this.#isBroken = !areKnown;
    }
    return areKnown;
  }

  /** Stops the task, if it was started, and closes the transforms; once. Never rejects. Nothing is traced any more. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stored.clear();
    const { task, transforms, logger, traces } = this.options.spec;
    traces?.end();
    try {
      if (this.#isStarted) await task.stop();
    } catch (error) {
      logger.warn(`The task's stop failed: ${String(error)}`);
    }
    await transforms.close().catch((error: unknown) => {
      logger.warn(`Closing the transforms failed: ${String(error)}`);
    });
  }
}
