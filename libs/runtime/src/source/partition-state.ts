import { positionJson, type PartitionPosition, type SourceGeneration } from '@sluice/protocol';
import type { QueueRef, SourcePartition, SourcePosition } from '@sluice/sdk';
import type { PendingBatch } from './pending-batch.js';
import type { QueueLane } from './queue-lane.js';

/** The records of one partition within one batch, up to `lastSeq`. */
export interface Segment {
  readonly partition: PartitionState;
  readonly batch: PendingBatch;
  lastSeq: number;
  /** After the segment's last record. */
  position: SourcePosition;
  /** What its records take in a list of those that are ahead, in UTF-16 units. */
  aheadUnits: number;
}

/** The queues of a topic that a position lists where keys choose them. Two show that records may be ahead; scans name those to be read. */
const MAX_LISTED_PER_TOPIC = 2;

/** The way of a topic's records. */
export interface RecordRoute {
  readonly topic: string;
  readonly lane: QueueLane;
  /** What stamps in the lane's queue begin with. */
  readonly stampPrefix: string;
}

export interface PartitionSnapshot {
  readonly position: PartitionPosition;
  /** As the source gave it. */
  readonly partition: SourcePartition;
  /** To be called when the position store has it. */
  readonly stored: () => void;
}

/**
 * Keeps what a source task knows of one partition. One sequence numbers its records, whatever topics they go to. It is stored up to the first record
 * that is not acknowledged, so that queues which run ahead of each other cannot hide a hole.
 */
export class PartitionState {
  /** By topic. */
  readonly #lanes = new Map<string, QueueLane>();
  /** The seq of the last record that was given to a batch. */
  #lastSeq: number;
  /** Up to here everything is acknowledged. */
  #storedSeq: number;
  #lastStored: SourcePosition | undefined;
  /** By lane, where records choose their queues one by one. */
  readonly #keyedRoutes = new Map<QueueLane, RecordRoute>();
  /** Those of them that the position lists, by topic. */
  readonly #listedQueues = new Map<string, QueueRef[]>();
  /** It has several routes. */
  #isSpread = false;
  /** Grows with every change of a route. */
  #routesVersion = 0;
  /** The version that the position store knows as this generation's. */
  #storedRoutesVersion = 0;
  /** Records above the stored one that are in a queue, by seq: a generation does not send again what the one before has listed. */
  readonly ahead = new Map<number, SourcePosition>();
  /** The source gave other records than before its restart, and nobody knows yet. */
  #isReordered = false;
  #streamBytes: Uint8Array | undefined;
  /** Of the last record. */
  #lastRoute: RecordRoute | undefined;
  readonly #segments: Segment[] = [];
  /** Of all segments. */
  #aheadUnits = 0;
  #revision: number;

  constructor(
    readonly partition: SourcePartition,
    /** The partition's number in stamps. */
    readonly stream: string,
    /** Where its last owner ended, unless it is new. */
    stored?: PartitionPosition,
  ) {
    this.#storedSeq = (stored?.nextSeq ?? 1) - 1;
    this.#lastSeq = this.#storedSeq;
    this.#lastStored = stored?.position;
    this.#revision = stored?.revision ?? 0;
    for (const { seq, position } of stored?.ahead ?? []) this.ahead.set(seq, position);
  }

  /** The position store knows all routes, and that they are this generation's. */
  get areRoutesStored(): boolean {
    return this.#storedRoutesVersion === this.#routesVersion;
  }

  /** Where the source resumes after everything that is acknowledged; `undefined` before the first record. */
  get storedPosition(): SourcePosition | undefined {
    return this.#lastStored;
  }

