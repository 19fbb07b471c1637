import { queueKey } from '@sluice/sdk';
import {
  ConnectorPositions,
  decodePosition,
  encodePosition,
  MalformedMessageError,
  positionsQueueOf,
  type ClusterTopics,
  type ConnectorPositionsCopy,
  type PositionMessage,
  type StoredPositions,
} from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import type { PositionStore, PositionsWrite, SourceTaskId } from '@sluice/runtime';
import { callKnownQueue } from '../adapters/known-queue.js';
import type { ScopedLog } from '../logging/node-log.js';
import type { SourceOwners } from './source-owners.js';
import { splitWrite } from './split-write.js';

/** What was folded of one positions queue. */
interface FoldedQueue {
  nextOffset: number;
  readonly connectors: Map<string, ConnectorPositions>;
  /** Reads of one queue follow each other. */
  reading: Promise<void>;
}

/** The content of `position.json`: per queue, how far it was folded and what came out. */
export interface PositionFile {
  readonly version: 2;
  readonly queues: readonly {
    readonly queueId: number;
    readonly nextOffset: number;
    readonly connectors: readonly ConnectorPositionsCopy[];
  }[];
}

/** Thrown when a connector that has committed before has no positions: starting from zero would double everything. */
export class PositionsMissingError extends Error {
  override readonly name = 'PositionsMissingError';
  readonly retriable = false;
  constructor(readonly connector: string) {
    super(
      `The positions of connector ${connector} are gone although it has committed some before: retention or a recreated topic took them. ` +
        'Set its offsets, or delete the connector and create it under another name',
    );
  }
}

/** Thrown when a broker has acknowledged a message and does not show it. */
class QueueNotShownError extends Error {
  override readonly name = 'QueueNotShownError';
  readonly retriable = true;
}

const sendTimeoutMs = 5000;
/** A broker acknowledges a message a moment before it shows it: a pull waits this long for it. */
const suspendMs = 500;
const maxEmptyPulls = 20;
/** Index of a writer that is none of the connector's tasks. */
const noTask = -1;
/** Well below the 4 MiB that a message may have. */
const maxMessageBytes = 2 * 1024 * 1024;

/** Source positions on the positions topic, all of a connector in one queue. */
export class RocketMqPositionStore implements PositionStore {
  private readonly queues = new Map<number, FoldedQueue>();

  constructor(
    private readonly client: RocketMqClient,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
    private readonly group: string,
    /** What the log says now; at least up to the entry that assigned the task that opens. */
    private readonly ownersOf: (connector: string) => SourceOwners,
    private readonly log: ScopedLog,
  ) {}

  /** Takes over what a file holds; queues that do not go on there are read from their beginning. */
  restore(file: PositionFile): void {
    for (const { queueId, nextOffset, connectors } of file.queues) {
      const folded = this.folded(queueId);
      folded.nextOffset = nextOffset;
      for (const copy of connectors) folded.connectors.set(copy.connector, ConnectorPositions.restore(copy));
    }
  }

  snapshot(): PositionFile {
    return {
      version: 2,
      queues: [...this.queues].map(([queueId, { nextOffset, connectors }]) => ({
        queueId,
        nextOffset,
        connectors: [...connectors.values()].map((positions) => positions.copy()),
      })),
    };
  }

  /** Folds all that is stored now, of every connector: {@link snapshot} is complete then. */
  async catchUp(): Promise<void> {
    const { positions } = this.topics;
    await Promise.all(
      Array.from({ length: positions.queues }, (_, queueId) =>
        this.readAll({ topic: positions.name, brokerName: this.brokerName, queueId }),
      ),
    );
  }

  open(task: SourceTaskId): Promise<StoredPositions> {
    return callKnownQueue(() => this.takeOver(task));
  }

  async write(task: SourceTaskId, change: PositionsWrite): Promise<void> {
    const queue = this.queueOf(task.connector);
    for (const message of splitWrite(task, change, maxMessageBytes)) {
      await callKnownQueue(() => this.send(queue, message));
    }
  }

  async refresh(task: SourceTaskId, beforeMs: number): Promise<void> {
    const queue = this.queueOf(task.connector);
    await this.readAll(queue);
    const old = this.folded(queue.queueId).connectors.get(task.connector)?.toldBefore(beforeMs);
    if (old === undefined || old.partitions.length + old.scans.length === 0) return;
    await this.write(task, { ...old, settled: [] });
  }

  /**
   * As {@link refresh}, for a connector of which no task runs, by one who knows the log up to entry `asOf`. Where a task has been given to
   * somebody since, that one's barrier ends this writer: what it writes later does not count.
   */
  refreshUnattended(connector: string, asOf: number, beforeMs: number): Promise<void> {
    return this.refresh({ connector, index: noTask, generation: asOf + 1 }, beforeMs);
  }

