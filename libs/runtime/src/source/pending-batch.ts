import { isSameHead, type MessageHead, rebindStamp } from '@sluice/protocol';
import type { QueueRef, RecordMetadata, SourcePosition, SourceRecord } from '@sluice/sdk';
import type { BatchMessage, EncodedParts, RecordBatch, RecordProducer, StoredBatch, WholeMessage } from '../ports/record-producer.port.js';
import type { SourceTrace } from '../traces/source-traces.js';
import type { PartitionState, Segment } from './partition-state.js';

export interface PendingBatchOptions {
  readonly producer: RecordProducer;
  /** Somebody wants to know where each record was stored. */
  readonly keepsRecords: boolean;
  /** Keys choose the queues: a batch may be stored before an earlier one of the same partitions. */
  readonly isKeyed: boolean;
}

/** A record, and where it was stored; `undefined` where no message was sent for it. */
export interface RecordOutcome {
  readonly record: SourceRecord;
  readonly metadata: RecordMetadata | undefined;
}

/** A record that a broker refused, and the message that it was: its own memory. */
export interface RefusedRecord {
  readonly record: SourceRecord;
  readonly message: WholeMessage;
  /** Where it is traced. */
  readonly trace?: SourceTrace | undefined;
}

/**
 * Added to what a batch with a head holds: about the memory of a new one. Where each message has another head, many batches with one message wait.
 */
const HEAD_BATCH_BYTES = 16 * 1024;

const NO_OUTCOMES: readonly RecordOutcome[] = [];

/** Holds a batch with what is needed to know, and to make again, its contents. */
export class PendingBatch {
  readonly #parts: Segment[] = [];
  #unsettled = 0;
  #acknowledged = false;
  #newRoutes = false;
  #end = 0;
  #payload = 0;
  readonly #owners: PartitionState[] = [];
  readonly #seqs: number[] = [];
  /** After each record, where an earlier one may be missing. */
  readonly #positions: SourcePosition[] | undefined;
  /** Places of records that a recovery found in a queue, with that queue. */
  readonly #found = new Map<number, QueueRef>();
  /** Places of records that the broker has refused: they are not sent. */
  readonly #refused = new Set<number>();
  /** Before it lies what is sent now: all of it, unless the broker refused that. */
  #limit: number | undefined;
  /** All of it. Its records' bytes are kept there alone: whatever else lives as long as the batch costs garbage collection. */
  #whole: RecordBatch;
  /** Its messages, from the first time that a part of it is encoded again: finding them costs as much as encoding all. */
  #messages: readonly BatchMessage[] | undefined;
  /** What is sent: all of it at first, what is missing in the queue after a recovery. */
  #encoded: RecordBatch;
  readonly #records: SourceRecord[] | undefined;
  /** By place, of the few records that are traced. */
  #traces: Map<number, SourceTrace> | undefined;
  /** Where what is sent was stored, once the broker has said so. */
  #storedAt: StoredBatch | undefined;

