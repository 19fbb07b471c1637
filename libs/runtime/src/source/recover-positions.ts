import {
  generationKey,
  streamId,
  taskId,
  type Barrier,
  type PartitionPosition,
  type QueueScan,
  type SourceGeneration,
  type Stamp,
} from '@sluice/protocol';
import { queueKey, type QueueRef, type SourcePosition } from '@sluice/sdk';
import type { SourceTaskId } from '../ports/position-store.port.js';
import { QueueLostError } from './writable-queues.js';
import { readTail, type TailReading } from './read-tail.js';

export interface PositionRecovery {
  /** The new generation. */
  readonly task: SourceTaskId;
  readonly reading: TailReading;
  /** See `boundTail`. */
  readonly boundTail: (queue: QueueRef, barrier: Barrier) => Promise<number>;
  /** A tail that could not be examined in full. */
  readonly incomplete: (message: string) => void;
}

/** How far the records of a partition are in their queues. */
interface Progress {
  readonly stored: PartitionPosition;
  seq: number;
  position: SourcePosition | undefined;
  /** Above `seq`, by seq: the owner sent them, and the record after `seq` is missing. */
  readonly ahead: Map<number, SourcePosition>;
  /** The same, sent by an earlier generation. The owner may have numbered other records so: only the records themselves can tell. */
  readonly earlier: ReadonlyMap<number, SourcePosition>;
}

/**
 * Finds out what generations that did not stop in good order left in their queues. A barrier in each queue voids what they send after it; then all from
 * the stored place up to the barrier is read. Returns the positions of their partitions as the queues have them.
 *
 * The barriers void these generations and no later one. So several new generations may do this side by side, while others send already. The first
 * barrier decides what is valid, and all find the same.
 */
export async function recoverPositions(
  recovery: PositionRecovery,
  partitions: readonly PartitionPosition[],
  unsettled: readonly QueueScan[],
): Promise<readonly PartitionPosition[]> {
  const { connector } = recovery.task;
  const byOwner = new Map<string, Map<string, Progress>>();
  for (const { owner } of unsettled) byOwner.set(generationKey(owner), new Map());
  for (const stored of partitions) {
    const { owner, partition, nextSeq, position } = stored;
    const earlier = new Map(stored.ahead?.map((item) => [item.seq, item.position]));
    const progress: Progress = { stored, seq: nextSeq - 1, position, ahead: new Map(), earlier };
    byOwner.get(generationKey(owner))?.set(streamId(connector, partition), progress);
  }
  await Promise.all(unsettled.map((scan) => examine(recovery, scan, byOwner.get(generationKey(scan.owner)) ?? new Map())));
  return [...byOwner.values()].flatMap((streams) => [...streams.values()].map(asPosition));
}

async function examine(recovery: PositionRecovery, scan: QueueScan, streams: ReadonlyMap<string, Progress>): Promise<void> {
  try {
    await examineQueue(recovery, scan, streams);
  } catch (error) {
    if (!(error instanceof QueueLostError)) throw error;
    recovery.incomplete(`${error.message}, and is not examined: the stored positions are used, so records may be sent twice`);
  }
}

async function examineQueue(
  recovery: PositionRecovery,
  { owner, queue, scanFrom }: QueueScan,
  streams: ReadonlyMap<string, Progress>,
): Promise<void> {
  const task = taskId(recovery.task.connector, owner.index);
  const to = await recovery.boundTail(queue, { task, generation: firstValid(owner, recovery.task) });
  if (scanFrom > to) {
    recovery.incomplete(
      `Queue ${queueKey(queue)} ends at ${to}, before offset ${scanFrom} that was reached earlier: it was created again or lost its ` +
        `tail. The task resumes at its stored positions: the queue may lack records before them, and may get records after them twice`,
    );
    return;
  }
  const cut = await readTail(recovery.reading, {
    queue,
    from: scanFrom,
    to,
    task,
    generation: owner.generation,
    onStamp: (stamp) => {
      const known = streams.get(stamp.stream);
      if (known !== undefined && stamp.generation === owner.generation) note(known, stamp);
    },
  });
  if (cut === undefined) return;
  recovery.incomplete(
    `Retention removed offsets ${cut.from} to ${cut.minOffset - 1} of queue ${queueKey(queue)} before they could be examined; what is left of ` +
      `it and the stored positions are used, so records may be sent twice`,
  );
}

/** Returns the smallest generation of the owner's task that is valid from now on. The new generation may be a second try of the owner itself. */
function firstValid(owner: SourceGeneration, task: SourceTaskId): number {
  const next = owner.generation + 1;
  return owner.index === task.index ? Math.min(next, task.generation) : next;
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

function asPosition({ stored, seq, position, ahead, earlier }: Progress): PartitionPosition {
  const { partition, routes, owner, revision } = stored;
  const above = new Map([...earlier, ...ahead].filter(([at]) => at > seq));
  return {
    partition,
    ...(position === undefined ? {} : { position }),
    nextSeq: seq + 1,
    routes,
    ...(above.size === 0 ? {} : { ahead: [...above].map(([at, after]) => ({ seq: at, position: after })) }),
    owner,
    revision: revision + 1,
  };
}