  private readAll(queue: QueueRef): Promise<void> {
    const folded = this.folded(queue.queueId);
    return callKnownQueue(async () => {
      // Others may read on meanwhile: what they find is no sign of a queue that was cut.
      const knownOffset = folded.nextOffset;
      const { maxOffset } = await this.pull(queue, knownOffset, 0);
      await this.readUpTo(queue, folded, maxOffset, maxOffset < knownOffset);
    });
  }

  private async takeOver(task: SourceTaskId): Promise<StoredPositions> {
    const { connector, index, generation } = task;
    const owners = this.ownersOf(connector);
    const queue = this.queueOf(connector);
    const folded = this.folded(queue.queueId);
    const knownOffset = folded.nextOffset;
    const live = [...owners.live].map(([held, by]) => ({ index: held, generation: by }));
    const barrier = { kind: 'barrier', connector, index, generation, asOf: owners.asOf, live } as const;
    const offset = await this.send(queue, barrier);
    await this.readUpTo(queue, folded, offset + 1, offset < knownOffset);
    const positions = folded.connectors.get(connector) ?? new ConnectorPositions(connector);
    if (positions.isEmpty && owners.hasCommitted) throw new PositionsMissingError(connector);
    return positions.storedFor(task, owners);
  }

  private async send(queue: QueueRef, message: PositionMessage): Promise<number> {
    const body = encodePosition(message);
    const { firstOffset } = await this.client.producer.send(queue, { body }, { timeoutMs: sendTimeoutMs });
    return firstOffset;
  }

  private queueOf(connector: string): QueueRef {
    const { positions } = this.topics;
    return {
      topic: positions.name,
      brokerName: this.brokerName,
      queueId: positionsQueueOf(connector, this.topics),
    };
  }

  private folded(queueId: number): FoldedQueue {
    let queue = this.queues.get(queueId);
    if (queue === undefined) {
      queue = { nextOffset: 0, connectors: new Map(), reading: Promise.resolve() };
      this.queues.set(queueId, queue);
    }
    return queue;
  }

  /** Folds everything before offset `end`. `isAnew`: the queue ends before what was read of it, so that does not count. */
  private async readUpTo(queue: QueueRef, folded: FoldedQueue, end: number, isAnew: boolean): Promise<void> {
    folded.reading = folded.reading
      .catch(() => undefined)
      .then(async () => {
        if (isAnew) {
          this.log.warn(`Positions queue ${queueKey(queue)} ends before what was read of it: it is read anew`);
          folded.nextOffset = 0;
          folded.connectors.clear();
        }
        await this.foldUpTo(queue, folded, end);
      });
    await folded.reading;
  }

  private async foldUpTo(queue: QueueRef, folded: FoldedQueue, end: number): Promise<void> {
    for (let emptyPulls = 0; folded.nextOffset < end;) {
      const from = folded.nextOffset;
      const answer = await this.pull(queue, from, suspendMs);
      if (answer.kind === 'offset-moved' && answer.nextOffset <= from) {
        throw new Error(`Positions queue ${queueKey(queue)} cannot be read at offset ${String(from)}`);
      }
      for (const message of answer.kind === 'found' ? answer.messages : []) {
        this.fold(folded, message.queueOffset, message.storeTimestamp, message.body);
      }
      folded.nextOffset = answer.nextOffset;
      emptyPulls = answer.nextOffset > from ? 0 : emptyPulls + 1;
      if (emptyPulls < maxEmptyPulls) continue;
      throw new QueueNotShownError(
        `Positions queue ${queueKey(queue)} shows nothing at offset ${String(from)} although it reaches to ${String(end)}`,
      );
    }
  }

  private pull(queue: QueueRef, offset: number, waitMs: number): ReturnType<RocketMqClient['consumer']['pull']> {
    const { group } = this;
    return this.client.consumer.pull({ queue, offset, group, maxMessages: 32, suspendMs: waitMs });
  }

  private fold(folded: FoldedQueue, offset: number, storedAtMs: number, body: Buffer): void {
    try {
      const message = decodePosition(body);
      let positions = folded.connectors.get(message.connector);
      if (positions === undefined) {
        positions = new ConnectorPositions(message.connector);
        folded.connectors.set(message.connector, positions);
      }
      const { connector, index, generation } = message;
      if (positions.apply(message, storedAtMs)) return;
      this.log.warn(
        `Offset ${String(offset)} of the positions does not count: generation ${String(generation)} of task ${connector}-${String(index)} is over`,
      );
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.log.warn(`Offset ${String(offset)} of the positions is skipped: ${error.message}`);
    }
  }
}
