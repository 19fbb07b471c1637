import type { CommittedPosition, ConnectRecord, SourcePosition, SourceRecord, SourceTask, SourceTaskContext } from '@sluice/sdk';

export interface ListedRecord extends Pick<ConnectRecord, 'rocketmq'> {
  readonly topic: string;
  readonly value: string;
}

/**
 * A source of fixed lists, one per partition, with the place in the list as the position. Polls give up to `pollSize` records, partition after
 * partition in turn.
 */
export class ListSource implements SourceTask {
  readonly committed: CommittedPosition[] = [];
  startedAt: Record<string, SourcePosition | undefined> = {};
  polls = 0;
  stops = 0;
  readonly #partitions = new Map<string, { readonly partition: { file: string }; next: number }>();

  constructor(
    readonly lists: Readonly<Record<string, readonly ListedRecord[]>>,
    private readonly pollSize = 3,
    /** What `poll` does while it has nothing. */
    private readonly idle: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) {}

  get isExhausted(): boolean {
    for (const [file, { next }] of this.#partitions) if (next < (this.lists[file]?.length ?? 0)) return false;
    return this.#partitions.size > 0;
  }

  start(context: SourceTaskContext): Promise<void> {
    for (const file of Object.keys(this.lists)) {
      const partition = { file };
      const position = context.position(partition);
      this.startedAt[file] = position;
      this.#partitions.set(file, { partition, next: Number(position?.['position'] ?? 0) });
    }
    return Promise.resolve();
  }

  async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    this.polls++;
    const records: SourceRecord[] = [];
    for (const [file, state] of this.#partitions) {
      const list = this.lists[file] ?? [];
      for (let taken = 0; taken < this.pollSize && state.next < list.length; taken++) {
        const item = list[state.next];
        if (item === undefined) break;
        state.next++;
        records.push({
          ...item,
          partition: state.partition,
          position: { position: state.next },
        });
      }
    }
    if (records.length === 0) await this.idle(signal);
    return records;
  }

  commit(positions: readonly CommittedPosition[]): Promise<void> {
    this.committed.push(...positions);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.stops++;
    return Promise.resolve();
  }
}
