import { ConfigError, type FieldError, queueKey, type QueueRef } from '@sluice/sdk';
import type { RocketMqClient } from '@sluice/rocketmq';
import type { SourceSettings } from './settings.js';

/** Asks at most so many queues at a time. */
const ASKED_AT_A_TIME = 16;
const ENTRY = /^(.+@.+:\d+)=(\d{1,16})$/;

/** Reads `topic@broker:queue=offset`, each queue once. Returns what is wrong with the others too. */
export function parseStartOffsets(entries: readonly string[]): {
  readonly offsets: ReadonlyMap<string, number>;
  readonly errors: readonly FieldError[];
} {
  const offsets = new Map<string, number>();
  const errors: FieldError[] = [];
  for (const entry of entries) {
    const [, key = '', text = ''] = ENTRY.exec(entry) ?? [];
    const offset = Number(text);
    const problem =
      key === '' || !Number.isSafeInteger(offset)
        ? 'Must be topic@broker:queue=offset, as orders@broker-a:0=1500'
        : offsets.has(key)
          ? 'Each queue may be named once'
          : undefined;
    if (problem === undefined) offsets.set(key, offset);
    else errors.push({ field: 'start.offsets', message: `Invalid value ${entry} for configuration start.offsets: ${problem}` });
  }
  return { offsets, errors };
}

export type StartSettings = Pick<SourceSettings, 'start.from' | 'start.timestamp' | 'start.offsets'>;

/**
 * Asks the source where copying begins in each queue, by queue.
 *
 * @param settings `undefined` for queues that appeared while the connector was there: they begin at their first message
 * @throws {ConfigError} for given offsets outside of their queues; RocketMqError of a broker that does not answer
 */
export async function startOffsets(
  client: RocketMqClient,
  queues: readonly QueueRef[],
  settings: StartSettings | undefined,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const { 'start.from': from = 'earliest', 'start.timestamp': timestampMs = 0, 'start.offsets': entries = [] } = settings ?? {};
  const given = parseStartOffsets(entries).offsets;
  const starts = new Map<string, number>();
  const startOf = async (queue: QueueRef): Promise<number> => {
    const [minOffset, maxOffset] = await Promise.all([
      client.admin.minOffset(queue, { signal }),
      client.admin.maxOffset(queue, { signal }),
    ]);
    const offset = given.get(queueKey(queue));
    if (from === 'offsets' && offset !== undefined) return inside(queue, offset, minOffset, maxOffset);
    if (from === 'latest') return maxOffset;
    if (from !== 'timestamp') return minOffset;
    const found = await client.admin.offsetByTime(queue, timestampMs, { signal });
    return Math.min(Math.max(minOffset, found), maxOffset);
  };
  for (let at = 0; at < queues.length; at += ASKED_AT_A_TIME) {
    const some = queues.slice(at, at + ASKED_AT_A_TIME);
    const offsets = await Promise.all(some.map(startOf));
    for (const [place, queue] of some.entries()) starts.set(queueKey(queue), offsets[place] as number);
  }
  return starts;
}

function inside(queue: QueueRef, offset: number, minOffset: number, maxOffset: number): number {
  if (offset >= minOffset && offset <= maxOffset) return offset;
  const key = queueKey(queue);
  const message = `Invalid value ${key}=${offset} for configuration start.offsets: Queue ${key} has offsets from ${minOffset} to ${maxOffset}`;
  throw new ConfigError('Configuration of the source', [{ field: 'start.offsets', message }]);
}