  /** What chooses the queue of records that have no key of their own. */
  get streamBytes(): Uint8Array {
    return (this.#streamBytes ??= Buffer.from(this.stream));
  }

  /** Batches with records that the stored position does not cover. */
  *openBatches(): Iterable<PendingBatch> {
    for (const { batch } of this.#segments) yield batch;
  }

  /** The number of the next record. */
  get nextSeq(): number {
    return this.#lastSeq + 1;
  }

  /** Returns the way of the last record, where that had the same topic. */
  sameRoute(topic: string): RecordRoute | undefined {
    return this.#lastRoute?.topic === topic ? this.#lastRoute : undefined;
  }

  /** Keeps the way of a record for those after it. */
  keepRoute(route: RecordRoute): void {
    this.#lastRoute = route;
  }

  /** Reports once that the source gives other records than before its restart. */
  takeReordering(): boolean {
    const isReordered = this.#isReordered;
    this.#isReordered = false;
    return isReordered;
  }

  routeTo(topic: string): QueueLane | undefined {
    return this.#lanes.get(topic);
  }

  /** The only one, where all records of the partition go to one queue. */
  get firstLane(): QueueLane | undefined {
    const [lane] = this.#lanes.values();
    return lane;
  }

  /** Sends the topic's records to a lane from now on. */
  setRoute(topic: string, lane: QueueLane): void {
    this.#lanes.set(topic, lane);
    this.#isSpread = this.#lanes.size > 1;
    this.#routesVersion++;
    this.#lastRoute = undefined;
  }

  /** Returns the way of records to a lane that the partition shares with others by key. */
  keyedRoute(lane: QueueLane): RecordRoute | undefined {
    return this.#keyedRoutes.get(lane);
  }

  /** Sends records to one more lane. */
  addKeyedRoute(route: RecordRoute): void {
    const { topic, lane } = route;
    this.#keyedRoutes.set(lane, route);
    this.#isSpread = this.#keyedRoutes.size > 1;
    const listed = this.#listedQueues.get(topic);
    if (listed === undefined) this.#listedQueues.set(topic, [lane.queue]);
    else if (listed.length < MAX_LISTED_PER_TOPIC) listed.push(lane.queue);
    else return;
    this.#routesVersion++;
  }

  /**
   * What a list of those that are ahead may have to hold, in UTF-16 units. Counts the records that wait for their acknowledgement, or for that of
   * an earlier one; 0 where no queue may run ahead of another.
   */
  get spreadUnits(): number {
    return this.#isSpread ? this.#aheadUnits : 0;
  }

  /** Notes that the next record went into `batch`. */
  append(batch: PendingBatch, position: SourcePosition, aheadUnits: number): void {
    this.#lastSeq++;
    this.#aheadUnits += aheadUnits;
    const last = this.#segments.at(-1);
    if (last?.batch === batch) {
      last.lastSeq = this.#lastSeq;
      last.position = position;
      last.aheadUnits += aheadUnits;
      return;
    }
    const segment: Segment = { partition: this, batch, lastSeq: this.#lastSeq, position, aheadUnits };
    this.#segments.push(segment);
    batch.addSegment(segment);
  }

  /** Notes that a record was left out: its position takes effect as soon as what came before is stored. Returns whether that is now. */
  skip(position: SourcePosition): boolean {
    const last = this.#segments.at(-1);
    if (last !== undefined) {
      last.position = position;
      return false;
    }
    this.#lastStored = position;
    this.#storedSeq = this.#lastSeq;
    return true;
  }

  /**
   * Returns whether a recovery found the next record in its queue. A source that gives other records than before, or in another order, shifts the
   * numbers. Then what was found is of no use, and the records are sent.
   */
  isStored(position: SourcePosition): boolean {
    if (this.ahead.size === 0) return false;
    const found = this.ahead.get(this.nextSeq);
    if (found === undefined) return false;
    if (positionJson(found) === positionJson(position)) return true;
    this.ahead.clear();
    this.#isReordered = true;
    return false;
  }

  /** Notes that the next record is in its queue already. Returns whether its position counts now. */
  appendStored(position: SourcePosition, aheadUnits: number): boolean {
    this.#lastSeq++;
    const last = this.#segments.at(-1);
    if (last !== undefined) {
      last.lastSeq = this.#lastSeq;
      last.aheadUnits += aheadUnits;
      this.#aheadUnits += aheadUnits;
    }
    return this.skip(position);
  }

  /** Takes over the acknowledged segments that no open one precedes. Returns whether the stored position moved. */
  settle(): boolean {
    let settled = 0;
    for (const segment of this.#segments) {
      if (!segment.batch.isAcknowledged) break;
      this.#storedSeq = segment.lastSeq;
      this.#lastStored = segment.position;
      this.#aheadUnits -= segment.aheadUnits;
      segment.batch.settleSegment();
      settled++;
    }
    if (settled > 0) this.#segments.splice(0, settled);
    return settled > 0;
  }

  /** Makes the next version of the partition's position, by the generation that sends its records, to be {@link PartitionSnapshot.stored stored}. */
  snapshot(owner: SourceGeneration): PartitionSnapshot {
    const routes: QueueRef[] = [];
    for (const lane of this.#lanes.values()) routes.push(lane.queue);
    for (const queues of this.#listedQueues.values()) routes.push(...queues);
    const routesVersion = this.#routesVersion;
    const ahead: { seq: number; position: SourcePosition }[] = [];
    for (const [seq, position] of this.ahead) {
      if (seq > this.#storedSeq) ahead.push({ seq, position });
      else this.ahead.delete(seq);
    }
    const position = {
      partition: this.partition,
      ...(this.#lastStored === undefined ? {} : { position: this.#lastStored }),
      nextSeq: this.#storedSeq + 1,
      routes,
      ...(ahead.length === 0 ? {} : { ahead }),
      owner,
      revision: ++this.#revision,
    };
    const stored = (): void => {
      this.#storedRoutesVersion = Math.max(this.#storedRoutesVersion, routesVersion);
    };
    return { position, partition: this.partition, stored };
  }
}
