import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { RocketMqClient } from '@sluice/rocketmq';
import type { OffsetStore } from '@sluice/runtime';
import { callKnownQueue } from './known-queue.js';

/** The content of `offset.json`: what this node committed last, by group and queue. */
export interface OffsetFile {
  readonly version: 1;
  readonly groups: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Offsets of sink connectors in the brokers' consumer groups, where RocketMQ's own tools show them. */
export class RocketMqOffsetStore implements OffsetStore {
  private readonly committed = new Map<string, Map<string, number>>();

  /** Brokers refuse offsets of groups that they do not know: each group is made once. */
  private readonly prepared = new Map<string, Promise<void>>();

  constructor(private readonly client: RocketMqClient) {}

  async read(group: string, queue: QueueRef): Promise<number | undefined> {
    await this.prepare(group);
    return callKnownQueue(() => this.client.admin.queryOffset(group, queue));
  }

  async commit(group: string, positions: readonly SinkPosition[]): Promise<void> {
    const known = this.committed.get(group) ?? new Map<string, number>();
    this.committed.set(group, known);
    await this.prepare(group);
    await Promise.all(
      positions.map(async ({ queue, nextOffset }) => {
        await callKnownQueue(() => this.client.admin.updateOffset(group, queue, nextOffset));
        known.set(queueKey(queue), nextOffset);
      }),
    );
  }

  private prepare(group: string): Promise<void> {
    let preparing = this.prepared.get(group);
    if (preparing === undefined) {
      preparing = this.client.admin.createGroup({ group });
      this.prepared.set(group, preparing);
      preparing.catch(() => this.prepared.delete(group));
    }
    return preparing;
  }

  snapshot(): OffsetFile {
    return {
      version: 1,
      groups: Object.fromEntries([...this.committed].map(([group, offsets]) => [group, Object.fromEntries(offsets)])),
    };
  }
}
