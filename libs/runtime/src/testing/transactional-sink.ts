import { queueKey, type QueueRef, type SinkPosition, type SinkRecord, type SinkTask } from '@sluice/sdk';

/** What outlives the sink: values and positions, changed together. */
export interface SinkStorage {
  readonly values: string[];
  readonly positions: Map<string, SinkPosition>;
}

export function newSinkStorage(): SinkStorage {
  return { values: [], positions: new Map() };
}

/** Keeps what was put until a flush stores it together with the positions, in one step. */
export class TransactionalSink implements SinkTask {
  readonly calls: string[] = [];
  readonly opened: QueueRef[] = [];
  puts: (readonly SinkRecord[])[] = [];
  #pending: SinkRecord[] = [];

  constructor(
    readonly storage: SinkStorage,
    private readonly answersPositions = true,
  ) {}

  start(): Promise<void> {
    this.calls.push('start');
    return Promise.resolve();
  }

  open(queues: readonly QueueRef[]): Promise<readonly SinkPosition[]> {
    this.calls.push('open');
    this.opened.push(...queues);
    if (!this.answersPositions) return Promise.resolve([]);
    return Promise.resolve(queues.flatMap((queue) => this.storage.positions.get(queueKey(queue)) ?? []));
  }

  put(...[records]: Parameters<SinkTask['put']>): Promise<void> {
    this.calls.push('put');
    this.puts.push(records);
    this.#pending.push(...records);
    return Promise.resolve();
  }

  flush(positions: readonly SinkPosition[]): Promise<void> {
    this.calls.push('flush');
    const covered = new Map(positions.map(({ queue, nextOffset }) => [queueKey(queue), nextOffset]));
    for (const { queue, offset } of this.#pending) {
      if ((covered.get(queueKey(queue)) ?? 0) <= offset) throw new Error(`offset ${offset} was put and is not covered`);
    }
    this.storage.values.push(...this.#pending.map(({ value }) => value as string));
    this.#pending = [];
    for (const position of positions) this.storage.positions.set(queueKey(position.queue), position);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.calls.push('close');
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.calls.push('stop');
    return Promise.resolve();
  }
}
