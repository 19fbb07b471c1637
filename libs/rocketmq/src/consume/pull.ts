import type { CallOptions } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import { decodeStoredMessages, type StoredMessage } from '../wire/stored-message.js';
import type { CompiledFilter, MessageFilter } from './message-filter.js';

/**
 * `never`: every pull goes to the queue's master. `suggested`: to the replica that a broker suggests for the queue, and to
 * any while the master is unavailable. A replica may trail its master: its `maxOffset` can be smaller than one seen before.
 */
export type ReplicaReadMode = 'never' | 'suggested';

export interface PullOptions extends CallOptions {
  readonly queue: QueueRef;
  readonly offset: number;
  /**
   * Named in the broker's statistics. A pull commits nothing, and does not make the client a member of the group.
   * Membership would make topics on the brokers and take queues from the group's other members, for what may be one look.
   * Where a broker rejects pulls of outsiders, the client becomes a member for a minute; `attend` makes it one anywhere.
   */
  readonly group: string;
  /** At most; the broker has limits of its own (by default 32 and 256 KiB, from disk 8 and 64 KiB). Default 32. */
  readonly maxMessages?: number;
  /**
   * How long the broker may hold the pull while there is nothing at `offset`. 0 (default): it answers at once.
   * A broker looks at what it holds only every 5 s. So a time limit of the call has to be longer than this and 5 s together,
   * as the default is.
   */
  readonly suspendMs?: number;
  /** Default: all messages. */
  readonly filter?: MessageFilter | undefined;
  /** Default `never`. */
  readonly replicaReads?: ReplicaReadMode | undefined;
}

/**
 * `empty`: nothing at `offset` yet (or, where `nextOffset` is greater, the broker skipped what is gone).
 * `filtered`: no message before `nextOffset` matches the filter. Or there is no message: the offsets of a static topic's queue
 * leap where the queue moved to another broker.
 * `offset-moved`: `offset` is below `minOffset` or beyond `maxOffset`; `nextOffset` is what the broker suggests.
 */
export interface PullResult {
  readonly kind: 'found' | 'filtered' | 'empty' | 'offset-moved';
  readonly messages: readonly StoredMessage[];
  readonly nextOffset: number;
  readonly minOffset: number;
  /** The end of what can be pulled now. A broker answers a send some ms before its messages can be pulled. */
  readonly maxOffset: number;
  /** Of all messages as stored, also of those that the client filters out. */
  readonly bytes: number;
  /** Of the broker that answered; 0 is the master. */
  readonly brokerId: number;
}

/**
 * A pull's answer before its messages are decoded. Readers keep answers ahead as bytes: views on thousands of waiting
 * messages would outlive the garbage collector's cheap collections.
 */
export interface PullAnswer extends Omit<PullResult, 'messages' | 'bytes'> {
  readonly body: Buffer;
  /** How far the offsets of a static topic's queue are ahead of those in the body; 0 for other topics. */
  readonly offsetDelta?: number;
}

/** @throws MalformedDataError */
export function decodePullAnswer(answer: PullAnswer, filter: CompiledFilter): PullResult {
  const { body, offsetDelta, nextOffset, minOffset, maxOffset, brokerId } = answer;
  const stored = answer.kind === 'found' ? decodeStoredMessages(body, offsetDelta) : [];
  // What an inner batch holds has tags of its own: its reader compares them.
  const messages = filter.isAll ? stored : stored.filter((message) => message.isInnerBatch || filter.matches(message));
  const kind = stored.length > 0 && messages.length === 0 ? 'filtered' : answer.kind;
  return { kind, messages, nextOffset, minOffset, maxOffset, bytes: body.length, brokerId };
}
