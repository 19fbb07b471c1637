import { retry } from '@sluice/time';
import { BrokerNotFoundError, FrameTooLargeError, isRetriableRocketMqError, TopicNotFoundError } from '@sluice/rocketmq';
import { NodeError } from '../errors/node-error.js';

/** Short: leases run out while nobody knows that a broker is back. */
const retryLimits = { initialMs: 200, maxMs: 200 } as const;

/** Thrown when a queue that was found before has no broker now: it stopped or restarts, and nothing is to be done but wait. */
class QueueUnavailableError extends NodeError {
  constructor(cause: Error) {
    super('QUEUE_UNAVAILABLE', cause.message, { retriable: true, cause });
  }
}

/**
 * What an error means to a caller that addresses a queue which it has found before. Name servers forget a topic while all its brokers are
 * down, so there an unknown topic is no mistake of the caller.
 */
export function errorOfKnownQueue(error: unknown): unknown {
  if (error instanceof TopicNotFoundError || error instanceof BrokerNotFoundError) {
    return new QueueUnavailableError(error);
  }
  return error;
}

/** Makes a call to a known queue; rejects as {@link errorOfKnownQueue} says. */
export async function callKnownQueue<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw errorOfKnownQueue(error);
  }
}

/** Whether the same call may succeed later. */
export function mayRetry(error: unknown): boolean {
  return error instanceof QueueUnavailableError || isRetriableRocketMqError(error);
}

/**
 * Makes a call to a known queue, again and again while its broker is unavailable.
 * @throws what the call throws when waiting does not help, or once `signal` is aborted
 */
export function untilAnswered<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return retry(() => callKnownQueue(call), { limits: retryLimits, signal, mayRetry });
}

/** A broker that says that a queue begins behind its end refuses every offset of it: how long nobody asks again, in milliseconds. */
export const REFUSED_PAUSE_MS = 1_000;

/** Returns where a queue begins; one that was cut below what retention has left may be said to begin behind its end. */
export function firstOffsetOf({ minOffset, maxOffset }: { readonly minOffset: number; readonly maxOffset: number }): number {
  return Math.min(minOffset, maxOffset);
}

/** Pulls up to `maxMessages`, and one alone where so many make an answer that is longer than the client reads. */
export async function fittingAnswer<T>(maxMessages: number, pull: (maxMessages: number) => Promise<T>): Promise<T> {
  try {
    return await pull(maxMessages);
  } catch (error) {
    if (!(error instanceof FrameTooLargeError) || maxMessages === 1) throw error;
    return pull(1);
  }
}
