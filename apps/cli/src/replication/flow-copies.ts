import { comparedProperties, fingerprintOf, type Fingerprint, idHash, parsePosition, type PropertyCopier } from '@sluice/replication';
import { isBarrierBody, parseBarrier, parseStamp, queueTag, scanBarrier, scanStamp } from '@sluice/protocol';
import { type LogicalMessage, MESSAGE_PROPERTY, MessageUnreadableError, type QueueRef } from '@sluice/rocketmq';

/** Where a message of the target was copied from. */
export interface CopyCoordinates {
  /** Which flow and source queue: `streamId`. */
  readonly stream: string;
  /** The number of the copy in its stream, from 1. */
  readonly seq: number;
  readonly sourceOffset: number;
  /** What the source's queue has at that offset; absent where the stamp does not say it. */
  readonly original: { readonly storeTime: number; readonly idHash: string } | undefined;
}

/** What a message of the target is. */
export type TargetMessage =
  { readonly kind: 'copy'; readonly at: CopyCoordinates } | { readonly kind: 'barrier' } | { readonly kind: 'local' };

const BARRIER: TargetMessage = { kind: 'barrier' };
const LOCAL: TargetMessage = { kind: 'local' };

/** Distinguishes copies of flows from other messages in one queue of the target. */
export class CopyReader {
  readonly #tag: string;

  constructor(queue: QueueRef) {
    this.#tag = queueTag(queue);
  }

  read(message: LogicalMessage): TargetMessage {
    const text = scanStamp(message.rawProperties);
    if (text === undefined) return this.#isBarrier(message) ? BARRIER : LOCAL;
    const stamp = parseStamp(text, this.#tag);
    const position = stamp === undefined ? undefined : parsePosition(stamp.position);
    // Of another source than a replicated queue, or copied here with all its properties by somebody else.
    if (stamp === undefined || position === undefined || position.offset < 1) return LOCAL;
    const { stream, seq } = stamp;
    return { kind: 'copy', at: { stream, seq, sourceOffset: position.offset - 1, original: position.last } };
  }

  #isBarrier(message: LogicalMessage): boolean {
    const text = scanBarrier(message.rawProperties);
    return text !== undefined && isBarrierBody(message.body) && parseBarrier(text, this.#tag) !== undefined;
  }
}

/** Returns whether a message of the source is the one that a copy names. */
export function isOriginal(message: LogicalMessage, { original }: CopyCoordinates): boolean {
  if (original?.storeTime !== message.storeTimestamp) return false;
  const id = message.property(MESSAGE_PROPERTY.messageId);
  // The id that a broker makes of a place is not known here; store time and offset have to do.
  return id === undefined || idHash(id) === original.idHash;
}

/** Returns the fingerprint of a copy; `undefined` where its body cannot be read. */
export function copyFingerprint(message: LogicalMessage): Fingerprint | undefined {
  return fingerprint(message, message.rawProperties);
}

/** What a flow makes of a message of the source. */
export type SourceMessage =
  /** `undefined`: its body cannot be read, or the flow cannot copy it. */
  { readonly kind: 'copied'; readonly fingerprint: Fingerprint | undefined } | { readonly kind: 'left-out' };

/** Returns what the copy of a message of the source has to look like, by the rules of flows themselves. */
export function expectedCopy(message: LogicalMessage, copier: PropertyCopier): SourceMessage {
  const copied = copier.copy(message.rawProperties, bodyOf(message) ?? NO_BODY, message.bornTimestamp);
  if ('properties' in copied) return { kind: 'copied', fingerprint: fingerprint(message, copied.properties) };
  return copied.why === 'barrier' || copied.why === 'loop' ? { kind: 'left-out' } : { kind: 'copied', fingerprint: undefined };
}

const NO_BODY = Buffer.alloc(0);

function fingerprint(message: LogicalMessage, properties: Buffer): Fingerprint | undefined {
  const body = bodyOf(message);
  if (body === undefined) return undefined;
  return fingerprintOf({ body, flag: message.flag, properties: comparedProperties(properties) });
}

function bodyOf(message: LogicalMessage): Buffer | undefined {
  try {
    return message.body;
  } catch (error) {
    if (error instanceof MessageUnreadableError) return undefined;
    throw error;
  }
}
