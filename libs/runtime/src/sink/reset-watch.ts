import type { QueueRef } from '@sluice/sdk';
import type { OffsetCommits } from './offset-commits.js';
import type { QueueIntake } from './queue-intake.js';
import type { QueueSet } from './queue-set.js';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface ResetWatchOptions {
  readonly spec: Pick<SinkLoopSpec, 'group'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'clock'>;
  readonly queues: QueueSet;
  readonly commits: Pick<OffsetCommits, 'heldQueues'>;
}

/** For so long an accepted commit proves that no operator has reset a queue. Less than the 4 s between two looks: the commit of a look ends after it. */
const COMMIT_AGAIN_MS = 2000;

/** Finds queues whose offset has to be committed once more, for an operator may have reset the group there. */
export class ResetWatch {
  /** The keys of the queues whose broker is being asked for the group's offset. */
  readonly #asked = new Set<string>();

  constructor(private readonly options: ResetWatchOptions) {}

  /**
   * Asks the brokers, and reports each queue whose offset has to be committed once more as soon as its broker answers. The group has another offset where
   * an operator has reset it, or a broker has lost it. Only a commit shows a reset to the committed offset: a queue with nothing to flush, or with rare
   * flushes, needs one. Leaves out queues that are held, and those whose broker has not answered yet.
   */
  lookForDue(found: (queue: QueueRef) => void): void {
    const { queues, commits } = this.options;
    for (const intake of queues.all()) {
      const { key, queue } = intake;
      if (commits.heldQueues.has(key) || this.#asked.has(key)) continue;
      this.#asked.add(key);
      void this.#isDue(intake).then((isDue) => {
        this.#asked.delete(key);
        if (isDue) found(queue);
      });
    }
  }

  /** Never rejects: a broker that does not answer is asked again. */
  async #isDue(intake: QueueIntake): Promise<boolean> {
    const { spec, ports } = this.options;
    const nowMs = ports.clock.nowMs();
    try {
      const offset = await ports.offsets.read(spec.group, intake.queue);
      const hasRecentCommit = nowMs - (intake.accepted?.atMs ?? -Infinity) < COMMIT_AGAIN_MS;
      const willCommit = intake.isAdvanced;
      return offset !== intake.committed || !(hasRecentCommit && willCommit);
    } catch {
      return false;
    }
  }
}
