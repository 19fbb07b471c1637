import { queueKey } from '@sluice/sdk';
import { positionJson, withBigints } from './position-value.js';
import type { PartitionPosition, PositionBarrier, PositionMessage, PositionWrite, QueueScan, SourceGeneration } from './position.codec.js';

/** Where a message stands in its queue, and since when: milliseconds since the epoch, by the broker's clock. */
export interface MessagePlace {
  readonly storedAtMs: number;
  readonly offset: number;
}

/** Something that is stored, and the message that last said so. */
interface Told<T> extends MessagePlace {
  readonly value: T;
}

/** Everything known of one connector, as plain data. */
export interface ConnectorPositionsCopy {
  readonly connector: string;
  readonly floor: number;
  readonly floors: readonly (readonly [index: number, floor: number])[];
  readonly partitions: readonly Told<PartitionPosition>[];
  readonly scans: readonly Told<QueueScan>[];
}

/** Who runs the tasks of a connector, as the log says up to entry `asOf`. */
export interface ConnectorOwners {
  readonly asOf: number;
  /** The generation that holds a task, by task index; also one that is asked to stop. Tasks that nobody holds are missing. */
  readonly live: ReadonlyMap<number, number>;
  /** Generations from this one on run the present task configs; older ones may have had other partitions under the same index. */
  readonly tasksSince: number;
}

/** What a generation finds at its start. */
export interface StoredPositions {
  /** Positions whose owner is over: whoever gets the partition resumes here, once `unsettled` is examined. */
  readonly free: readonly PartitionPosition[];
  /** Positions of partitions that belong to other tasks, and are only to be looked at. */
  readonly held: readonly PartitionPosition[];
  /** Queues that owners of free positions left without stopping in good order. */
  readonly unsettled: readonly QueueScan[];
}

/**
 * The positions of one connector, folded from the messages of its queue. They belong to source partitions, whatever task wrote them:
 *
 * - once a barrier has ended a generation, readers ignore what that generation writes;
 * - of two versions of a position the later generation is valid, within a generation the later revision. So anybody may write a stored
 *   position again, at any time.
 */
export class ConnectorPositions {
  readonly #partitions = new Map<string, Told<PartitionPosition>>();
  readonly #scans = new Map<string, Told<QueueScan>>();
  /** Positions as they are in memory: all tasks of the connector that start on a node are given the same objects. */
  readonly #inMemory = new WeakMap<PartitionPosition, PartitionPosition>();
  /** Smaller generations of a task are over. */
  readonly #floors = new Map<number, number>();
  /** The same for tasks that no barrier named. */
  #floor = 0;

  constructor(readonly connector: string) {}

  get isEmpty(): boolean {
    return this.#partitions.size === 0;
  }

