import { type CopyEvent, type CopyProgress, type SinkStream, judgeCopies, type JudgedCopies } from '@sluice/replication';
import { BatchEncoder, isGroupMissing, MessageUnreadableError, OffsetOutOfRangeError, type RocketMqClient } from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, RetriableError } from '@sluice/sdk';

/** The first part that is looked at, in messages; each further one has twice as many. */
const FIRST_PART = 2048;
const MAX_PART = 65_536;
/** How far back at most copies are looked for. */
const MAX_LOOKED_AT = 1_000_000;

export interface TargetTailOptions {
  readonly client: RocketMqClient;
  /** Of the pulls. */
  readonly group: string;
  readonly queue: QueueRef;
  readonly stream: SinkStream;
  readonly generation: number;
  /** How many copies a task that has lost the queue may still send. */
  readonly maxLate: number;
  /** Reports copies to operators that others may see twice, and of what was not found. */
  readonly report: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Writes marks and barriers into a queue of the target, and finds out from its tail how far the queue of the source is copied. */
export class TargetTail {
  readonly #options: TargetTailOptions;

  constructor(options: TargetTailOptions) {
    this.#options = options;
  }

  /**
   * Voids what earlier owners of the stream still send, and finds its last valid copy before that: looks back from the barrier, part by part.
   *
   * @returns `undefined` where the target has no copy
   * @throws ConnectError where a later generation has the queue; RocketMqError of the broker
   */
  async recover(): Promise<CopyProgress | undefined> {
    const { client, queue, stream, generation, maxLate, signal, report } = this.#options;
    await this.#withGroup(() => client.consumer.pull({ queue, group: this.#options.group, offset: 0, maxMessages: 1, signal }));
    const barrierAt = await this.#write(stream.barrier(generation));
    const minOffset = await client.admin.minOffset(queue, { signal });
    let events: readonly CopyEvent[] = [];
    let judged: JudgedCopies = judgeCopies([], maxLate);
    let size = FIRST_PART;
    for (let from = barrierAt; from > minOffset && barrierAt - from < MAX_LOOKED_AT;) {
      const to = from;
      from = Math.max(minOffset, to - size);
      size = Math.min(MAX_PART, size * 2);
      events = [...(await this.#eventsIn(from, to)), ...events];
      judged = judgeCopies(events, maxLate);
      if (judged.newest > generation) throw superseded(queue, judged.newest, generation);
      if (judged.isProven) break;
      if (from > minOffset && barrierAt - from >= MAX_LOOKED_AT) {
        report(
          `Of queue ${queueKey(queue)} of the target the last ${barrierAt - from} messages were searched, and what was copied before is not known ` +
            `for certain: messages may be copied twice`,
        );
      }
    }
    const { late, repeated } = judged;
    if (late + repeated > 0) {
      report(
        `Queue ${queueKey(queue)} of the target has ${late + repeated} copies twice: ${late} of an earlier task, sent behind the barrier of the next one, ` +
          `and ${repeated} sent again. Readers of Sluice drop them, others see them`,
      );
    }
    return judged.progress;
  }

  /** Writes how far the stream has come where no copy says so. @throws RocketMqError of the broker */
  async mark(progress: CopyProgress): Promise<void> {
    const { stream, generation } = this.#options;
    await this.#write(stream.mark(generation, progress));
  }

  async #write({ body, properties }: { readonly body: Buffer; readonly properties: string }): Promise<number> {
    const { client, queue, signal } = this.#options;
    const encoder = new BatchEncoder();
    encoder.add(body, properties);
    const { firstOffset } = await client.producer.sendBatch(queue, encoder.finish(), { signal });
    if (firstOffset >= 0) return firstOffset;
    throw new RetriableError(`Queue ${queueKey(queue)} is moving to another broker, which does not know its offsets yet`);
  }

  async #withGroup(look: () => Promise<unknown>): Promise<void> {
    const { client, group, signal } = this.#options;
    try {
      await look();
    } catch (error) {
      if (!isGroupMissing(error)) throw error;
      await client.admin.createGroup({ group, brokerName: this.#options.queue.brokerName, signal });
    }
  }

  /** Reads what the stream has from an offset up to another, behind which a message stands. */
  async #eventsIn(from: number, to: number): Promise<readonly CopyEvent[]> {
    const { client, group, queue, stream, signal } = this.#options;
    const events: CopyEvent[] = [];
    const reader = client.consumer.readQueue(queue, { from, group, signal });
    try {
      for (let next = from; next < to;) {
        try {
          for (const { queueOffset, rawProperties } of await reader.nextMessages()) {
            next = queueOffset + 1;
            const event = queueOffset < to ? stream.eventOf(rawProperties) : undefined;
            if (event !== undefined) events.push(event);
          }
        } catch (error) {
          // A message that cannot be read is none of the stream's; and what retention removes meanwhile needs no look.
          if (error instanceof MessageUnreadableError) next = error.nextOffset ?? error.queueOffset + 1;
          else if (error instanceof OffsetOutOfRangeError) next = Math.max(next + 1, await client.admin.minOffset(queue, { signal }));
          else throw error;
          if (next < to) reader.seek(next);
        }
      }
      return events;
    } finally {
      reader.close();
    }
  }
}

function superseded(queue: QueueRef, newest: number, generation: number): ConnectError {
  return new ConnectError(
    ConnectErrorCode.fenced,
    `Queue ${queueKey(queue)} of the target is written by generation ${newest} of this connector; this task has generation ${generation} and gives up`,
  );
}
