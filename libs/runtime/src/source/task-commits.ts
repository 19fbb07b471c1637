import type { CommittedPosition, SourcePartition, SourceTask } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import type { Lease } from '../ports/lease.port.js';
import { retrying, type RetryPolicy } from '../retry/retrying.js';

export interface PositionCommitting {
  readonly task: Pick<SourceTask, 'commit'>;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly policy: () => Omit<RetryPolicy, 'clock'>;
  readonly signal: AbortSignal;
}

/** Stored positions that the source task was not told of yet. */
export class PositionCommits {
  private readonly waiting = new Map<SourcePartition, CommittedPosition>();

  constructor(private readonly committing: PositionCommitting) {}

  get isEmpty(): boolean {
    return this.waiting.size === 0;
  }

  add(position: CommittedPosition): void {
    this.waiting.set(position.partition, position);
  }

  /** Calls the task's `commit`, which must not run beside `poll`, for what was stored since the last call. */
  async run(): Promise<void> {
    const { task, lease, clock, policy, signal } = this.committing;
    if (this.isEmpty || !lease.held) return;
    const positions = [...this.waiting.values()];
    this.waiting.clear();
    if (task.commit === undefined) return;
    await retrying({ ...policy(), clock }, signal, async () => {
      await lease.whenHeld(signal);
      await task.commit?.(positions);
    });
  }
}
