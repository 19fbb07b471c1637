import { partitionOf } from '@sluice/replication';
import { streamId } from '@sluice/protocol';
import { type LogicalMessage, OffsetOutOfRangeError, type QueueRef, readableQueues, type RocketMqClient } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { QueueCursor, type QueueRange } from '../queues/queue-cursor.js';
import { CopyReader, type CopyCoordinates, isOriginal } from './flow-copies.js';

/** The group in whose name queues are compared. Nothing is committed to it. */
export const VERIFY_GROUP = 'sluice-%verify';

/** Two clusters that a flow connects. */
export interface FlowEnds {
  readonly source: RocketMqClient;
  readonly target: RocketMqClient;
  readonly sourceIdentity: string;
  readonly targetIdentity: string;
}

/** A queue of the source and where its copies are. */
export interface QueuePair {
  readonly source: QueueRef;
  /** Absent where no queue of the target has a copy. */
  readonly copies: FoundCopies | undefined;
}

/** Messages of the target that are no copies of a pair. */
export interface OtherMessages {
  /** Of producers of the target. */
  readonly local: number;
  /** Copies that another flow, or an older one of another connector, has made. */
  readonly otherFlows: number;
  readonly barriers: number;
}

export interface FoundCopies {
  readonly queue: QueueRef;
  readonly stream: string;
  /** Where the first copy stands, and what it is a copy of. */
  readonly targetOffset: number;
  readonly sourceOffset: number;
  readonly seq: number;
  /** What stands before it. */
  readonly before: OtherMessages;
}

/** What is known of a flow beforehand. */
export interface KnownFlow {
  /** Its connector: its streams are known then. */
  readonly connector: string | undefined;
  /** By `queueKey` of a queue of the source that of the target. Queues that are not in it are found. */
  readonly queueMap: ReadonlyMap<string, string>;
}

const AHEAD = 2;
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** A stream that is not known is tried again after 10, 100, … of its copies. */
const TRY_AGAIN_FACTOR = 10;

/**
 * Finds where the queues of a topic were copied to. The stamp of a copy names flow and source queue in a hash, which the connector's name solves.
 * Without a name the message at the offset in the stamp decides: it has the store time and id that the stamp has.
 *
 * @throws TopicNotFoundError for a topic that the source does not have; Error where a queue of the target has copies of two queues
 */
export async function pairQueues(
  ends: FlowEnds,
  topics: { readonly source: string; readonly target: string },
  flow: KnownFlow,
  signal: AbortSignal,
): Promise<readonly QueuePair[]> {
  const sources = readableQueues(await ends.source.routes.refresh(topics.source));
  const targets = (await ends.target.admin.listTopics({ signal })).includes(topics.target)
    ? readableQueues(await ends.target.routes.refresh(topics.target))
    : [];
  const origins = await Promise.all(
    sources.map(async (queue): Promise<QueueRange> => {
      const [from, to] = await Promise.all([ends.source.admin.minOffset(queue), ends.source.admin.maxOffset(queue)]);
      return { queue, from, to };
    }),
  );
  const found = new Map<string, FoundCopies>();
  for (const [index, target] of targets.entries()) {
    const candidates = candidatesFor(target, origins, index, flow.queueMap);
    if (candidates.length === 0) continue;
    const pair = await findFirstCopy(ends, target, candidates, flow.connector, signal);
    if (pair === undefined) continue;
    const key = queueKey(pair.source);
    const other = found.get(key);
    if (other !== undefined) {
      const both = `${queueKey(other.queue)} and ${queueKey(target)} both have copies of ${key}`;
      throw new Error(`${both}: give --connector NAME to compare those of one flow, or --queue-map`);
    }
    found.set(key, pair.copies);
  }
  return sources.map((source) => ({ source, copies: found.get(queueKey(source)) }));
}

/** The queue that is likely comes first: in most flows it is the only one that is looked at. */
function candidatesFor(
  target: QueueRef,
  origins: readonly QueueRange[],
  index: number,
  queueMap: ReadonlyMap<string, string>,
): readonly QueueRange[] {
  const mapped = origins.filter(({ queue }) => queueMap.get(queueKey(queue)) === queueKey(target));
  if (mapped.length > 0) return mapped;
  const free = origins.filter(({ queue }) => !queueMap.has(queueKey(queue)));
  const likely = origins[index];
  return likely !== undefined && free.includes(likely) ? [likely, ...free.filter((each) => each !== likely)] : free;
}