  /**
   * @param expectedBytes about how large it becomes
   * @param head what its messages have alike, where that is not what ordinary records have
   */
  constructor(
    private readonly options: PendingBatchOptions,
    expectedBytes: number,
    private readonly head: MessageHead | undefined,
  ) {
    this.#whole = options.producer.newBatch(expectedBytes, head);
    this.#encoded = this.#whole;
    this.#records = options.keepsRecords ? [] : undefined;
    this.#positions = options.isKeyed ? [] : undefined;
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

  /** What it takes of the memory that its task may use. */
  get heldBytes(): number {
    return this.head === undefined ? this.#payload : this.#payload + HEAD_BATCH_BYTES;
  }

  get count(): number {
    return this.#owners.length;
  }

  /** How many of its records the broker has refused. */
  get refusedCount(): number {
    return this.#refused.size;
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

  /** Notes that the queue has all that is sent. */
  storedAt(stored: StoredBatch): void {
    this.#end = stored.firstOffset + this.#encoded.count;
    this.#storedAt = stored;
  }

  /** Notes that `queue` has acknowledged the last of it: its records count, and it cannot be sent again. */
  acknowledge(queue: QueueRef): void {
    this.#acknowledged = true;
    this.#messages = undefined;
    this.#endTraces(queue);
    this.options.producer.giveBack(this.#encoded);
  }

  /** Returns whether a message with that head may be added. */
  takes(head: MessageHead | undefined): boolean {
    return isSameHead(this.head, head);
  }

  /** Returns by how much it holds more, in bytes; returns 0, and adds nothing, when the batch is full. */
  add(owner: PartitionState, seq: number, record: SourceRecord, { body, properties, flag }: EncodedParts, hasNewRoute: boolean): number {
    const bytes = this.#whole.add(body, properties, flag);
    if (bytes === 0) return 0;
    this.#records?.push(record);
    this.#positions?.push(record.position);
    this.#owners.push(owner);
    this.#seqs.push(seq);
    this.#payload += bytes;
    if (hasNewRoute) this.#newRoutes = true;
    return this.head !== undefined && this.count === 1 ? bytes + HEAD_BATCH_BYTES : bytes;
  }

  /** Has the last record traced until its end. */
  addTrace(trace: SourceTrace): void {
    (this.#traces ??= new Map()).set(this.count - 1, trace);
  }

  /** Notes in the traces of its records that a try to send them was not good. */
  noteFailure(error: unknown): void {
    if (this.#traces !== undefined) for (const trace of this.#traces.values()) trace.sendFailed(error);
  }

  /** Leaves out of what is sent every record for which `isStored` is true: `queue` has it. */
  leaveOut(queue: QueueRef, isStored: (owner: PartitionState, seq: number) => boolean): void {
    for (const [index, owner] of this.#owners.entries()) {
      const seq = this.#seqs[index];
      if (seq !== undefined && !this.#found.has(index) && isStored(owner, seq)) this.#found.set(index, queue);
    }
    this.#limit = undefined;
    this.#encoded = this.#encode();
    this.#storedAt = undefined;
  }

  /** Sends the first half of what the broker refused together, and the rest behind it; returns false where that was one record. */
  halve(): boolean {
    const sent = this.#placesToSend();
    if (sent.length <= 1) return false;
    this.#limit = sent[sent.length >> 1];
    this.#encoded = this.#encode();
    return true;
  }

  /** Takes the one record that is sent out of the batch: the broker refuses it. The next ones are sent together. */
  refuse(): RefusedRecord | undefined {
    const [place] = this.#placesToSend();
    if (place === undefined) return undefined;
    const [record, message] = [this.#records?.[place], this.#wholeMessages()[place]];
    if (record === undefined || message === undefined) return undefined;
    const { sysFlag = 0, bornAt } = this.head ?? {};
    // It outlives the memory of the batch.
    const body = Buffer.from(message.body);
    const whole = { body, properties: message.properties.toString('utf8'), flag: message.flag, sysFlag, bornAt };
    this.#refused.add(place);
    this.#limit = undefined;
    this.#encoded = this.#encode();
    const trace = this.#traces?.get(place);
    this.#traces?.delete(place);
    return { record, message: whole, trace };
  }

  /** Notes that `queue` has what was sent, and returns whether something is left to be sent. */
  takeRest(queue: QueueRef): boolean {
    if (this.#limit === undefined) return false;
    for (const place of this.#placesToSend()) this.#found.set(place, queue);
    this.#limit = undefined;
    this.#encoded = this.#encode();
    this.#storedAt = undefined;
    return this.#encoded.count > 0;
  }

  /** Makes what is to be sent fit for the queue with the tag `queue`, whose stamps name it. */
  rebind(queue: string): void {
    const rebound = this.options.producer.newBatch(this.#whole.bytes, this.head);
    for (const [index, { body, properties, flag }] of this.#wholeMessages().entries()) {
      rebound.add(body, this.#found.has(index) ? properties : rebindStamp(properties, queue), flag);
    }
    this.#whole = rebound;
    this.#messages = undefined;
    this.#limit = undefined;
    this.#encoded = this.#encode();
    this.#newRoutes = true;
  }

  /** Notes in the partitions which of its records are in a queue, where keys choose the queues. Returns whether all are. */
  noteStored(): boolean {
    for (const [index, owner] of this.#owners.entries()) {
      const [seq, position] = [this.#seqs[index], this.#positions?.[index]];
      if (seq === undefined || position === undefined) continue;
      if (this.#acknowledged || this.#found.has(index)) owner.ahead.set(seq, position);
    }
    return this.#acknowledged;
  }

  /** Returns where each record is, once `queue` has acknowledged the last of them; none where nobody wants to know. */
  outcomes(queue: QueueRef): readonly RecordOutcome[] {
    const records = this.#records;
    if (records === undefined) return NO_OUTCOMES;
    const { firstOffset, messageIds } = this.#storedAt ?? {};
    const ids = messageIds?.split(',');
    let sent = 0;
    return records.map((record, index) => {
      if (this.#refused.has(index)) return { record, metadata: undefined };
      const foundIn = this.#found.get(index);
      if (foundIn !== undefined) return { record, metadata: { queue: foundIn, offset: undefined, messageId: undefined } };
      const place = sent++;
      const offset = firstOffset === undefined ? undefined : firstOffset + place;
      return { record, metadata: { queue, offset, messageId: ids?.[place] } };
    });
  }

  #endTraces(queue: QueueRef): void {
    for (const [place, trace] of this.#traces ?? []) {
      const foundIn = this.#found.get(place);
      const first = this.#storedAt?.firstOffset;
      trace.stored(foundIn ?? queue, foundIn !== undefined || first === undefined ? undefined : first + this.#sentBefore(place));
    }
    this.#traces = undefined;
  }

  #sentBefore(place: number): number {
    let sent = 0;
    for (let at = 0; at < place; at++) if (!this.#found.has(at) && !this.#refused.has(at)) sent++;
    return sent;
  }

  #wholeMessages(): readonly BatchMessage[] {
    return (this.#messages ??= this.#whole.messages);
  }

  #encode(): RecordBatch {
    const messages = this.#wholeMessages();
    // Memory of its own: what was sent before may still be on its way.
    const rest = this.options.producer.newBatch(this.#encoded.bytes, this.head);
    for (const place of this.#placesToSend()) {
      const message = messages[place];
      if (message !== undefined) rest.add(message.body, message.properties, message.flag);
    }
    return rest;
  }

  /** In order: what is in no queue yet, was not refused, and lies before the limit. */
  #placesToSend(): readonly number[] {
    const places: number[] = [];
    for (let place = 0; place < (this.#limit ?? this.count); place++) {
      if (!this.#found.has(place) && !this.#refused.has(place)) places.push(place);
    }
    return places;
  }
}
