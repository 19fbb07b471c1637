import { untilCalled } from '@sluice/time';
import type { RawMessage, ReadBudget } from '../ports/queue-messages.port.js';
import type { TaskCounters } from '../ports/task-counters.port.js';

export interface AheadLimits {
  readonly maxBytes: number;
  readonly maxRecords: number;
}

/**
 * Counts what is read ahead and not taken yet, of one queue or of all queues of a task. Where queues hold all that their task may, each
 * other queue may still hold an equal share of as much. So a queue that stalls while its broker is unavailable does not slow down the
 * others.
 */
export class AheadBudget implements ReadBudget {
  #bytes = 0;
  #records = 0;
  #parts = 0;

  constructor(
    private readonly limits: AheadLimits,
    /** What this is a part of, until it ends. */
    private readonly whole?: AheadBudget,
  ) {
    if (whole !== undefined) whole.#parts++;
  }

  hasRoom(bytes: number, records: number): boolean {
    const { whole } = this;
    if (!this.#isWithin(this.limits, bytes, records)) return false;
    if (whole?.hasRoom(bytes, records) !== false) return true;
    const { maxBytes, maxRecords } = whole.limits;
    return this.#isWithin({ maxBytes: maxBytes / whole.#parts, maxRecords: maxRecords / whole.#parts }, bytes, records);
  }

  add(bytes: number, records: number): void {
    this.#bytes += bytes;
    this.#records += records;
    this.whole?.add(bytes, records);
  }

  /** Leaves its part of the whole to the others. Called once, when it counts nothing more. */
  end(): void {
    if (this.whole !== undefined) this.whole.#parts--;
  }

  #isWithin({ maxBytes, maxRecords }: AheadLimits, bytes: number, records: number): boolean {
    return this.#bytes + bytes < maxBytes && this.#records + records < maxRecords;
  }
}

/** Holds what was read of one queue and not taken yet: whole answers, in order. */
export class ReadAhead {
  readonly #answers: { readonly messages: readonly RawMessage[]; readonly bytes: number }[] = [];
  #taken = 0;
  #resume: (() => void) | undefined;

  /** @param budget of the queue; it also counts what the queue's reader has asked its broker for */
  constructor(
    readonly budget: AheadBudget,
    private readonly counters: Pick<TaskCounters, 'bufferedRecords' | 'bufferedBytes'>,
    private readonly sizes: { bytesOf(message: RawMessage): number },
  ) {}

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }

  /** Appends an answer and returns its bytes. */
  add(messages: readonly RawMessage[]): number {
    let bytes = 0;
    for (const message of messages) bytes += this.sizes.bytesOf(message);
    this.#answers.push({ messages, bytes });
    this.#count(bytes, messages.length);
    return bytes;
  }

  /** Takes the next message, if there is one. */
  take(): RawMessage | undefined {
    const answer = this.#answers[0];
    if (answer === undefined) return undefined;
    const message = answer.messages[this.#taken];
    this.#taken++;
    if (this.#taken >= answer.messages.length) this.#dropFirst();
    return message;
  }

  /** Resolves when another answer may be read. One may always be held. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#answers.length > 0 && !this.budget.hasRoom(0, 0)) {
      signal.throwIfAborted();
      await untilCalled(signal, (resume) => {
        this.#resume = resume;
      });
      this.#resume = undefined;
    }
    signal.throwIfAborted();
  }

  /** Drops what was not taken. Called once, when nothing more is read. */
  close(): void {
    while (this.#answers.length > 0) this.#dropFirst();
    this.budget.end();
  }

  #dropFirst(): void {
    const dropped = this.#answers.shift();
    this.#taken = 0;
    this.#count(-(dropped?.bytes ?? 0), -(dropped?.messages.length ?? 0));
    this.#resume?.();
  }

  #count(bytes: number, records: number): void {
    this.budget.add(bytes, records);
    this.counters.bufferedBytes += bytes;
    this.counters.bufferedRecords += records;
  }
}
