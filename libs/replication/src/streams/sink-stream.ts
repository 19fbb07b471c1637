import {
  barrierMessage,
  encodeStamp,
  parseBarrier,
  parseStamp,
  propertyNeedle,
  propertyText,
  queueTag,
  scanBarrier,
  scanProperty,
  scanStamp,
  SluiceProperty,
  stampPrefix,
  stampSuffix,
  streamId,
} from '@sluice/protocol';
import type { QueueRef } from '@sluice/sdk';
import { encodePosition, parsePosition, partitionOf, type ReadPosition } from '../messages/read-position.js';

/** How far a queue of the source is copied. */
export interface CopyProgress {
  /** Of the last copy; 0 before the first. */
  readonly seq: number;
  readonly position: ReadPosition;
}

/** What a message of the target says of a stream. Stamps and marks say how far its generation had come, barriers that one began. */
export interface CopyEvent {
  readonly kind: 'stamp' | 'barrier' | 'mark';
  readonly generation: number;
  /** Absent in a barrier. */
  readonly progress?: CopyProgress | undefined;
}

/** A message that the stream itself writes, beside the copies. */
export interface StreamMessage {
  readonly body: Buffer;
  readonly properties: string;
}

export interface SinkStreamOptions {
  readonly connector: string;
  /** Identity of the cluster that is read. */
  readonly cluster: string;
  readonly source: QueueRef;
  readonly target: QueueRef;
}

const markNeedle = propertyNeedle(SluiceProperty.progress);

/**
 * The copies of one queue of the source in its queue of the target, as their stamps say.
 *
 * A stamp names the stream in the place of its task too. Queues move among the tasks of a sink, and generations are numbered across all of them. So a
 * barrier of a stream voids what any earlier owner still sends. A mark is a barrier that also has a stamp, in the property `sluice-at`. It says how far
 * the stream has come where no copy does.
 */
export class SinkStream {
  readonly id: string;
  readonly #target: QueueRef;
  readonly #tag: string;

  constructor({ connector, cluster, source, target }: SinkStreamOptions) {
    this.id = streamId(connector, partitionOf(cluster, source));
    this.#target = target;
    this.#tag = queueTag(target);
  }

  /** Returns what makes the stamps of a generation, as properties. */
  stamper(generation: number): (progress: CopyProgress) => string {
    const prefix = stampPrefix(this.id, this.id, this.#tag, generation);
    return ({ seq, position }) => propertyText(SluiceProperty.stamp, prefix + stampSuffix(seq, encodePosition(position)));
  }

  /** Makes the message that voids what earlier generations send behind it. */
  barrier(generation: number): StreamMessage {
    const { body, properties } = barrierMessage({ task: this.id, generation }, this.#target);
    return { body, properties };
  }

  /** Makes the message that says how far a generation has come. */
  mark(generation: number, { seq, position }: CopyProgress): StreamMessage {
    const { body, properties } = this.barrier(generation);
    const stamp = { task: this.id, stream: this.id, generation, seq, position: encodePosition(position) };
    return { body, properties: propertyText(SluiceProperty.progress, encodeStamp(stamp, this.#tag)) + properties };
  }

  /** Reads what a message of the target says of the stream; `undefined` for a message that is none of its own. */
  eventOf(properties: Buffer): CopyEvent | undefined {
    const stampText = scanStamp(properties);
    if (stampText !== undefined) return this.#stampOf(stampText, 'stamp');
    const barrierText = scanBarrier(properties);
    const barrier = barrierText === undefined ? undefined : parseBarrier(barrierText, this.#tag);
    if (barrier?.task !== this.id) return undefined;
    const markText = scanProperty(properties, markNeedle);
    const mark = markText === undefined ? undefined : this.#stampOf(markText, 'mark');
    return mark?.generation === barrier.generation ? mark : { kind: 'barrier', generation: barrier.generation };
  }

  #stampOf(text: string, kind: 'stamp' | 'mark'): CopyEvent | undefined {
    if (!text.startsWith(this.id)) return undefined;
    const stamp = parseStamp(text, this.#tag);
    const position = stamp === undefined ? undefined : parsePosition(stamp.position);
    if (stamp?.stream !== this.id || position === undefined) return undefined;
    return { kind, generation: stamp.generation, progress: { seq: stamp.seq, position } };
  }
}
