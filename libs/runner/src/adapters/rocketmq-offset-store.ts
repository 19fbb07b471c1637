import type { OffsetFile } from '@sluice/node';
import { callKnownQueue } from '@sluice/node/known-queue';
import { isSameCluster } from '@sluice/protocol';
import { queueKey, type QueueRef, type SinkPosition } from '@sluice/sdk';
import { isRocketMqError, type RocketMqClient } from '@sluice/rocketmq';
import type { OffsetReset, OffsetStore } from '@sluice/runtime';
import { KnownGroups } from './known-groups.js';

/** Keeps offsets of sink connectors in the brokers' consumer groups, where RocketMQ's own tools show them. The node is a visible member of each group
 * whose offsets it keeps.
 */
export class RocketMqOffsetStore implements OffsetStore {
  readonly #committed = new Map<string, Map<string, number>>();

  readonly #groups: KnownGroups;

  constructor(private readonly client: RocketMqClient) {
    this.#groups = new KnownGroups(client);
  }

  async read(group: string, queue: QueueRef): Promise<number | undefined> {
    return this.#asMember(group, () => this.client.admin.queryOffset(group, queue));
  }

  async commit(group: string, positions: readonly SinkPosition[]): Promise<readonly OffsetReset[]> {
    const resets: OffsetReset[] = [];
    await Promise.all(
      positions.map(async (position) => {
        const reset = await this.#commitOne(group, position.queue, position.nextOffset);
        if (reset === undefined) this.noteCommitted(group, [position]);
        else resets.push(reset);
      }),
    );
    return resets;
  }

  /** Notes what was committed for the group, here or elsewhere in the process, for {@link snapshot}. */
  noteCommitted(group: string, positions: readonly SinkPosition[]): void {
    const known = this.#committed.get(group) ?? new Map<string, number>();
    this.#committed.set(group, known);
    for (const { queue, nextOffset } of positions) known.set(queueKey(queue), nextOffset);
  }

  /** A broker keeps a reset until the group pulls there once, and answers the pull with the offset to resume at. */
  async takeReset(group: string, reset: OffsetReset): Promise<OffsetReset> {
    const { queue, nextOffset: offset } = reset;
    const answer = await this.#groups.call(group, () =>
      callKnownQueue(() => this.client.consumer.pull({ queue, group, offset, maxMessages: 1 })),
    );
    return answer.kind === 'offset-moved' ? { queue, nextOffset: answer.nextOffset } : reset;
  }

  async foreignConsumers(group: string, queue: QueueRef): Promise<readonly string[]> {
    const { admin, clientId } = this.client;
    const members = await admin.consumerConnections(group, { queue });
    return members.map((member) => member.clientId).filter((id) => !isSameCluster(clientId, id));
  }

  /** Returns the reset that the broker keeps in place of the offset. */
  async #commitOne(group: string, queue: QueueRef, offset: number): Promise<OffsetReset | undefined> {
    try {
      await this.#asMember(group, () => this.client.admin.updateOffset(group, queue, offset));
      return undefined;
    } catch (error) {
      if (!isRocketMqError(error) || error.code !== 'OFFSET_RESET') throw error;
      const nextOffset = await this.read(group, queue);
      // Somebody else has taken it meanwhile: the commit is made again.
      if (nextOffset === undefined) throw error;
      return { queue, nextOffset };
    }
  }

  #asMember<T>(group: string, call: () => Promise<T>): Promise<T> {
    return this.#groups.call(group, () => {
      this.client.consumer.attend(group);
      return callKnownQueue(call);
    });
  }

  snapshot(): OffsetFile {
    return {
      version: 1,
      groups: Object.fromEntries([...this.#committed].map(([group, offsets]) => [group, Object.fromEntries(offsets)])),
    };
  }
}
