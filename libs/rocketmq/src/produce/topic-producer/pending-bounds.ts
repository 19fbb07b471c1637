import { onAbort } from '@sluice/time';
import { RequestAbortedError } from '../../errors.js';
import { MessageFifo, type FlushGroup, type PendingMessage } from './pending-message.js';

export interface PendingLimits {
  readonly maxPendingMessages: number;
  readonly maxPendingBytes: number;
  /** Sends that may wait for room. */
  readonly maxWaitingSends: number;
}

interface Waiter {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

/** How much a producer holds: what waits for room, who waits for room, and who waits for the end of it all. */
export class PendingBounds {
  readonly waiting = new MessageFifo();
  #messages = 0;
  #bytes = 0;
  /** Oldest first; the last one takes new sends. */
  #flushGroups: FlushGroup[] = [];
  #waiters: Waiter[] = [];

  constructor(private readonly limits: PendingLimits) {}

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasRoom(): boolean {
    return this.waiting.count === 0 && this.#hasRoomFor(0);
  }

  get isFull(): boolean {
    return this.waiting.count >= this.limits.maxWaitingSends;
  }

  /** Groups of sends that flushes keep apart. */
  get flushGroups(): number {
    return this.#flushGroups.length;
  }

  /** How many further sends may be held or wait, as far as their number decides it. */
  get free(): number {
    const { maxPendingMessages, maxWaitingSends } = this.limits;
    return Math.max(0, maxPendingMessages - this.#messages) + Math.max(0, maxWaitingSends - this.waiting.count);
  }

  /** Adds a new send to the current group, and returns that. */
  join(): FlushGroup {
    const group = this.#flushGroups.at(-1) ?? this.#newGroup();
    group.unsettled += 1;
    return group;
  }

  /**
   * Counts the message if there is room for it, and returns whether there is. There is room for one larger than the limit
   * when there is no other.
   */
  admit(message: PendingMessage): boolean {
    if (!this.#hasRoomFor(message.prepared.storedBytes)) return false;
    message.isCounted = true;
    this.#messages += 1;
    this.#bytes += message.prepared.storedBytes;
    return true;
  }

  settled(message: PendingMessage): void {
    message.flushGroup.unsettled -= 1;
    if (!message.isCounted) return;
    message.isCounted = false;
    this.#messages -= 1;
    this.#bytes -= message.prepared.storedBytes;
  }

  /** Resolves when there is room for a send. */
  untilRoom(signal: AbortSignal | undefined): Promise<void> {
    return this.#wait('wait for room in a producer', () => this.hasRoom, signal);
  }

  /** Resolves when everything that was sent so far has settled. */
  untilSettled(signal: AbortSignal | undefined): Promise<void> {
    this.#forgetSettled();
    const last = this.#flushGroups.at(-1);
    const group = last?.unsettled === 0 ? this.#flushGroups.at(-2) : last;
    if (last !== undefined && last === group) this.#newGroup();
    const isOver = (): boolean => {
      this.#forgetSettled();
      return group === undefined || !this.#flushGroups.includes(group);
    };
    return this.#wait('flush of a producer', isOver, signal);
  }

  /** Ends the waits whose condition holds. */
  wake(): void {
    if (this.#waiters.length === 0) return;
    const over = this.#waiters.filter((waiter) => waiter.isOver());
    if (over.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    for (const waiter of over) waiter.resolve();
  }

  #hasRoomFor(bytes: number): boolean {
    const { maxPendingMessages, maxPendingBytes } = this.limits;
    return this.#messages === 0 || (this.#messages < maxPendingMessages && this.#bytes + bytes <= maxPendingBytes);
  }

  #forgetSettled(): void {
    while (this.#flushGroups[0]?.unsettled === 0) this.#flushGroups.shift();
  }

  #newGroup(): FlushGroup {
    const group = { unsettled: 0 };
    this.#flushGroups.push(group);
    return group;
  }

  async #wait(what: string, isOver: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) throw new RequestAbortedError(what, 'not-sent', signal.reason);
    if (isOver()) return;
    await new Promise<void>((resolve, reject) => {
      const unlisten = onAbort(signal, () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new RequestAbortedError(what, 'not-sent', signal?.reason));
      });
      const waiter: Waiter = {
        isOver,
        resolve: () => {
          unlisten();
          resolve();
        },
      };
      this.#waiters.push(waiter);
    });
  }
}
