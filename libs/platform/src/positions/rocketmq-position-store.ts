import { queueKey } from '@sluice/sdk';
import {
  decodePosition,
  encodePosition,
  foldPosition,
  MalformedMessageError,
  positionsQueueOf,
  type ClusterTopics,
  type PositionWrite,
  type TaskPositions,
} from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import type {
  PartitionPosition,
  PositionStore,
  PositionsWrite,
  QueueScan,
  SourceTaskId,
  StoredPositions,
} from '@sluice/runtime';
import { callKnownQueue } from '../adapters/known-queue.js';
import type { ScopedLog } from '../logging/node-log.js';

/** What was folded of one positions queue. */
interface FoldedQueue {
  nextOffset: number;
  readonly tasks: Map<string, TaskPositions>;
  /** Reads of one queue follow each other. */
  reading: Promise<void>;
}

/** The content of `position.json`: per queue, how far it was folded and what came out. */
export interface PositionFile {
  readonly version: 1;
  readonly queues: readonly {
    readonly queueId: number;
    readonly nextOffset: number;
    readonly tasks: readonly TaskPositions[];
  }[];
}

/** Thrown when a task that has committed before has no positions: starting from zero would double everything. */
export class PositionsMissingError extends Error {
  override readonly name = 'PositionsMissingError';
  readonly retriable = false;
  constructor(task: SourceTaskId) {
    super(
      `The positions of task ${taskName(task)} are gone although it has committed some before: retention or a recreated topic took them. ` +
        'Set its offsets, or delete the connector and create it under another name',
    );
  }
}

const sendTimeoutMs = 5000;
const pullTimeoutMs = 5000;
/** Well below the 4 MiB that a message may have. */
const maxMessageBytes = 2 * 1024 * 1024;

/** Source positions on the positions topic. */
export class RocketMqPositionStore implements PositionStore {
  private readonly queues = new Map<number, FoldedQueue>();

  constructor(
    private readonly client: RocketMqClient,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
    private readonly group: string,
    private readonly hasCommitted: (task: SourceTaskId) => boolean,
    private readonly log: ScopedLog,
  ) {}

  /** Takes over what a file holds; queues that do not go on there are read from their beginning. */
  restore(file: PositionFile): void {
    for (const { queueId, nextOffset, tasks } of file.queues) {
      this.queues.set(queueId, {
        nextOffset,
        tasks: new Map(tasks.map((task) => [taskName(task), task])),
        reading: Promise.resolve(),
      });
    }
  }

  snapshot(): PositionFile {
    return {
      version: 1,
      queues: [...this.queues].map(([queueId, { nextOffset, tasks }]) => ({
        queueId,
        nextOffset,
        tasks: [...tasks.values()],
      })),
    };
  }

  open(task: SourceTaskId): Promise<StoredPositions> {
    return callKnownQueue(() => this.takeOver(task));
  }

  async write(task: SourceTaskId, change: PositionsWrite): Promise<void> {
    for (const message of splitWrite(task, change)) {
      const body = encodePosition(message);
      await callKnownQueue(() => this.client.producer.send(this.queueOf(task), { body }, { timeoutMs: sendTimeoutMs }));
    }
  }

  private async takeOver(task: SourceTaskId): Promise<StoredPositions> {
    const { connector, index, generation } = task;
    const queue = this.queueOf(task);
    const barrier = encodePosition({ kind: 'barrier', connector, index, generation });
    const { firstOffset } = await this.client.producer.send(queue, { body: barrier }, { timeoutMs: sendTimeoutMs });
    const folded = this.folded(queue.queueId);
    // The barrier itself stays unread: the state wanted is the one before it.
    folded.reading = folded.reading.catch(() => undefined).then(() => this.readUpTo(queue, folded, firstOffset));
    await folded.reading;
    const stored = folded.tasks.get(taskName(task));
    if (stored === undefined || Object.keys(stored.entries).length === 0) {
      if (this.hasCommitted(task)) throw new PositionsMissingError(task);
    }
    if (stored === undefined) return { partitions: [], queues: [], clean: true };
    return {
      partitions: Object.values(stored.entries) as PartitionPosition[],
      queues: Object.values(stored.scans) as QueueScan[],
      clean: stored.clean,
    };
  }

