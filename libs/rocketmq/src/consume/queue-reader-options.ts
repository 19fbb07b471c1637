import type { BackoffLimits } from '@sluice/time';
import type { RocketMqError } from '../errors.js';
import type { LogicalMessagesOptions } from './logical-messages.js';
import type { MessageFilter } from './message-filter.js';
import type { PullAnswer, PullOptions, ReplicaReadMode } from './pull.js';
import type { PullBudget } from './pull-budget.js';

/** `reading`: a pull is answered again. `retrying`: the last pull failed; the next starts after `delayMs` at the same position. */
export type QueueReaderState =
  | { readonly kind: 'reading' }
  | { readonly kind: 'retrying'; readonly error: RocketMqError; readonly failures: number; readonly delayMs: number };

export interface QueueReaderOptions extends LogicalMessagesOptions {
  /** Offset of the first message wanted. */
  readonly from: number;
  /** Named in the broker's statistics; the client is a visible member of it while the reader reads. */
  readonly group: string;
  /** Pulls in flight or answered and not yet taken, at most. With 0 a pull starts only when `next` is called. Default 4. */
  readonly ahead?: number;
  /** Bytes of answers not yet taken above which no further pull starts; one always may. Default 8 MiB. */
  readonly maxBufferedBytes?: number;
  /** Limits what is pulled and not yet taken, together with other readers; `maxBufferedBytes` is ignored then. */
  readonly budget?: PullBudget;
  /** Asked of the broker per pull, at most; what it gives is found out. Default 512. */
  readonly maxMessagesPerPull?: number;
  /** How long the broker holds the pull at the head of the queue. Default 15 s. */
  readonly suspendMs?: number;
  /** Default: all messages. With a filter one pull is in flight, for nobody knows which offset the next begins at. */
  readonly filter?: MessageFilter | undefined;
  /** Default `never`. */
  readonly replicaReads?: ReplicaReadMode | undefined;
  readonly retryBackoff?: BackoffLimits;
  /** Ends the reader. */
  readonly signal?: AbortSignal;
  /** Called at every change of state and every failed attempt. */
  readonly onState?: (state: QueueReaderState) => void;
}

export interface QueueReaderSource {
  /** Aborts when the client closes. */
  readonly closing: AbortSignal;
  pull(options: PullOptions): Promise<PullAnswer>;
  invalidateRoute(): void;
}