  /** Applies the next message of the connector. Returns false, and ignores it, when a newer generation has replaced its writer. */
  apply(message: PositionMessage, place: MessagePlace): boolean {
    if (message.generation < this.#floorOf(message.index)) return false;
    switch (message.kind) {
      case 'barrier':
        this.#fence(message);
        return true;
      case 'write':
        this.#write(message, place);
        return true;
    }
  }

  /** What the task's new generation finds. Its barrier must have been applied. */
  storedFor(task: SourceGeneration, owners: ConnectorOwners): StoredPositions {
    const isOver = ({ index, generation }: SourceGeneration): boolean =>
      index === task.index ? generation <= task.generation : owners.live.get(index) !== generation;
    /** One that ended under the present task configs is followed by another of the same task, which looks after it. */
    const isOurs = (owner: SourceGeneration): boolean =>
      isOver(owner) && (owner.index === task.index || owner.generation < owners.tasksSince);
    const unsettled = [...this.#scans.values()].map(({ value }) => value);
    const waiting = new Set(unsettled.filter(({ owner }) => !isOurs(owner)).map(({ owner }) => generationKey(owner)));
    const free: PartitionPosition[] = [];
    const held: PartitionPosition[] = [];
    for (const { value } of this.#partitions.values()) {
      const isWaiting = waiting.size > 0 && waiting.has(generationKey(value.owner));
      const isFree = isOver(value.owner) && !isWaiting;
      (isFree ? free : held).push(this.#inMemoryOf(value));
    }
    return { free, held, unsettled: unsettled.filter(({ owner }) => isOurs(owner)) };
  }

  /** What no message has said since a time, or an offset: it has to be written again before the topic's retention takes it. */
  toldBefore(limit: MessagePlace): Pick<PositionWrite, 'partitions' | 'scans'> {
    const isOld = ({ storedAtMs, offset }: MessagePlace): boolean => storedAtMs < limit.storedAtMs || offset < limit.offset;
    const old = <T>(told: Iterable<Told<T>>): T[] => [...told].filter(isOld).map(({ value }) => value);
    return { partitions: old(this.#partitions.values()), scans: old(this.#scans.values()) };
  }

  copy(): ConnectorPositionsCopy {
    return {
      connector: this.connector,
      floor: this.#floor,
      floors: [...this.#floors],
      partitions: [...this.#partitions.values()],
      scans: [...this.#scans.values()],
    };
  }

  static restore(copy: ConnectorPositionsCopy): ConnectorPositions {
    const restored = new ConnectorPositions(copy.connector);
    restored.#floor = copy.floor;
    for (const [index, floor] of copy.floors) restored.#floors.set(index, floor);
    for (const told of copy.partitions) restored.#partitions.set(positionJson(told.value.partition), told);
    for (const told of copy.scans) restored.#scans.set(scanKey(told.value), told);
    return restored;
  }

  #inMemoryOf(value: PartitionPosition): PartitionPosition {
    let position = this.#inMemory.get(value);
    if (position === undefined) this.#inMemory.set(value, (position = withBigints(value)));
    return position;
  }

  #floorOf(index: number): number {
    return this.#floors.get(index) ?? this.#floor;
  }

  #fence({ asOf, live }: PositionBarrier): void {
    const held = new Map(live.map(({ index, generation }) => [index, generation]));
    for (const index of new Set([...this.#floors.keys(), ...held.keys()])) {
      this.#floors.set(index, Math.max(this.#floorOf(index), held.get(index) ?? asOf + 1));
    }
    this.#floor = Math.max(this.#floor, asOf + 1);
  }

  #write({ partitions, scans, settled }: PositionWrite, place: MessagePlace): void {
    for (const value of partitions) {
      const key = positionJson(value.partition);
      const known = this.#partitions.get(key);
      if (known === undefined || isNotOlder(value, known.value)) this.#partitions.set(key, { value, ...place });
    }
    for (const value of scans) {
      const key = scanKey(value);
      const known = this.#scans.get(key);
      if (known === undefined || value.scanFrom >= known.value.scanFrom) this.#scans.set(key, { value, ...place });
    }
    const done = new Set<string>();
    for (const { queue, ...owner } of settled) {
      if (queue === undefined) done.add(generationKey(owner));
      else this.#scans.delete(scanKey({ owner, queue }));
    }
    if (done.size === 0) return;
    for (const [key, { value }] of this.#scans) if (done.has(generationKey(value.owner))) this.#scans.delete(key);
  }
}

function isNotOlder(next: PartitionPosition, known: PartitionPosition): boolean {
  const { generation } = next.owner;
  return generation === known.owner.generation ? next.revision >= known.revision : generation > known.owner.generation;
}

/** `<index>.<generation>`: names a generation among those of its connector. */
export function generationKey({ index, generation }: SourceGeneration): string {
  return `${index}.${generation}`;
}

function scanKey({ owner, queue }: Pick<QueueScan, 'owner' | 'queue'>): string {
  return `${generationKey(owner)} ${queueKey(queue)}`;
}
