import { ConnectorPositions, type ConnectorOwners, type StoredPositions } from '@sluice/protocol';
import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { Lease } from '../ports/lease.port.js';
import type { OffsetReset, OffsetStore } from '../ports/offset-store.port.js';
import type { PositionsWrite, PositionStore, SourceTaskId } from '../ports/position-store.port.js';

const place = { storedAtMs: 0, offset: 0 };

/** Positions in memory: a list of messages, folded as they are folded from their topic. */
export class FakePositions implements PositionStore {
  /** Who runs what; the spec keeps it up to date. */
  owners: ConnectorOwners = { asOf: 0, live: new Map(), tasksSince: 0 };
  readonly writes: PositionsWrite[] = [];
  readonly refreshes: number[] = [];
  #stored = new ConnectorPositions('lists');

  /** Copies what is stored, as of now; the copy knows no owners. */
  copy(): FakePositions {
    const copy = new FakePositions();
    copy.#stored = ConnectorPositions.restore(this.#stored.copy());
    return copy;
  }

  async open({ connector, index, generation }: SourceTaskId): Promise<StoredPositions> {
    await Promise.resolve();
    const { asOf } = this.owners;
    const live = [...this.owners.live].map(([at, held]) => ({ index: at, generation: held }));
    this.#stored.apply({ kind: 'barrier', connector, index, generation, asOf, live }, place);
    return this.#stored.storedFor({ index, generation }, this.owners);
  }

  async write({ connector, index, generation }: SourceTaskId, change: PositionsWrite): Promise<void> {
    await Promise.resolve();
    if (this.#stored.apply({ kind: 'write', connector, index, generation, ...change }, place)) this.writes.push(change);
  }

  async refresh(_task: SourceTaskId, beforeMs: number): Promise<void> {
    await Promise.resolve();
    this.refreshes.push(beforeMs);
  }
}

export class FakeOffsets implements OffsetStore {
  readonly #resets = new Map<string, number>();
  readonly offsets = new Map<string, number>();
  /** Members of the group that are not of the Connect cluster, by queue key. */
  readonly foreignByQueue = new Map<string, readonly string[]>();
  askedForForeign = 0;
  readonly commits: { readonly group: string; readonly positions: readonly SinkPosition[] }[] = [];
  /** Names of brokers and of topics of which every call is refused for now. */
  readonly unavailable = new Set<string>();
  /** What a commit waits for. */
  delayOf: (positions: readonly SinkPosition[]) => Promise<void> | undefined = () => undefined;
  /** Names of brokers that answer nothing. */
  readonly silent = new Set<string>();

  async read(group: string, queue: QueueRef): Promise<number | undefined> {
    await this.#answered(queue);
    const key = `${group} ${queueKey(queue)}`;
    return this.#resets.get(key) ?? this.offsets.get(key);
  }

  async foreignConsumers(_group: string, queue: QueueRef): Promise<readonly string[]> {
    await Promise.resolve();
    this.askedForForeign += 1;
    const ids = this.foreignByQueue.get(queueKey(queue));
    if (ids === undefined) throw new Error('the broker does not answer');
    return ids;
  }

  /** What an operator's tool does. */
  reset(group: string, queue: QueueRef, nextOffset: number): void {
    this.#resets.set(`${group} ${queueKey(queue)}`, nextOffset);
  }

  async takeReset(group: string, reset: OffsetReset): Promise<OffsetReset> {
    await this.#answered(reset.queue);
    const key = `${group} ${queueKey(reset.queue)}`;
    const nextOffset = this.#resets.get(key) ?? reset.nextOffset;
    this.#resets.delete(key);
    return { queue: reset.queue, nextOffset };
  }

  async commit(group: string, positions: readonly SinkPosition[]): Promise<readonly OffsetReset[]> {
    const delay = this.delayOf(positions);
    if (delay !== undefined) await delay;
    for (const { queue } of positions) await this.#answered(queue);
    this.commits.push({ group, positions });
    const refused: OffsetReset[] = [];
    for (const { queue, nextOffset } of positions) {
      const key = `${group} ${queueKey(queue)}`;
      const reset = this.#resets.get(key);
      if (reset === undefined) this.offsets.set(key, nextOffset);
      else refused.push({ queue, nextOffset: reset });
    }
    return refused;
  }

  async #answered({ topic, brokerName }: QueueRef): Promise<void> {
    await (this.silent.has(brokerName) ? new Promise(() => undefined) : Promise.resolve());
    const name = [brokerName, topic].find((one) => this.unavailable.has(one));
    if (name !== undefined) throw Object.assign(new Error(`${name} is unavailable`), { retriable: true });
  }
}

export class FakeLease implements Lease {
  held = true;
  doubtfulUpTo = -1;
  gaps = 0;
  #waiting: (() => void)[] = [];

  async whenHeld(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.held) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }

  lose(): void {
    this.held = false;
  }

  /** @param doubtfulUpTo the runner's generations up to this one are doubtful */
  regain(doubtfulUpTo = this.doubtfulUpTo): void {
    this.doubtfulUpTo = doubtfulUpTo;
    this.gaps += 1;
    this.held = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
