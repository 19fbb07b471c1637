import { callKnownQueue, fittingAnswer, type PositionFile, type PositionQueueCopy, type ScopedLogger } from '@sluice/node';
import { queueKey } from '@sluice/sdk';
import { ConnectorPositions, positionsQueueOf, type ClusterTopics, type SourceGeneration, type StoredPositions } from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import type { PositionStore, PositionsWrite, SourceTaskId } from '@sluice/runtime';
import { PositionQueue, type PullPositions } from './position-queue.js';
import { PositionSender } from './position-sender.js';
import { RunnerError } from '../runner-error.js';
import { SharedCalls } from './shared-calls.js';
import type { SourceOwners } from './source-owners.js';

/** Thrown when a connector that has committed before has no positions: starting from zero would send duplicates of everything. */
export class PositionsMissingError extends RunnerError {
  constructor(readonly connector: string) {
    super(
      'POSITIONS_MISSING',
      `The positions of connector ${connector} are gone although it has committed some before: retention or a recreated topic took them. ` +
        'Set its offsets, or delete the connector and create it under another name',
      false,
    );
  }
}

/** Index of a writer that is none of the connector's tasks. */
const NO_TASK = -1;

/** Names a writer that runs no task of the connector. Only a barrier of a node that knows more than `asOf` of the log voids its writes. */
function outsider(asOf: number): SourceGeneration {
  return { index: NO_TASK, generation: asOf + 1 };
}

/** The positions up to a barrier, and the owners that the barrier names. */
interface Fenced {
  readonly positions: ConnectorPositions;
  readonly owners: SourceOwners;
}

/** Source positions on the positions topic, all of a connector in one queue. */
export class RocketMqPositionStore implements PositionStore {
  readonly #queues = new Map<number, PositionQueue>();
  readonly #sender: PositionSender;
  /** By connector, while tasks of the connector open. */
  readonly #fences = new Map<string, SharedCalls<Fenced>>();

  constructor(
    private readonly client: RocketMqClient,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
    private readonly group: string,
    /** What the log says now; at least up to the entry that assigned the task that opens. */
    private readonly ownersOf: (connector: string) => SourceOwners,
    private readonly logger: ScopedLogger,
  ) {
    this.#sender = new PositionSender(client, topics, brokerName);
  }

  /** Takes over what a file holds; queues that are not those of the file any more are read from their beginning. */
  restore(file: PositionFile): void {
    for (const copy of file.queues) this.#folded(copy.queueId).restore(copy);
  }

  async snapshot(): Promise<PositionFile> {
    const queues: PositionQueueCopy[] = [];
    for (const queue of [...this.#queues.values()]) queues.push(await queue.copy());
    return { version: 3, queues };
  }

  /** Folds all that is stored now, of every connector: {@link snapshot} is complete then. */
  async catchUp(): Promise<void> {
    const queueIds = Array.from({ length: this.topics.positions.queues }, (_, queueId) => queueId);
    await Promise.all(queueIds.map((queueId) => this.#readAll(queueId)));
  }

  open(task: SourceTaskId): Promise<StoredPositions> {
    return callKnownQueue(() => this.#takeOver(task));
  }

  write(task: SourceTaskId, change: PositionsWrite): Promise<void> {
    return this.#sender.write(task, change);
  }

  async refresh(task: SourceTaskId, beforeMs: number): Promise<void> {
    await this.#readAll(this.#queueIdOf(task.connector));
    const old = this.#oldOf(task.connector, beforeMs);
    if (old !== undefined) await this.write(task, { ...old, settled: [] });
  }

  /**
   * As {@link refresh}, by one who runs no task of the connector and knows the log up to entry `asOf`. Where a task has been given to somebody
   * since, that one's barrier ends this writer: readers ignore what it writes later.
   */
  refreshFor(connector: string, asOf: number, beforeMs: number): Promise<void> {
    return this.refresh({ connector, ...outsider(asOf) }, beforeMs);
  }

  /** Whether positions of the connector have to be written again, as of the last reading. */
  isDue(connector: string, beforeMs: number): boolean {
    return this.#oldOf(connector, beforeMs) !== undefined;
  }

  #oldOf(connector: string, beforeMs: number): Pick<PositionsWrite, 'partitions' | 'scans'> | undefined {
    const queue = this.#folded(this.#queueIdOf(connector));
    const old = queue.get(connector)?.toldBefore({ storedAtMs: beforeMs, offset: endangeredBefore(queue.bounds) });
    return old === undefined || old.partitions.length + old.scans.length === 0 ? undefined : old;
  }

  #readAll(queueId: number): Promise<void> {
    return callKnownQueue(() => this.#folded(queueId).readUpTo());
  }

  /** Opens a task. A barrier names all tasks of its connector: those that open while one is written and read share the next. */
  async #takeOver(task: SourceTaskId): Promise<StoredPositions> {
    const { connector } = task;
    let fences = this.#fences.get(connector);
    if (fences === undefined) this.#fences.set(connector, (fences = new SharedCalls(() => this.#fence(connector))));
    try {
      const { positions, owners } = await fences.next();
      if (positions.isEmpty && owners.hasCommitted) throw new PositionsMissingError(connector);
      return positions.storedFor(task, owners);
    } finally {
      if (fences.isIdle) this.#fences.delete(connector);
    }
  }

  async #fence(connector: string): Promise<Fenced> {
    const owners = this.ownersOf(connector);
    const queueId = this.#queueIdOf(connector);
    const folded = this.#folded(queueId);
    const live = [...owners.live].map(([index, generation]) => ({ index, generation }));
    const { asOf } = owners;
    const offset = await this.#sender.send({ kind: 'barrier', connector, ...outsider(asOf), asOf, live });
    await folded.readUpTo(offset + 1);
    return { positions: folded.get(connector) ?? new ConnectorPositions(connector), owners };
  }

  #queueIdOf(connector: string): number {
    return positionsQueueOf(connector, this.topics);
  }

  #refOf(queueId: number): QueueRef {
    return { topic: this.topics.positions.name, brokerName: this.brokerName, queueId };
  }

  #folded(queueId: number): PositionQueue {
    let folded = this.#queues.get(queueId);
    if (folded === undefined) {
      const queue = this.#refOf(queueId);
      const { client, group } = this;
      const pull: PullPositions = (offset, suspendMs) =>
        fittingAnswer(32, (maxMessages) => client.consumer.pull({ queue, offset, group, maxMessages, suspendMs }));
      folded = new PositionQueue(queueId, queueKey(queue), pull, this.logger);
      this.#queues.set(queueId, folded);
    }
    return folded;
  }
}

/** Retention has begun to take a queue where its first offset is not 0: the older half of what is left is written again. */
function endangeredBefore({ minOffset, endOffset }: PositionQueue['bounds']): number {
  return minOffset === 0 ? 0 : minOffset + Math.ceil((endOffset - minOffset) / 2);
}
