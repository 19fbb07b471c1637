import { isRetriableRocketMqError, isRocketMqError, RocketMqError } from '../../errors.js';
import type { SendReceiver, StoredAt } from './pending-message.js';

/** Ends the promise of one send. */
export class OneSend implements SendReceiver {
  constructor(
    private readonly resolve: (at: StoredAt) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  stored(_index: number, at: StoredAt): void {
    this.resolve(at);
  }

  failed(_index: number, error: unknown): void {
    this.reject(error);
  }
}

/** One promise for many sends: it ends when all have. */
export class ManySends implements SendReceiver {
  readonly #ends: (StoredAt | undefined)[];
  readonly #failures: SendFailureOfMany[] = [];
  #unsettled: number;

  constructor(
    private readonly topic: string,
    count: number,
    private readonly resolve: (ends: readonly StoredAt[]) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.#ends = new Array<StoredAt | undefined>(count);
    this.#unsettled = count;
    if (count === 0) resolve([]);
  }

  stored(index: number, at: StoredAt): void {
    this.#ends[index] = at;
    this.#settled();
  }

  failed(index: number, error: unknown): void {
    this.#failures.push({ index, error });
    this.#settled();
  }

  #settled(): void {
    this.#unsettled -= 1;
    if (this.#unsettled > 0) return;
    if (this.#failures.length > 0) this.reject(new SendsFailedError(this.topic, this.#ends, this.#failures));
    else this.resolve(this.#ends.filter((at) => at !== undefined));
  }
}

/** One of the sends of `sendAll` that failed. */
export interface SendFailureOfMany {
  /** Of the message among those that were given. */
  readonly index: number;
  readonly error: unknown;
}

/** Some messages of `sendAll` were not stored, or may not be. */
export class SendsFailedError extends RocketMqError {
  readonly failures: readonly SendFailureOfMany[];

  constructor(
    topic: string,
    /** Where each message was stored, in the order in which they were given; undefined for those that failed. */
    readonly stored: readonly (StoredAt | undefined)[],
    failures: readonly SendFailureOfMany[],
  ) {
    const inOrder = [...failures].sort((a, b) => a.index - b.index);
    const [first] = inOrder;
    const errors = inOrder.map(({ error }) => error);
    const detail = first?.error instanceof Error ? first.error.message : String(first?.error);
    super(
      'SENDS_FAILED',
      `${inOrder.length} of ${stored.length} sends to topic '${topic}' failed, the first at index ${first?.index ?? -1}: ${detail}`,
      {
        retriable: errors.every(isRetriableRocketMqError),
        outcome: errors.every((error) => isRocketMqError(error) && error.outcome === 'not-sent') ? 'not-sent' : 'unknown',
        cause: first?.error,
      },
    );
    this.failures = inOrder;
  }
}