  private queueOf(task: SourceTaskId): QueueRef {
    return {
      topic: this.topics.positions.name,
      brokerName: this.brokerName,
      queueId: positionsQueueOf(task.connector, task.index, this.topics),
    };
  }

  private folded(queueId: number): FoldedQueue {
    let queue = this.queues.get(queueId);
    if (queue === undefined) {
      queue = { nextOffset: 0, tasks: new Map(), reading: Promise.resolve() };
      this.queues.set(queueId, queue);
    }
    return queue;
  }

  private async readUpTo(queue: QueueRef, folded: FoldedQueue, end: number): Promise<void> {
    if (folded.nextOffset > end) {
      this.log.warn(`Positions queue ${queueKey(queue)} ends before what was read of it: it is read anew`);
      folded.nextOffset = 0;
      folded.tasks.clear();
    }
    while (folded.nextOffset < end) {
      const answer = await this.client.consumer.pull({
        queue,
        offset: folded.nextOffset,
        group: this.group,
        maxMessages: 32,
        suspendMs: 0,
        timeoutMs: pullTimeoutMs,
      });
      if (answer.kind === 'offset-moved' && answer.nextOffset <= folded.nextOffset) {
        throw new Error(`Positions queue ${queueKey(queue)} cannot be read at offset ${String(folded.nextOffset)}`);
      }
      for (const message of answer.kind === 'found' ? answer.messages : []) {
        if (message.queueOffset >= end) break;
        this.fold(folded, message.queueOffset, message.body);
      }
      folded.nextOffset = Math.min(answer.nextOffset, end);
    }
  }

  private fold(folded: FoldedQueue, offset: number, body: Buffer): void {
    try {
      const message = decodePosition(body);
      const key = taskName(message);
      folded.tasks.set(key, foldPosition(folded.tasks.get(key), message));
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.log.warn(`Offset ${String(offset)} of the positions is skipped: ${error.message}`);
    }
  }
}

function taskName(task: { readonly connector: string; readonly index: number }): string {
  return `${task.connector}-${String(task.index)}`;
}

/** The text form of a partition: its fields in the order of their names. */
function partitionKey(position: PartitionPosition): string {
  return JSON.stringify(Object.entries(position.partition).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * One message, or several when it would be too large: partitions first, then queues, `clean` only in the last. A split change never replaces
 * what is stored as a whole.
 */
function splitWrite(task: SourceTaskId, change: PositionsWrite): readonly PositionWrite[] {
  const { connector, index, generation } = task;
  const base = { kind: 'write', connector, index, generation } as const;
  const entries = change.partitions.map((position) => [partitionKey(position), position] as const);
  const scans = change.queues.map((scan) => [queueKey(scan.queue), scan] as const);
  const whole: PositionWrite = {
    ...base,
    clean: change.clean,
    full: change.full,
    entries: Object.fromEntries(entries),
    scans: Object.fromEntries(scans),
  };
  if (encodePosition(whole).length <= maxMessageBytes) return [whole];
  const chunks: PositionWrite[] = [];
  for (const part of chunksBySize(entries)) {
    chunks.push({ ...base, clean: false, full: false, entries: Object.fromEntries(part), scans: {} });
  }
  const scanParts = chunksBySize(scans);
  for (const [at, part] of scanParts.entries()) {
    const last = at === scanParts.length - 1;
    chunks.push({ ...base, clean: last && change.clean, full: false, entries: {}, scans: Object.fromEntries(part) });
  }
  return chunks;
}

function chunksBySize<T>(items: readonly (readonly [string, T])[]): readonly (readonly (readonly [string, T])[])[] {
  const chunks: (readonly [string, T])[][] = [[]];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item));
    if (bytes + size > maxMessageBytes / 2 && bytes > 0) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)?.push(item);
    bytes += size;
  }
  return chunks;
}
