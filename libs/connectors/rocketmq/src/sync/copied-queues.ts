import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';

/** Every broker has it; a broker refuses pulls of groups that it does not know. */
const GROUP = 'TOOLS_CONSUMER';
const UNIQUE_KEY = 'UNIQ_KEY';
/** How far back from its end a queue of the target is searched. */
const MAX_TAIL = 128;
const PULL_MESSAGES = 32;

/**
 * Finds out whether all messages of a topic have been copied. The last one of each queue at the source is then at the end of its queue at
 * the target. What cannot be proven is treated as not copied.
 *
 * @param pairs queues of the target by queues of the source, both as `topic@broker:queue`
 * @throws the clients' errors and the signal's reason
 */
export async function isAllCopied(
  { source, target }: { readonly source: RocketMqClient; readonly target: RocketMqClient },
  topic: string,
  pairs: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<boolean> {
  const call = { signal };
  for (const { queue, minOffset, maxOffset } of await source.admin.topicStats(topic, call)) {
    if (maxOffset <= minOffset) continue;
    const to = parseQueue(pairs.get(`${topic}@${queue.brokerName}:${queue.queueId}`));
    const [last] = (await source.consumer.pull({ ...call, queue, offset: maxOffset - 1, group: GROUP, maxMessages: 1 })).messages;
    const key = last?.property(UNIQUE_KEY);
    if (to === undefined || key === undefined || !(await isInTail(target, to, key, signal))) return false;
  }
  return true;
}

async function isInTail(client: RocketMqClient, queue: QueueRef, key: string, signal: AbortSignal): Promise<boolean> {
  const end = await client.admin.maxOffset(queue, { signal });
  const start = Math.max(await client.admin.minOffset(queue, { signal }), end - MAX_TAIL);
  for (let offset = start; offset < end;) {
    const pulled = await client.consumer.pull({ queue, offset, group: GROUP, maxMessages: PULL_MESSAGES, signal });
    if (pulled.messages.some((message) => message.property(UNIQUE_KEY) === key)) return true;
    if (pulled.nextOffset <= offset) return false;
    offset = pulled.nextOffset;
  }
  return false;
}

/** Reads `topic@broker:queue`; names of brokers may have both separators, names of topics neither. */
function parseQueue(text: string | undefined): QueueRef | undefined {
  const [, topic, brokerName, queueId] = /^([^@]+)@(.+):(\d+)$/.exec(text ?? '') ?? [];
  if (topic === undefined || brokerName === undefined) return undefined;
  return { topic, brokerName, queueId: Number(queueId) };
}