async function findFirstCopy(
  { source, target: targetClient, sourceIdentity }: FlowEnds,
  target: QueueRef,
  candidates: readonly QueueRange[],
  connector: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly source: QueueRef; readonly copies: FoundCopies } | undefined> {
  const streams =
    connector === undefined
      ? undefined
      : new Map(candidates.map(({ queue }) => [streamId(connector, partitionOf(sourceIdentity, queue)), queue]));
  const [from, to] = await Promise.all([targetClient.admin.minOffset(target), targetClient.admin.maxOffset(target)]);
  const reader = new CopyReader(target);
  const unknown = new Map<string, UnknownStream>();
  const before = { local: 0, otherFlows: 0, barriers: 0 };
  const reading = { group: VERIFY_GROUP, signal, ahead: AHEAD, maxBufferedBytes: MAX_BUFFERED_BYTES };
  const cursor = new QueueCursor(targetClient, { queue: target, from, to }, reading);
  try {
    for (;;) {
      const found = cursor.peek() ?? (await cursor.head());
      if (found === undefined) return undefined;
      cursor.take();
      if (found.kind !== 'message') continue;
      const message = reader.read(found.message);
      if (message.kind === 'barrier') before.barriers += 1;
      if (message.kind === 'local') before.local += 1;
      if (message.kind !== 'copy') continue;
      const { stream, sourceOffset, seq } = message.at;
      const copies = { queue: target, stream, targetOffset: found.message.queueOffset, sourceOffset, seq, before: { ...before } };
      if (streams !== undefined) {
        const queue = streams.get(stream);
        if (queue !== undefined) return { source: queue, copies };
      } else {
        const tries = unknown.get(stream) ?? { first: copies, count: 0, next: 1 };
        unknown.set(stream, tries);
        const there = candidates.filter((each) => each.from <= sourceOffset && sourceOffset < each.to);
        const queue = there.length > 0 && mayTry(tries) ? await originOf(source, there, message.at, signal) : undefined;
        if (queue !== undefined) return { source: queue, copies: tries.first };
      }
      before.otherFlows += 1;
    }
  } finally {
    cursor.close();
  }
}

/** A stream of which nobody knows yet what it copies. */
interface UnknownStream {
  /** Retention may have removed what it is a copy of: a later copy then shows the queue. */
  readonly first: FoundCopies;
  /** Its copies whose messages may be there still. */
  count: number;
  /** At how many of them it is tried next. */
  next: number;
}

function mayTry(tries: UnknownStream): boolean {
  tries.count += 1;
  if (tries.count < tries.next) return false;
  tries.next *= TRY_AGAIN_FACTOR;
  return true;
}

/** Looks in which queue of the source a copy's message stands; all of them reach over its offset. */
async function originOf(
  client: RocketMqClient,
  candidates: readonly QueueRange[],
  copy: CopyCoordinates,
  signal: AbortSignal,
): Promise<QueueRef | undefined> {
  for (const { queue } of candidates) {
    const message = await messageAt(client, queue, copy.sourceOffset, signal);
    if (message !== undefined && isOriginal(message, copy)) return queue;
  }
  return undefined;
}

async function messageAt(
  client: RocketMqClient,
  queue: QueueRef,
  offset: number,
  signal: AbortSignal,
): Promise<LogicalMessage | undefined> {
  const reading = { group: VERIFY_GROUP, signal, ahead: 0, maxBufferedBytes: MAX_BUFFERED_BYTES };
  const cursor = new QueueCursor(client, { queue, from: offset, to: offset + 1 }, reading);
  try {
    const found = await cursor.head();
    return found?.kind === 'message' && found.message.queueOffset === offset ? found.message : undefined;
  } catch (error) {
    if (error instanceof OffsetOutOfRangeError) return undefined;
    throw error;
  } finally {
    cursor.close();
  }
}
