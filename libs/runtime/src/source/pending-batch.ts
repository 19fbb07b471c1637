import { rebindStamp } from '@sluice/protocol';
import type { RecordBatch, RecordProducer } from '../ports/record-producer.port.js';
import type { PartitionState, Segment } from './partition-state.js';

/** Holds a batch with what is needed to know, and to make again, its contents. */
export class PendingBatch {
  readonly #parts: Segment[] = [];
  #unsettled = 0;
  #acknowledged = false;
  #newRoutes = false;
  #end = 0;
  #payload = 0;
  readonly #bodies: Buffer[] = [];
  readonly #properties: Buffer[] = [];
  readonly #owners: PartitionState[] = [];
  readonly #seqs: number[] = [];
  /** Places of records that a recovery found in the queue. */
  readonly #found = new Set<number>();
  /** What is sent: all of it at first, what is missing in the queue after a recovery. */
  #encoded: RecordBatch;

  constructor(private readonly producer: RecordProducer) {
    this.#encoded = producer.newBatch();
  }

  get segments(): readonly Segment[] {
    return this.#parts;
  }

  /** All its segments are part of stored positions. */
  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  get isAcknowledged(): boolean {
    return this.#acknowledged;
  }

  /** Some partition's route may not be stored yet. */
  get hasNewRoutes(): boolean {
    return this.#newRoutes;
  }

  /** The offset after what the queue has of it; 0 before anything is known. */
  get endOffset(): number {
    return this.#end;
  }

  /** Bodies and properties, without what the encoding adds. */
  get payloadBytes(): number {
    return this.#payload;
  }

  get count(): number {
    return this.#owners.length;
  }

  get encodedBytes(): number {
    return this.#encoded.bytes;
  }

  get isPartlyFound(): boolean {
    return this.#found.size > 0;
  }

  get toSend(): RecordBatch {
    return this.#encoded;
  }

  addSegment(segment: Segment): void {
    this.#parts.push(segment);
    this.#unsettled++;
  }

  /** Notes that a segment became part of a stored position. */
  settleSegment(): void {
    this.#unsettled--;
  }

  /** Notes that the queue has it, or the part of it that lies before `endOffset`. */
  endsAt(endOffset: number): void {
    this.#end = endOffset;
  }

  /** Notes that the queue has all of it: its records count. */
  acknowledge(): void {
    this.#acknowledged = true;
  }

  /** Returns `false`, and adds nothing, when the batch is full. */
  add(owner: PartitionState, seq: number, body: Buffer, properties: Buffer, hasNewRoute: boolean): boolean {
    if (!this.#encoded.add(body, properties)) return false;
    this.#bodies.push(body);
    this.#properties.push(properties);
    this.#owners.push(owner);
    this.#seqs.push(seq);
    this.#payload += body.length + properties.length;
    if (hasNewRoute) this.#newRoutes = true;
    return true;
  }

  /** Leaves out of what is sent every record for which `isStored` is true. */
  leaveOut(isStored: (owner: PartitionState, seq: number) => boolean): void {
    for (const [index, owner] of this.#owners.entries()) {
      const seq = this.#seqs[index];
      if (seq !== undefined && isStored(owner, seq)) this.#found.add(index);
    }
    this.#encoded = this.#encode();
  }

  /** Makes what is to be sent fit for the queue with the tag `queue`, whose stamps name it. */
  rebind(queue: string): void {
    for (const [index, properties] of this.#properties.entries()) {
      if (!this.#found.has(index)) this.#properties[index] = rebindStamp(properties, queue);
    }
    this.#encoded = this.#encode();
    this.#newRoutes = true;
  }

  #encode(): RecordBatch {
    const rest = this.producer.newBatch();
    for (const [index, body] of this.#bodies.entries()) {
      const properties = this.#properties[index];
      if (properties !== undefined && !this.#found.has(index)) rest.add(body, properties);
    }
    return rest;
  }
}
