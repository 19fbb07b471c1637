import { TopicNotFoundError, type QueueRef, type RocketMqClient, type StoredMessage } from '@sluice/rocketmq';
import { messageOf } from './group-offsets.js';
import { READER_GROUP } from './stamped-entries.js';

/** Where brokers keep messages of a delay level until they are due: queue i holds level i + 1. */
const LEVEL_TOPIC = 'SCHEDULE_TOPIC_XXXX';
/** Where brokers of RocketMQ 5 keep messages that have a time of delivery. */
const TIMER_TOPIC = 'rmq_sys_wheel_timer';
const REAL_TOPIC = 'REAL_TOPIC';
const DUE_AT = 'TIMER_OUT_MS';
const ID = 'UNIQ_KEY';
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** The brokers' own limit of a time of delivery, unless they say another one. */
const MAX_TIMER_SECONDS = 3 * 24 * 3_600;
/** Messages of one queue that are looked at; where there are more, their number stays unknown. */
const MAX_LOOKED_AT = 20_000;
/** Clocks of brokers and of this machine may differ. */
const CLOCK_MARGIN_MS = 1_000;

/** Messages that the brokers of a cluster hold back until they are due. */
export interface HeldBack {
  /** By the topic that they go to; retry topics are among them. */
  readonly byTopic: ReadonlyMap<string, number>;
  /** Why they could not all be counted; empty where they could. */
  readonly problems: readonly string[];
}

/** Counts the messages of delay levels and timers that are not due yet, by reading them. */
export async function heldBack(client: RocketMqClient, signal: AbortSignal): Promise<HeldBack> {
  const byTopic = new Map<string, number>();
  const problems: string[] = [];
  const seen = new Set<string>();
  const count = (message: StoredMessage): void => {
    const [topic, id] = message.select([REAL_TOPIC, ID]);
    // A timer that runs for days is stored again on its way.
    if (topic === undefined || (id !== undefined && seen.has(id))) return;
    if (id !== undefined) seen.add(id);
    byTopic.set(topic, (byTopic.get(topic) ?? 0) + 1);
  };
  const settings = new Map<string, ReadonlyMap<string, string>>();
  const settingOf = async (brokerName: string, name: string): Promise<string | undefined> => {
    const known = settings.get(brokerName) ?? (await client.admin.brokers.config(brokerName, { signal }));
    settings.set(brokerName, known);
    return known.get(name);
  };
  const look = async (topic: string, each: (queue: Held, now: number) => Promise<void>): Promise<void> => {
    for (const queue of await queuesOf(client, topic, signal)) {
      try {
        if (queue.max > queue.min) await each(queue, Date.now());
      } catch (error) {
        signal.throwIfAborted();
        problems.push(`${topic} on ${queue.queue.brokerName}, queue ${queue.queue.queueId}: ${messageOf(error)}`);
      }
    }
  };
  await look(LEVEL_TOPIC, async (held, now) => {
    const delayMs = delayOf(await settingOf(held.queue.brokerName, 'messageDelayLevel'), held.queue.queueId);
    const isPending = ({ storeTimestamp }: StoredMessage): boolean => storeTimestamp + delayMs > now;
    await forEachSince(client, held, now - delayMs, signal, (message) => {
      if (isPending(message)) count(message);
    });
  });
  await look(TIMER_TOPIC, async (held, now) => {
    const maxSeconds = Number((await settingOf(held.queue.brokerName, 'timerMaxDelaySec')) ?? MAX_TIMER_SECONDS);
    await forEachSince(client, held, now - maxSeconds * 1_000, signal, (message) => {
      if (Number(message.property(DUE_AT) ?? 0) > now) count(message);
    });
  });
  return { byTopic, problems };
}

interface Held {
  readonly queue: QueueRef;
  readonly min: number;
  readonly max: number;
}

async function queuesOf(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<readonly Held[]> {
  try {
    const stats = await client.admin.topicStats(topic, { signal });
    return stats.map(({ queue, minOffset, maxOffset }) => ({ queue, min: minOffset, max: maxOffset }));
  } catch (error) {
    if (error instanceof TopicNotFoundError) return [];
    throw error;
  }
}

/** Reads `1s 5s 10s 30s 1m …`. */
function delayOf(levels: string | undefined, queueId: number): number {
  const level = levels?.trim().split(/\s+/)[queueId] ?? '';
  const [, amount = '', unit = ''] = /^(\d+)([smhd])$/.exec(level) ?? [];
  const delayMs = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  if (amount === '' || !Number.isFinite(delayMs)) throw new Error(`the broker does not say how long level ${queueId + 1} lasts`);
  return delayMs;
}

async function forEachSince(
  client: RocketMqClient,
  { queue, min, max }: Held,
  fromMs: number,
  signal: AbortSignal,
  visit: (message: StoredMessage) => void,
): Promise<void> {
  const since = await client.admin.offsetByTime(queue, Math.max(0, fromMs - CLOCK_MARGIN_MS), { signal });
  let next = Math.max(min, since);
  if (max - next > MAX_LOOKED_AT) throw new Error(`${max - next} messages may be held back, too many to look at`);
  while (next < max) {
    const answer = await client.consumer.pull({ queue, offset: next, group: READER_GROUP, signal });
    answer.messages.forEach(visit);
    if (answer.nextOffset <= next) return;
    next = answer.nextOffset;
  }
}
