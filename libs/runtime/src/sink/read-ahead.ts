import type { RawMessage } from '../ports/queue-messages.port.js';

/** Bytes that all queues of a task hold together. */
export interface AheadBudget {
  heldBytes: number;
  readonly maxBytes: number;
}

/** What was read of one queue and not taken yet: whole answers, in order. */
export class ReadAhead {
  private readonly answers: (readonly RawMessage[])[] = [];
  private readonly sizes: number[] = [];
  private taken = 0;
  private heldBytes = 0;
  private resume: (() => void) | undefined;

  constructor(
    private readonly budget: AheadBudget,
    private readonly maxBytes: number,
  ) {}

  get isEmpty(): boolean {
    return this.answers.length === 0;
  }

  /** Returns the bytes that it holds more. */
  add(answer: readonly RawMessage[]): number {
    let bytes = 0;
    for (const { bodyBytes, rawProperties } of answer) bytes += bodyBytes + rawProperties.length;
    this.answers.push(answer);
    this.sizes.push(bytes);
    this.heldBytes += bytes;
    this.budget.heldBytes += bytes;
    return bytes;
  }

  /** The next message, which is then taken. */
  take(): RawMessage | undefined {
    const answer = this.answers[0];
    const message = answer?.[this.taken];
    if (answer === undefined) return undefined;
    this.taken++;
    if (this.taken >= answer.length) this.dropFirst();
    return message;
  }

  /** Resolves when another answer may be read. One may always be held. */
  async room(signal: AbortSignal): Promise<void> {
    while (
      this.answers.length > 0 &&
      (this.heldBytes >= this.maxBytes || this.budget.heldBytes >= this.budget.maxBytes)
    ) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal.removeEventListener('abort', go);
          this.resume = undefined;
          resolve();
        };
        this.resume = go;
        signal.addEventListener('abort', go);
      });
    }
    signal.throwIfAborted();
  }

  clear(): void {
    while (this.answers.length > 0) this.dropFirst();
  }

  private dropFirst(): void {
    this.answers.shift();
    const bytes = this.sizes.shift() ?? 0;
    this.taken = 0;
    this.heldBytes -= bytes;
    this.budget.heldBytes -= bytes;
    this.resume?.();
  }
}
