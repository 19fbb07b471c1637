import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import type { RocketMqClient } from '@sluice/rocketmq';
import type { OffsetStore } from '@sluice/runtime';

/** The content of `offset.json`: what this node committed last, by group and queue. */
export interface OffsetFile {
  readonly version: 1;
  readonly groups: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Offsets of sink connectors in the brokers' consumer groups, where RocketMQ's own tools show them. */
export class RocketMqOffsetStore implements OffsetStore {
  private readonly committed = new Map<string, Map<string, number>>();

  constructor(private readonly client: RocketMqClient) {}

  /** Makes sure that the group exists: brokers refuse offsets of groups that they do not know. */
  async prepare(group: string): Promise<void> {
    await this.client.admin.createGroup({ group });
  }

  read(group: string, queue: QueueRef): Promise<number | undefined> {
    return this.client.admin.queryOffset(group, queue);
  }

  async commit(group: string, positions: readonly SinkPosition[]): Promise<void> {
    const known = this.committed.get(group) ?? new Map<string, number>();
    this.committed.set(group, known);
    await Promise.all(
      positions.map(async ({ queue, nextOffset }) => {
        await this.client.admin.updateOffset(group, queue, nextOffset);
        known.set(queueKey(queue), nextOffset);
      }),
    );
  }

  snapshot(): OffsetFile {
    return {
      version: 1,
      groups: Object.fromEntries([...this.committed].map(([group, offsets]) => [group, Object.fromEntries(offsets)])),
    };
  }
}
