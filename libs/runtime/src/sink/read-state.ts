import { isBarrierBody, parseBarrier, scanBarrier, scanStamp, type StampCoordinates, StampReader } from '@sluice/protocol';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { FilterStateError, StreamFilter } from '../task/stream-filter.js';

/** Why a message is not handed to the task. */
export type DropReason = 'barrier' | 'older-generation' | 'repeated-seq';

const FORMAT_VERSION = 'r2';

/**
 * Keeps what is known of a queue up to the message that is taken next. That is the filter against duplicates, and the time when the message before was
 * stored: another message at the same offset has another time.
 */
export class ReadState {
  #storedMs: number | undefined;
  #stamps: StampReader | undefined;

  constructor(
    private readonly filter = new StreamFilter(),
    storedMs?: number,
  ) {
    this.#storedMs = storedMs;
  }

  /** How many source partitions and tasks the filter has forgotten, although their last records may come again. */
  get forgotten(): number {
    return this.filter.forgotten;
  }

  /** When the broker stored the last message that was taken; milliseconds since the epoch. `undefined` before the first one. */
  get lastStoredMs(): number | undefined {
    return this.#storedMs;
  }

  /** Returns why a message is dropped; or the stamp of its record, if it has one for the queue with the tag `queue`. */
  judge(message: RawMessage, queue: string): StampCoordinates | undefined | DropReason {
    const { rawProperties, storeTimestamp } = message;
    const stampText = scanStamp(rawProperties);
    if (stampText !== undefined) {
      if (this.#stamps?.queue !== queue) this.#stamps = new StampReader(queue);
      const stamp = this.#stamps.read(stampText);
      if (stamp === undefined) return undefined;
      const verdict = this.filter.verdict(stamp);
      return verdict === 'accept' ? stamp : verdict;
    }
    const barrierText = scanBarrier(rawProperties);
    if (barrierText === undefined) return undefined;
    const barrier = parseBarrier(barrierText, queue);
    if (barrier !== undefined) this.filter.barrier(barrier.task, barrier.generation, storeTimestamp);
    // A barrier that somebody copied from another queue says nothing here, and is no record either.
    return barrier !== undefined || isBarrierOfAnother(message) ? 'barrier' : undefined;
  }

  /** Remembers a message as the last one that was taken, with the stamp of a record that was accepted. */
  took({ storeTimestamp }: RawMessage, judged: StampCoordinates | undefined | DropReason): void {
    if (typeof judged === 'object') this.filter.remember(judged, storeTimestamp);
    this.#storedMs = storeTimestamp;
  }

  /** `r2;<next offset, base 36>;<stored, base 36>;<filter>`; empty when nothing was taken. */
  serialize(nextOffset: number): string {
    const filter = this.filter.serialize();
    if (this.#storedMs === undefined && filter === '') return '';
    return `${FORMAT_VERSION};${nextOffset.toString(36)};${this.#storedMs?.toString(36) ?? ''};${filter}`;
  }

  /**
   * Returns what {@link serialize} has made a text of; `undefined` where that was done at another offset than `nextOffset`. Its filter would drop
   * records between the two as repeated.
   *
   * @throws FilterStateError when the text is not what {@link serialize} makes.
   */
  static restore(text: string, nextOffset: number): ReadState | undefined {
    if (text === '') return new ReadState();
    const [, offset, stored, filter] = /^r2;([0-9a-z]+);([0-9a-z]*);(.*)$/s.exec(text) ?? [];
    if (offset === undefined || stored === undefined || filter === undefined) throw new FilterStateError(text);
    if (parseInt(offset, 36) !== nextOffset) return undefined;
    return new ReadState(StreamFilter.restore(filter), stored === '' ? undefined : parseInt(stored, 36));
  }
}

function isBarrierOfAnother(message: RawMessage): boolean {
  if (message.bodyBytes !== 1) return false;
  try {
    return isBarrierBody(message.body);
  } catch {
    // A body that cannot be decompressed is a record's: whoever decodes it meets the error where the tolerance of errors covers it.
    return false;
  }
}
