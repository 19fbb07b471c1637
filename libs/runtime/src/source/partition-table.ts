import { describePosition, stampPrefix, streamId, taskId, type PartitionPosition, type SourceGeneration } from '@sluice/protocol';
import {
  ConnectError,
  ConnectErrorCode,
  MAX_POSITIONS_PER_CALL,
  queueKey,
  type NamedQueue,
  type QueueRef,
  type SourcePartition,
  type SourcePosition,
} from '@sluice/sdk';
import { chooseQueue } from './choose-queue.js';
import { PartitionState, type RecordRoute } from './partition-state.js';
import type { PendingBatch } from './pending-batch.js';
import { inKeyOrder, placeOf, queueNamed } from './queue-keys.js';
import { QueueLane } from './queue-lane.js';
import type { QueueLaneOptions } from './queue-lane-options.js';
import { isStop } from './writable-queues.js';

/** How long a list of a topic's queues is used: closed queues open again, and operators add queues. */
const QUEUES_FRESH_MS = 30_000;

/** All tasks of a connector that start on a node are given the same positions: each is hashed once, not once a task. */
const streamsOfStored = new WeakMap<PartitionPosition, { readonly connector: string; readonly stream: string }>();

export interface PartitionTableOptions {
  readonly connector: string;
  readonly task: SourceGeneration;
  readonly laneOptions: QueueLaneOptions;
}

/** Reports that two tasks of a connector read the same source partition: their records would void each other. */
export class PartitionHeldError extends ConnectError {
  constructor(
    readonly connector: string,
    { partition, owner }: PartitionPosition,
  ) {
    super(
      ConnectErrorCode.positionInvalid,
      `Partition ${describePosition(partition)} of connector ${connector} belongs to task ${owner.index}, generation ${owner.generation}; ` +
        'a partition has one task, and moves only with new task configs',
    );
  }
}

/** Reports that the records of a partition name two queues: readers would get them in another order, or twice. */
export class PartitionQueueError extends ConnectError {
  constructor(partition: SourcePartition, known: QueueRef, named: QueueRef) {
    super(
      ConnectErrorCode.positionInvalid,
      `Partition ${describePosition(partition)} has its records in queue ${queueKey(known)}, and one names queue ${queueKey(named)}; ` +
        'all raw records of a partition go to one queue, for good',
    );
  }
}

/**
 * Returns what a look-up returns for each partition, in their order.
 * @throws ConnectError for too many partitions
 */
export function lookUpMany<T>(partitions: readonly SourcePartition[], lookUp: (partition: SourcePartition) => T): readonly T[] {
  const { length } = partitions;
  if (length <= MAX_POSITIONS_PER_CALL) return partitions.map(lookUp);
  const message = `The task asks for the positions of ${length} partitions in one call; at most ${MAX_POSITIONS_PER_CALL} are allowed`;
  throw new ConnectError(ConnectErrorCode.requestInvalid, message);
}

/** Holds the partitions of a task, the queues that they write to, and the lanes of these queues. */
export class PartitionTable {
  readonly #byStream = new Map<string, PartitionState>();
  /** What nobody works on, by stream. */
  readonly #free = new Map<string, PartitionPosition>();
  /** What other tasks work on, by stream. */
  readonly #held = new Map<string, PartitionPosition>();
  /** Sources mostly use one object per partition for many records. */
  readonly #byObject = new WeakMap<SourcePartition, PartitionState>();
  readonly #lanesByKey = new Map<string, QueueLane>();
  /** By topic: the queues among which keys choose. They stay as they are, so that a key keeps its queue. */
  readonly #keyedQueues = new Map<string, readonly QueueRef[]>();
  readonly #addedQueues = new Map<string, readonly QueueRef[]>();
  readonly #queuesByTopic = new Map<string, { readonly queues: readonly QueueRef[]; readonly atMs: number }>();
  /** How many partitions go to a queue, by its key: those that a task works on, and those that nobody does. */
  readonly #loads = new Map<string, number>();
  readonly #idleLoads = new Map<string, number>();
  /** `loads` and `idleLoads` hold stored partitions, once a queue has to be chosen: most tasks that start find a queue for each partition. */
  #isStoredCounted = false;

  readonly #taskId: string;

  constructor(private readonly options: PartitionTableOptions) {
    this.#taskId = taskId(options.connector, options.task.index);
  }

  /** Takes note of what other generations stored. Nothing of it is this task's until it has a record of the partition. */
  load(free: readonly PartitionPosition[], held: readonly PartitionPosition[]): void {
    for (const stored of free) this.#free.set(this.#streamOfStored(stored), stored);
    for (const stored of held) this.#held.set(this.#streamOfStored(stored), stored);
  }

