import {
  queueKey,
  type FlushOptions,
  type QueueRef,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
} from '@sluice/sdk';

/** Holds records back over flushes, and reports as safe what is before them. */
export class HoldingSink implements SinkTask {
  readonly #held: SinkRecord[] = [];
  context!: SinkTaskContext;
  readonly flushes: { readonly positions: readonly SinkPosition[]; readonly options: FlushOptions }[] = [];
  readonly opened: QueueRef[] = [];
  ticks = 0;
  /** The newest records that a flush holds back. */
  keeps: number;
  /** What a flush that is asked for everything holds back. */
  keepsAtLast = 0;

  /** @param written what is durable, in the order of its writing; outlives the sink */
  constructor(
    readonly written: SinkRecord[],
    keeps: number,
  ) {
    this.keeps = keeps;
  }

  start(context: SinkTaskContext): Promise<void> {
    this.context = context;
    return Promise.resolve();
  }

  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    this.opened.push(...queues);
    return Promise.resolve([]);
  }

  put(records: readonly SinkRecord[]): Promise<void> {
    this.#held.push(...records);
    return Promise.resolve();
  }

  tick(): Promise<void> {
    this.ticks++;
    return Promise.resolve();
  }

  async flush(positions: readonly SinkPosition[], _signal: AbortSignal, options: FlushOptions): Promise<readonly SinkPosition[]> {
    await Promise.resolve();
    this.flushes.push({ positions, options });
    const keeps = options.everything ? this.keepsAtLast : this.keeps;
    this.written.push(...this.#held.splice(0, Math.max(0, this.#held.length - keeps)));
    return positions.map((position) => {
      const first = this.#held.find(({ queue }) => queueKey(queue) === queueKey(position.queue));
      return first === undefined ? position : { queue: position.queue, nextOffset: first.offset };
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
