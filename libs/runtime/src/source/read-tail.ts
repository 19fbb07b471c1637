import { type BackoffLimits, backoffMs } from '@sluice/time';
import { parseBarrier, parseStamp, queueTag, scanBarrier, scanStamp, type Stamp } from '@sluice/protocol';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { Clock } from '../ports/clock.port.js';
import { contradictionOf, QueueReadFailure, type QueueMessages, type RawMessage } from '../ports/queue-messages.port.js';
import type { TaskWaits } from '../retry/task-waits.js';
import { throwIfLost } from './writable-queues.js';
import type { QueueStops } from './writable-queues.js';
import { StreamFilter } from '../task/stream-filter.js';

export interface TailToRead {
  readonly queue: QueueRef;
  readonly from: number;
  /** The tail ends before this offset, see `boundTail`. */
  readonly to: number;
  /** The task whose records count; a newer generation than `generation` voids what follows it from an older one. */
  readonly task: string;
  readonly generation: number;
  /** Called for each valid record of the task, in order. */
  readonly onStamp: (stamp: Stamp) => void;
  /** Called with the generation of each record and barrier of the task, valid or not. */
  readonly onGeneration?: (generation: number) => void;
}

export interface TailReading {
  readonly messages: QueueMessages;
  readonly clock: Clock;
  readonly backoff: BackoffLimits;
  readonly signal: AbortSignal;
  readonly waits: TaskWaits;
  readonly warn: (message: string) => void;
  readonly queues: QueueStops;
}

/** Retention had removed the messages from `from` up to `minOffset`. */
export interface TailCut {
  readonly from: number;
  readonly minOffset: number;
}

/**
 * Reads what a source task really has in a queue, from an offset up to its bound, by the rules that readers follow. Waits for a broker that
 * cannot be reached. Returns the part that could not be read because retention had removed it.
 * @throws QueueLostError when the broker is unavailable for longer than the task waits
 */
export async function readTail(reading: TailReading, tail: TailToRead): Promise<TailCut | undefined> {
  const { messages, clock, backoff, signal, warn } = reading;
  const filter = new StreamFilter({ maxTextBytes: Infinity, maxSilenceMs: Infinity });
  filter.barrier(tail.task, tail.generation, 0);
  const tag = queueTag(tail.queue);
  let next = tail.from;
  let cut: TailCut | undefined;
  const waiting = reading.waits.begin(`reading what is in queue ${queueKey(tail.queue)}`);
  for (let attempt = 1; next < tail.to; attempt++) {
    const reader = messages.read(tail.queue, next, signal);
    try {
      while (next < tail.to) {
        for (const message of await reader.next()) {
          if (message.queueOffset >= tail.to) {
            next = tail.to;
            break;
          }
          visit(message, tag, tail, filter);
          next = message.queueOffset + 1;
          attempt = 1;
          waiting.ended();
        }
        signal.throwIfAborted();
        reading.queues.answered(tail.queue);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof QueueReadFailure)) throw error;
      const minOffset = error.reason === 'below-min' ? await messages.minOffset(tail.queue) : undefined;
      if (minOffset !== undefined && minOffset > next) {
        cut ??= { from: next, minOffset };
        next = minOffset;
        continue;
      }
      const failure = minOffset === undefined ? error : contradictionOf(error, minOffset);
      if (!failure.retriable) throw error;
      throwIfLost(await reading.queues.look(tail.queue));
      waiting.failed(failure);
      warn(`Reading ${queueKey(tail.queue)} at offset ${next} failed and is retried: ${failure.message}`);
      await clock.sleep(backoffMs(attempt, backoff, clock.random()), signal);
    } finally {
      if (next >= tail.to || signal.aborted) waiting.ended();
      reader.close();
    }
  }
  return cut;
}

function visit(message: RawMessage, tag: string, tail: TailToRead, filter: StreamFilter): void {
  const stampText = scanStamp(message.rawProperties);
  if (stampText !== undefined) {
    const stamp = parseStamp(stampText, tag);
    if (stamp?.task !== tail.task) return;
    tail.onGeneration?.(stamp.generation);
    if (filter.judge(stamp, message.storeTimestamp) === 'accept') tail.onStamp(stamp);
    return;
  }
  const barrierText = scanBarrier(message.rawProperties);
  const barrier = barrierText === undefined ? undefined : parseBarrier(barrierText, tag);
  if (barrier?.task !== tail.task) return;
  tail.onGeneration?.(barrier.generation);
  filter.barrier(barrier.task, barrier.generation, message.storeTimestamp);
}