  get idle(): boolean {
    for (const lane of this.#lanesByKey.values()) if (!lane.idle) return false;
    return true;
  }

  /** Has idle lanes store where others have come meanwhile. Never rejects: what fails now is asked again the next time. */
  async catchUp(minMessages: number): Promise<void> {
    await Promise.allSettled([...this.#lanesByKey.values()].map((lane) => lane.catchUp(minMessages)));
  }

  /** Has the partitions of closed queues leave them: brokers still take what is sent there. Never rejects. */
  async leaveClosedQueues(): Promise<void> {
    const { queues, whenOverdue } = this.options.laneOptions;
    if (whenOverdue === 'stay') return;
    await Promise.all(
      [...this.#lanesByKey.values()].map(async (lane) => {
        const look = await queues.look(lane.queue);
        if (isStop(look) && look.isOverdue && look.state === 'closed') lane.leave(look);
      }),
    );
  }

  all(): Iterable<PartitionState> {
    return this.#byStream.values();
  }

  lanes(): Iterable<QueueLane> {
    return this.#lanesByKey.values();
  }

  /** Up to where the partition is stored, and whether this task may resume there. */
  lookUp(partition: SourcePartition): { readonly position: SourcePosition | undefined; readonly isFree: boolean } {
    const stream = this.#streamOf(partition);
    const own = this.#byStream.get(stream);
    if (own !== undefined) return { position: own.storedPosition, isFree: true };
    const held = this.#held.get(stream);
    return held === undefined ? { position: this.#free.get(stream)?.position, isFree: true } : { position: held.position, isFree: false };
  }

  /**
   * The partition's state. From the first call on the partition is this task's: it resumes where its last owner ended, a new one begins
   * with seq 1.
   *
   * @throws PartitionHeldError
   */
  obtain(partition: SourcePartition): PartitionState {
    const known = this.#byObject.get(partition);
    if (known !== undefined) return known;
    const stream = this.#streamOf(partition);
    const state = this.#byStream.get(stream) ?? this.#claim(partition, stream);
    this.#byObject.set(partition, state);
    return state;
  }

  /** `queues` must not be empty. */
  setQueues(topic: string, queues: readonly QueueRef[]): void {
    this.#queuesByTopic.set(topic, { queues, atMs: this.options.laneOptions.clock.nowMs() });
  }

  /** Returns the queues of a topic; undefined where they have to be looked up. */
  queuesOf(topic: string): readonly QueueRef[] | undefined {
    const known = this.#queuesByTopic.get(topic);
    if (known === undefined) return undefined;
    return this.options.laneOptions.clock.nowMs() - known.atMs < QUEUES_FRESH_MS ? known.queues : undefined;
  }

  /** What they were at the last look. */
  lastQueuesOf(topic: string): readonly QueueRef[] | undefined {
    return this.#queuesByTopic.get(topic)?.queues;
  }

  /** Gives the partition a queue among those of the topic. `undefined` when the topic has none that can be written. */
  chooseRoute(state: PartitionState, queues: readonly QueueRef[]): QueueLane | undefined {
    const queue = this.#choose(queues);
    if (queue === undefined) return undefined;
    return this.#route(state, queue);
  }

  /**
   * Gives the partition the queue that its records name, whether it is there or not.
   * @throws PartitionQueueError where it has another one
   */
  ownRoute(state: PartitionState, queue: QueueRef): QueueLane {
    const known = state.firstLane;
    if (known === undefined) return this.#route(state, queue);
    if (known.key !== queueKey(queue)) throw new PartitionQueueError(state.partition, known.queue, queue);
    return known;
  }

  /** Returns the partition's way to the queue that `bytes` choose; `undefined` where the topic's queues have to be looked up. */
  keyedRoute(state: PartitionState, topic: string, bytes: Uint8Array): RecordRoute | undefined {
    const queues = this.keyedQueues(topic);
    const queue = queues?.[placeOf(bytes, queues.length)];
    return queue === undefined ? undefined : this.#keyedRouteTo(state, queue);
  }

  /** Returns the partition's way to the queue that a record names; `undefined` where that is not among {@link keyedQueues}, or these are not known. */
  namedRoute(state: PartitionState, topic: string, named: NamedQueue): RecordRoute | undefined {
    const queues = this.keyedQueues(topic);
    if (queues === undefined) return undefined;
    const queue =
      queueNamed(queues, named) ?? (typeof named === 'number' ? undefined : queueNamed(this.#addedQueues.get(topic) ?? [], named));
    return queue === undefined ? undefined : this.#keyedRouteTo(state, queue);
  }

  /** Notes a queue that was added after the others of its topic were looked up. Records may name it; keys do not choose it. */
  addQueue(queue: QueueRef): void {
    const { topic } = queue;
    this.#addedQueues.set(topic, [...(this.#addedQueues.get(topic) ?? []), queue]);
  }

  /** Returns the queues of a topic among which keys choose, in their order; `undefined` where they have to be looked up. */
  keyedQueues(topic: string): readonly QueueRef[] | undefined {
    const known = this.#keyedQueues.get(topic);
    if (known !== undefined) return known;
    const found = this.queuesOf(topic);
    if (found === undefined) return undefined;
    const queues = inKeyOrder(found);
    this.#keyedQueues.set(topic, queues);
    return queues;
  }

  #keyedRouteTo(state: PartitionState, queue: QueueRef): RecordRoute {
    const { topic } = queue;
    const lane = this.#lane(queue);
    const known = state.keyedRoute(lane);
    if (known !== undefined) return known;
    const route = { topic, lane, stampPrefix: this.stampPrefixOf(state, lane) };
    state.addKeyedRoute(route);
    return route;
  }

  /**
   * Gives all partitions of a lane one of `queues` instead, the least loaded, with what the lane has not sent. Returns its lane and the moved
   * partitions.
   */
  moveLane(lane: QueueLane, queues: readonly QueueRef[]): { readonly to: QueueLane; readonly moved: readonly PartitionState[] } {
    const queue = this.#choose(queues);
    if (queue === undefined) throw new TypeError('A lane moves to one of several queues');
    const to = this.#lane(queue);
    const { topic } = lane.queue;
    const moved = [...this.#byStream.values()].filter((state) => state.routeTo(topic) === lane);
    for (const state of moved) this.#route(state, queue);
    addTo(this.#loads, lane.queue, -moved.length);
    this.#queuesByTopic.set(topic, { queues, atMs: -Infinity });
    to.adopt(lane.giveAway());
    return { to, moved };
  }

  /**
   * Lists in the partitions which of their records are in a queue although one before them is in none. Returns whether there is none. To be called
   * when nothing is sent any more.
   */
  listAhead(): boolean {
    const batches = new Set<PendingBatch>();
    for (const state of this.#byStream.values()) for (const batch of state.openBatches()) batches.add(batch);
    let isWhole = true;
    for (const batch of batches) if (!batch.noteStored()) isWhole = false;
    return isWhole;
  }

  /** Forgets a lane that no partition uses and whose queue holds nothing of interest. */
  forget(lane: QueueLane): void {
    if (lane.isLeft) this.#lanesByKey.delete(lane.key);
  }

  #choose(queues: readonly QueueRef[]): QueueRef | undefined {
    this.#countStored();
    const loads = this.#loads;
    const idleLoads = this.#idleLoads;
    const { connector, task } = this.options;
    return chooseQueue({ queues, connector, taskIndex: task.index, loads, idleLoads });
  }

  #countStored(): void {
    if (this.#isStoredCounted) return;
    this.#isStoredCounted = true;
    for (const { routes } of this.#free.values()) for (const queue of routes) addTo(this.#idleLoads, queue, 1);
    for (const { routes } of this.#held.values()) for (const queue of routes) addTo(this.#loads, queue, 1);
  }

  /** What the partition's stamps in the lane's queue begin with. */
  stampPrefixOf(state: PartitionState, lane: QueueLane): string {
    return stampPrefix(this.#taskId, state.stream, lane.tag, this.options.task.generation);
  }

  #claim(partition: SourcePartition, stream: string): PartitionState {
    const { connector } = this.options;
    const held = this.#held.get(stream);
    if (held !== undefined) throw new PartitionHeldError(connector, held);
    const stored = this.#free.get(stream);
    this.#free.delete(stream);
    const state = new PartitionState(partition, stream, stored);
    // Of several queues of one topic, which keys chose, the partition stays with the last.
    const routes = new Map(stored?.routes.map((queue) => [queue.topic, queue]));
    for (const queue of stored?.routes ?? []) if (this.#isStoredCounted) addTo(this.#idleLoads, queue, -1);
    if (!this.options.laneOptions.isKeyed) for (const queue of routes.values()) this.#route(state, queue);
    this.#byStream.set(stream, state);
    return state;
  }

  /** Has the partition send to a queue from now on. */
  #route(state: PartitionState, queue: QueueRef): QueueLane {
    const lane = this.#lane(queue);
    addTo(this.#loads, queue, 1);
    lane.enter();
    state.setRoute(queue.topic, lane);
    return lane;
  }

  #streamOfStored(stored: PartitionPosition): string {
    const { connector } = this.options;
    const known = streamsOfStored.get(stored);
    if (known?.connector === connector) return known.stream;
    const stream = this.#streamOf(stored.partition);
    streamsOfStored.set(stored, { connector, stream });
    return stream;
  }

  #streamOf(partition: SourcePartition): string {
    return streamId(this.options.connector, partition);
  }

  #lane(queue: QueueRef): QueueLane {
    const key = queueKey(queue);
    let lane = this.#lanesByKey.get(key);
    if (lane === undefined) {
      lane = new QueueLane(queue, this.options.laneOptions);
      this.#lanesByKey.set(key, lane);
    }
    return lane;
  }
}

function addTo(loads: Map<string, number>, queue: QueueRef, count: number): void {
  const key = queueKey(queue);
  loads.set(key, (loads.get(key) ?? 0) + count);
}
