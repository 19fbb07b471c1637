import { stampPrefix, streamId } from '@sluice/protocol';
import { queueKey, type QueueRef, type SourcePartition } from '@sluice/sdk';
import type { StoredPositions } from '../ports/position-store.port.js';
import { chooseQueue } from './choose-queue.js';
import { PartitionState } from './partition-state.js';
import { type LaneContext, QueueLane } from './queue-lane.js';
import type { RecoveredPositions } from './recover-positions.js';

export interface PartitionTableOptions {
  readonly connector: string;
  readonly task: string;
  readonly generation: number;
  readonly laneContext: LaneContext;
}

/** The partitions of a task, the queues they write to, and the lanes of these queues. */
export class PartitionTable {
  private readonly byStream = new Map<string, PartitionState>();
  /** Sources mostly use one object per partition for many records. */
  private readonly byObject = new WeakMap<SourcePartition, PartitionState>();
  private readonly lanesByKey = new Map<string, QueueLane>();
  private readonly queuesByTopic = new Map<string, readonly QueueRef[]>();

  constructor(private readonly options: PartitionTableOptions) {}

  /** Takes over what a generation that stopped in good order stored. */
  takeOver(stored: StoredPositions): void {
    for (const { queue, scanFrom } of stored.queues) {
      const key = queueKey(queue);
      this.lanesByKey.set(key, new QueueLane(queue, this.options.laneContext, undefined, scanFrom));
    }
    for (const { partition, position, nextSeq, routes, ahead } of stored.partitions) {
      const state = this.add(partition, streamId(this.options.connector, partition), nextSeq - 1, position);
      for (const { seq, position: aheadPosition } of ahead ?? []) state.ahead.set(seq, aheadPosition);
      this.addRoutes(state, routes);
    }
  }

  /** Takes over what was found in the queues. */
  restore(recovered: RecoveredPositions): void {
    for (const [key, { queue, barrierOffset }] of recovered.barriers) {
      this.lanesByKey.set(key, new QueueLane(queue, this.options.laneContext, barrierOffset));
    }
    for (const { stored, stream, seq, position, ahead } of recovered.partitions) {
      const state = this.add(stored.partition, stream, seq, position);
      for (const [aheadSeq, aheadPosition] of ahead) state.ahead.set(aheadSeq, aheadPosition);
      this.addRoutes(state, stored.routes);
    }
  }

  get idle(): boolean {
    for (const lane of this.lanesByKey.values()) if (!lane.idle) return false;
    return true;
  }

  all(): Iterable<PartitionState> {
    return this.byStream.values();
  }

  lanes(): Iterable<QueueLane> {
    return this.lanesByKey.values();
  }

  find(partition: SourcePartition): PartitionState | undefined {
    return this.byObject.get(partition) ?? this.byStream.get(streamId(this.options.connector, partition));
  }

  /** The partition's state; a new one begins with seq 1. */
  obtain(partition: SourcePartition): PartitionState {
    const known = this.byObject.get(partition);
    if (known !== undefined) return known;
    const stream = streamId(this.options.connector, partition);
    const state = this.byStream.get(stream) ?? this.add(partition, stream, 0, undefined);
    this.byObject.set(partition, state);
    return state;
  }

  /** `queues` must not be empty. */
  setQueues(topic: string, queues: readonly QueueRef[]): void {
    this.queuesByTopic.set(topic, queues);
  }

  /** The queues of a topic as far as they were looked up. */
  queuesOf(topic: string): readonly QueueRef[] | undefined {
    return this.queuesByTopic.get(topic);
  }

  /** Gives the partition a queue among those of the topic, for good. `undefined` when the topic has none that can be written. */
  chooseRoute(state: PartitionState, topic: string, queues: readonly QueueRef[]): QueueLane | undefined {
    const queue = chooseQueue(state.stream, queues);
    if (queue === undefined) return undefined;
    const lane = this.lane(queue);
    state.routes.set(topic, lane);
    return lane;
  }

  private add(
    partition: SourcePartition,
    stream: string,
    storedSeq: number,
    position: PartitionState['storedPosition'],
  ): PartitionState {
    const prefix = stampPrefix(this.options.task, stream, this.options.generation);
    const state = new PartitionState(partition, stream, prefix, storedSeq, position);
    this.byStream.set(stream, state);
    return state;
  }

  private addRoutes(state: PartitionState, routes: readonly QueueRef[]): void {
    for (const queue of routes) state.routes.set(queue.topic, this.lane(queue));
    state.storedRoutes = state.routes.size;
  }

  private lane(queue: QueueRef): QueueLane {
    const key = queueKey(queue);
    let lane = this.lanesByKey.get(key);
    if (lane === undefined) {
      lane = new QueueLane(queue, this.options.laneContext);
      this.lanesByKey.set(key, lane);
    }
    return lane;
  }
}
