import type { RocketMqClient } from '@sluice/rocketmq';
import { queueKey, type QueueRef } from '@sluice/sdk';

/** What a group has committed for one queue, and what the queue holds. */
export interface CommittedOffset {
  readonly queue: QueueRef;
  readonly offset: number;
}

type OffsetClient = { readonly admin: Pick<RocketMqClient['admin'], 'consumeStats' | 'queryOffset'> };

/**
 * Returns what a group has committed, by queue, of the topics that are asked for. Statistics say 0 also for a queue without an offset, so those are
 * asked for again, one by one.
 */
export async function committedOffsets(
  client: OffsetClient,
  group: string,
  isWanted: (queue: QueueRef) => boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CommittedOffset>> {
  const committed = new Map<string, CommittedOffset>();
  for (const { queue, consumerOffset } of await client.admin.consumeStats(group, { signal })) {
    if (!isWanted(queue)) continue;
    const offset = consumerOffset > 0 ? consumerOffset : await client.admin.queryOffset(group, queue, { signal });
    if (offset !== undefined) committed.set(queueKey(queue), { queue, offset });
  }
  return committed;
}

/** What a cluster knows of the members of a group. */
export interface GroupMembership {
  readonly activity: 'active' | 'inactive' | 'unknown';
  /** Whether members say that each reads all messages: such a group has no offsets at its brokers. */
  readonly isBroadcasting: boolean;
  /** Whether all members say that they consume in another way than by pops; false without members. */
  readonly isWithoutPops: boolean;
  /** Why it is unknown. */
  readonly problem?: string;
}

/** Finds out whether a group has members. A broker that does not answer leaves it unknown. */
export async function membershipOf(
  client: { readonly admin: Pick<RocketMqClient['admin'], 'consumerConnections'> },
  group: string,
  signal: AbortSignal,
): Promise<GroupMembership> {
  try {
    const members = await client.admin.consumerConnections(group, { signal });
    return {
      activity: members.length > 0 ? 'active' : 'inactive',
      isBroadcasting: members.some(({ messageModel }) => messageModel === 'BROADCASTING'),
      isWithoutPops: members.length > 0 && members.every(({ consumeType }) => consumeType !== undefined && consumeType !== 'CONSUME_POP'),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { activity: 'unknown', isBroadcasting: false, isWithoutPops: false, problem: messageOf(error) };
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
