import type { BackoffLimits } from '@sluice/time';
import { InvalidArgumentError } from '../../errors.js';
import { canCompressZstd, zstdCompress } from '../../wire/zstd.js';
import type { BatchLimits } from './take-batch.js';
import type { PendingLimits } from './pending-bounds.js';
import type { CompressionOptions } from './producer-message.js';

export interface TopicProducerOptions {
  /** A batch's messages at most. Default 1,000. */
  readonly maxBatchMessages?: number | undefined;
  /** A batch's bytes at most, as brokers count them; not above their `maxMessageSize`. Larger messages go alone. Default 1 MiB. */
  readonly maxBatchBytes?: number | undefined;
  /**
   * How long a batch that is not full waits for more messages. Default 0: it takes what is sent in the same turn of the
   * event loop and while the queue's batch before it is under way.
   */
  readonly lingerMs?: number | undefined;
  /** Messages held, sent or not, above which sends wait. Default 50,000. */
  readonly maxPendingMessages?: number | undefined;
  /** Their bytes. Default 32 MiB. */
  readonly maxPendingBytes?: number | undefined;
  /** Sends that may wait for room; beyond it they are refused. Default 10,000. */
  readonly maxWaitingSends?: number | undefined;
  /** How long an attempt waits for the broker's reply. Default: the client's `requestTimeoutMs`. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a message may wait for its first attempt or the next one. Default 120 s. */
  readonly deliveryTimeoutMs?: number | undefined;
  /** Between attempts at one broker. Default: from 50 ms, exponential, up to 3 s. */
  readonly retryBackoff?: BackoffLimits | undefined;
  /**
   * What happens to messages of unknown outcome. It is unknown where the connection ended before the reply, the
   * reply was lost, or the broker's answer does not say whether it stored them. `reject` (default): their sends reject with
   * SendOutcomeUnknownError. `resend`: they are sent again, and may be stored twice.
   */
  readonly onUnknownOutcome?: 'reject' | 'resend' | undefined;
  /** Compressed messages go one by one. Default: none is compressed. */
  readonly compression?: CompressionOptions | undefined;
}

export interface ProducerSettings extends BatchLimits, PendingLimits {
  readonly requestTimeoutMs: number | undefined;
  readonly deliveryTimeoutMs: number;
  readonly retryBackoff: BackoffLimits;
  readonly onUnknownOutcome: 'reject' | 'resend';
  readonly compression: CompressionOptions | undefined;
}

const DEFAULT_MAX_BATCH_BYTES = 1024 * 1024;
const DEFAULT_MAX_PENDING_BYTES = 32 * 1024 * 1024;

/** @throws InvalidArgumentError, UnsupportedCompressionError for `zstd` where Node has none */
export function producerSettings(options: TopicProducerOptions, maxMessageBytes: number): ProducerSettings {
  const maxBatchBytes = options.maxBatchBytes ?? Math.min(DEFAULT_MAX_BATCH_BYTES, maxMessageBytes);
  if (maxBatchBytes > maxMessageBytes) {
    throw new InvalidArgumentError(`maxBatchBytes ${maxBatchBytes}: allowed is up to maxMessageBytes, ${maxMessageBytes}`);
  }
  checkCompression(options.compression);
  return {
    maxBatchMessages: atLeast('maxBatchMessages', options.maxBatchMessages ?? 1_000, 1),
    maxBatchBytes: atLeast('maxBatchBytes', maxBatchBytes, 1),
    lingerMs: atLeast('lingerMs', options.lingerMs ?? 0, 0),
    maxPendingMessages: atLeast('maxPendingMessages', options.maxPendingMessages ?? 50_000, 1),
    maxPendingBytes: atLeast('maxPendingBytes', options.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES, 1),
    maxWaitingSends: atLeast('maxWaitingSends', options.maxWaitingSends ?? 10_000, 0),
    requestTimeoutMs: options.requestTimeoutMs,
    deliveryTimeoutMs: atLeast('deliveryTimeoutMs', options.deliveryTimeoutMs ?? 120_000, 1),
    retryBackoff: options.retryBackoff ?? { initialMs: 50, maxMs: 3_000 },
    onUnknownOutcome: options.onUnknownOutcome ?? 'reject',
    compression: options.compression,
  };
}

function checkCompression(compression: CompressionOptions | undefined): void {
  if (compression === undefined) return;
  atLeast('compression.overBytes', compression.overBytes, 0);
  if (compression.type === 'zstd' && !canCompressZstd) zstdCompress(Buffer.alloc(0));
}

function atLeast(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new InvalidArgumentError(`${name} ${value}: expected an integer from ${min}`);
}
