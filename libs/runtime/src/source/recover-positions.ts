import { type Stamp, streamId } from '@sluice/protocol';
import { queueKey, type QueueRef, type SourcePosition } from '@sluice/sdk';
import type { PartitionPosition, StoredPositions } from '../ports/position-store.port.js';
import { readTail, type TailReading } from './read-tail.js';

export interface PositionRecovery {
  readonly connector: string;
  readonly task: string;
  readonly reading: TailReading;
  /** Sends the new generation's barrier and returns its offset. */
  readonly sendBarrier: (queue: QueueRef) => Promise<number>;
  /** A tail that could not be examined in full. */
  readonly incomplete: (message: string) => void;
}

/** Where a partition goes on: after the last record that its queues really have. */
export interface RecoveredPartition {
  readonly stored: PartitionPosition;
  readonly stream: string;
  readonly seq: number;
  readonly position: SourcePosition | undefined;
  /** Above `seq`, by seq: in a queue already, while the record after `seq` is missing. */
  readonly ahead: ReadonlyMap<number, SourcePosition>;
}

export interface RecoveredPositions {
  readonly partitions: readonly RecoveredPartition[];
  /** Offsets of the barriers, by queue. */
  readonly barriers: ReadonlyMap<string, { readonly queue: QueueRef; readonly barrierOffset: number }>;
}

interface Progress {
  readonly stored: PartitionPosition;
  readonly stream: string;
  seq: number;
  position: SourcePosition | undefined;
  readonly ahead: Map<number, SourcePosition>;
}

/**
 * Finds out what a task's earlier generations left in its queues: a barrier into each, so that nothing of theirs counts after it, then
 * everything from the stored place up to the barrier.
 */
export async function recoverPositions(
  recovery: PositionRecovery,
  stored: StoredPositions,
): Promise<RecoveredPositions> {
  const queues = new Map<string, QueueRef>();
  for (const { queue } of stored.queues) queues.set(queueKey(queue), queue);
  for (const { routes } of stored.partitions) for (const queue of routes) queues.set(queueKey(queue), queue);

  const progress = new Map<string, Progress>();
  let generation = 0;
  for (const partition of stored.partitions) {
    const stream = streamId(recovery.connector, partition.partition);
    const seq = partition.nextSeq - 1;
    progress.set(stream, { stored: partition, stream, seq, position: partition.position, ahead: aheadOf(partition) });
    generation = Math.max(generation, partition.generation);
  }
  const scans = new Map(stored.queues.map((scan) => [queueKey(scan.queue), scan.scanFrom]));
  const barriers = new Map<string, { queue: QueueRef; barrierOffset: number }>();
  await Promise.all(
    [...queues].map(async ([key, queue]) => {
      const barrierOffset = await recovery.sendBarrier(queue);
      barriers.set(key, { queue, barrierOffset });
      // A route without a place to scan from was stored by a generation that ended before it sent anything there.
      const from = scans.get(key) ?? barrierOffset;
      await examine(recovery, { queue, from, barrierOffset, generation, progress });
    }),
  );
  return { partitions: [...progress.values()].map(asRecovered), barriers };
}

interface Examination {
  readonly queue: QueueRef;
  readonly from: number;
  readonly barrierOffset: number;
  readonly generation: number;
  readonly progress: ReadonlyMap<string, Progress>;
}

async function examine(recovery: PositionRecovery, examination: Examination): Promise<void> {
  const { queue, from, barrierOffset, generation, progress } = examination;
  if (from > barrierOffset) {
    recovery.incomplete(
      `Queue ${queueKey(queue)} ends at ${barrierOffset}, before offset ${from} that was reached earlier: it was created anew or lost its ` +
        `tail. The stored positions are used; records between may be missing from it`,
    );
    return;
  }
  const cut = await readTail(recovery.reading, {
    queue,
    from,
    barrierOffset,
    task: recovery.task,
    generation,
    onStamp: (stamp) => {
      const known = progress.get(stamp.stream);
      if (known !== undefined) note(known, stamp);
    },
  });
  if (cut === undefined) return;
  recovery.incomplete(
    `Retention removed offsets ${cut.from} to ${cut.minOffset - 1} of queue ${queueKey(queue)} before they could be examined; what is left of ` +
      `it and the stored positions are used, so records may be sent twice`,
  );
}

function note(known: Progress, stamp: Stamp): void {
  if (stamp.seq <= known.seq) return;
  // In one queue there are no holes, but for what retention removed.
  if (stamp.seq > known.seq + 1 && known.stored.routes.length > 1) {
    known.ahead.set(stamp.seq, stamp.position);
    return;
  }
  known.seq = stamp.seq;
  known.position = stamp.position;
  for (let next = known.ahead.get(known.seq + 1); next !== undefined; next = known.ahead.get(known.seq + 1)) {
    known.seq++;
    known.position = next;
    known.ahead.delete(known.seq);
  }
}

function aheadOf(stored: PartitionPosition): Map<number, SourcePosition> {
  return new Map(stored.ahead?.map(({ seq, position }) => [seq, position]));
}

function asRecovered({ stored, stream, seq, position, ahead }: Progress): RecoveredPartition {
  return { stored, stream, seq, position, ahead };
}
