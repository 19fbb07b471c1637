import type { CommittedPosition, SourcePartition, SourceRecord, SourceTaskContext } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';
import { unlessAborted } from '../retry/unless-aborted.js';
import type { RecordOutcome } from './pending-batch.js';
import type { SourceLoopSpec } from './source-loop-options.js';

export interface SourceCallsOptions {
  readonly spec: Pick<SourceLoopSpec, 'task' | 'transforms' | 'counters' | 'logger'>;
  readonly lease: Lease;
  readonly policy: (call: string) => RetryPolicy;
  /** Aborted when nothing is polled any more. */
  readonly stopping: AbortSignal;
  /** Aborted when nothing is committed any more. */
  readonly killed: AbortSignal;
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
    spec.counters.recordsPolled += polled?.length ?? 0;
    return polled ?? [];
  }

  /** The task knows of all stored positions, and of all records where it wants to. */
  get isCommitted(): boolean {
    return this.#stored.size === 0 && this.#outcomes.length === 0;
  }

  /** Notes what became of a record: the next commit begins with it. To be called before its position can be stored. */
  addOutcome(outcome: RecordOutcome): void {
    this.#outcomes.push(outcome);
  }

  /** Notes that a position is stored: the next commit has it. */
  addStored(position: CommittedPosition): void {
    if (!this.#hasEnded) this.#stored.set(position.partition, position);
  }

  /** Commits records and positions that were stored since the last call, unless the lease is lost. */
  async commit(): Promise<void> {
    const { spec, lease, policy, killed } = this.options;
    const { task } = spec;
    if (this.isCommitted || this.#isBroken || !lease.held) return;
    const positions = [...this.#stored.values()];
    this.#stored.clear();
    // The positions of what is acknowledged from now on are not among these.
    if (this.#outcomes.length > 0) await this.#commitRecords();
    if (task.commit === undefined || positions.length === 0) return;
    await retrying(policy('commit'), killed, async () => {
      await lease.whenHeld(killed);
      await task.commit?.(positions);
    });
  }

  async #commitRecords(): Promise<void> {
    const { spec, lease, policy, killed } = this.options;
    const { task } = spec;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    let next = 0;
    try {
      await retrying(policy('commitRecord'), killed, async () => {
        await lease.whenHeld(killed);
        for (let outcome = outcomes[next]; outcome !== undefined; outcome = outcomes[++next]) {
          const pending = task.commitRecord?.(outcome.record, outcome.metadata);
          if (pending === undefined) continue;
          await pending;
          killed.throwIfAborted();
        }
      });
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** Stops the task, if it was started, and closes the transforms; once. Never rejects. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stored.clear();
    const { task, transforms, logger } = this.options.spec;
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
