import { redriveNamesOf } from '@sluice/protocol';
import {
  type ClientConnection,
  isGroupMissing,
  isRetriableRocketMqError,
  type QueueRef,
  type RocketMqClient,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { pause, retry } from '@sluice/time';
import { asGroup, queueName, type QueueRange } from '../queues/queue-cursor.js';
import { LOOK_GROUP, rangesOf, readRanges } from './read-letters.js';
import { decodeDoneEntry, type DoneEntry, encodeDoneEntry, type OffsetRange, QueueProgress } from './queue-progress.js';

/** How long a broker may take to list this client alone as a member of the group. */
const JOIN_MS = 10_000;
const JOIN_POLL_MS = 100;
/** How long a broker is asked to store progress. */
const SAVE_MS = 30_000;
const SAVE_PAUSES = { initialMs: 100, maxMs: 3_000 } as const;

/** Progress of one queue, and the part of it that is to be read. */
export interface QueueWork {
  readonly range: QueueRange;
  readonly progress: QueueProgress;
  /** Messages that retention removed, although nobody knows of all letters among them that they were redriven. */
  readonly removed: QueueRange | undefined;
  /** The offsets that entries name as redriven. */
  readonly done: readonly OffsetRange[];
}

/** Counts the offsets of a range of which no entry says that their letters were redriven. */
export function countUndone({ from, to }: Pick<QueueRange, 'from' | 'to'>, done: readonly OffsetRange[]): number {
  let count = 0;
  let next = from;
  for (const [first, last] of [...done].sort(([one], [other]) => one - other)) {
    if (first >= to) break;
    count += Math.max(0, first - next);
    next = Math.max(next, last + 1);
  }
  return count + Math.max(0, to - next);
}

/** Thrown where a topic was deleted and created again: what is known of its letters is of others. */
export class TopicRecreatedError extends Error {
  constructor(topic: string, detail: string) {
    const { group, positions } = redriveNamesOf(topic);
    super(
      `Topic ${topic} was deleted and created again: ${detail}. ` +
        `Delete group ${group}, and topic ${positions} where it exists, to start over`,
    );
  }
}

/**
 * Keeps which letters of a topic were redriven. The offsets of a consumer group say before which offset all were. Entries of a topic say it of
 * single letters behind that, which filters leave. An entry is stored on the broker of the letters and after them, so retention takes it after them.
 */
export class RedriveProgress {
  readonly #names: { readonly group: string; readonly positions: string };
  /** By queue key. */
  readonly #workOf: ReadonlyMap<string, QueueWork>;
  readonly #committed: Map<string, number>;
  #hasTopic = false;

  private constructor(
    private readonly client: RocketMqClient,
    private readonly topic: string,
    readonly works: readonly QueueWork[],
    committed: ReadonlyMap<string, number>,
  ) {
    this.#names = redriveNamesOf(topic);
    this.#workOf = new Map(works.map((work) => [queueKey(work.range.queue), work]));
    this.#committed = new Map(committed);
  }

  /**
   * Reads the progress, and what the queues hold now.
   *
   * @param joins makes the client a member of the group first, so that nobody else redrives the topic meanwhile
   * @throws TopicNotFoundError, TopicRecreatedError; Error where somebody else redrives the topic, or an entry cannot be read
   */
  static async open(client: RocketMqClient, topic: string, joins: boolean, signal: AbortSignal): Promise<RedriveProgress> {
    const { group, positions } = redriveNamesOf(topic);
    const ranges = await rangesOf(client, topic);
    if (joins) await join(client, group, ranges, signal);
    const entries = await entriesOf(client, positions, signal);
    const committed = new Map<string, number>();
    const works: QueueWork[] = [];
    for (const { queue, from, to } of ranges) {
      const offset = await committedOffset(client, group, queue);
      if (offset !== undefined) committed.set(queueKey(queue), offset);
      if (offset !== undefined && offset > to) {
        throw new TopicRecreatedError(topic, `group ${group} has offset ${offset} for queue ${queueName(queue)}, which ends at ${to}`);
      }
      const start = Math.max(offset ?? 0, from);
      const ofQueue = entries.filter(({ brokerName, entry }) => brokerName === queue.brokerName && entry.queueId === queue.queueId);
      const ofThis = ofQueue.map(({ entry }) => entry);
      const progress = new QueueProgress(start, ofThis);
      const done = ofThis.flatMap((entry) => entry.ranges);
      const removed = offset !== undefined && offset < from ? { queue, from: offset, to: from } : undefined;
      works.push({ range: { queue, from: start, to }, progress, removed, done });
    }
    return new RedriveProgress(client, topic, works, committed);
  }

  get group(): string {
    return this.#names.group;
  }

  /** Returns whether the letter at an offset of a queue was redriven; `storedAt` is when the broker stored it, in ms since the epoch. */
  isRedriven(queue: QueueRef, offset: number, storedAt: number): boolean {
    const work = this.#workOf.get(queueKey(queue));
    return work !== undefined && (offset < work.range.from || work.progress.isDone(offset, storedAt));
  }

  /** Keeps the client in the group; call it at least every 30 s. */
  stay(): void {
    this.client.consumer.attend(this.#names.group);
  }

  /**
   * Stores what was redriven.
   *
   * @throws TopicRecreatedError, before it stores anything of the queue; what a broker answers: the letters may be sent again by the next redrive then
   */
  async save(): Promise<void> {
    for (const { range, progress } of this.works) {
      const { queue, to } = range;
      const { unsaved } = progress;
      const isNews = unsaved.length > 0 || progress.committable > (this.#committed.get(queueKey(queue)) ?? 0);
      if (!isNews) continue;
      const end = await stubbornly(() => this.client.admin.maxOffset(queue));
      // The offsets would hide letters of the new topic.
      if (end < to) throw new TopicRecreatedError(this.topic, `queue ${queueName(queue)} ended at ${to}, and ends at ${end} now`);
      if (unsaved.length > 0) await stubbornly(() => this.#append(queue, encodeDoneEntry(queue.queueId, unsaved)));
      progress.saved();
      const offset = progress.committable;
      if ((this.#committed.get(queueKey(queue)) ?? 0) >= offset) continue;
      const { group } = this.#names;
      await stubbornly(() => asGroup(this.client, group, () => this.client.admin.updateOffset(group, queue, offset)));
      this.#committed.set(queueKey(queue), offset);
    }
  }

  async #append({ brokerName }: QueueRef, body: Buffer): Promise<void> {
    const topic = this.#names.positions;
    if (!this.#hasTopic) await this.client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    this.#hasTopic = true;
    await this.client.producer.send({ topic, brokerName, queueId: 0 }, { body });
  }
}

/** Repeats what may be done twice. It ends also after a signal has stopped the redrive: what was sent is to be known. */
function stubbornly<T>(call: () => Promise<T>): Promise<T> {
  const { signal } = new AbortController();
  return retry(call, { limits: SAVE_PAUSES, signal, limitMs: SAVE_MS, mayRetry: isRetriableRocketMqError });
}

/** Joins a group on the brokers of a topic. @throws Error where others are in it */
async function join(client: RocketMqClient, group: string, ranges: readonly QueueRange[], signal: AbortSignal): Promise<void> {
  for (const { queue, from } of new Map(ranges.map((range) => [range.queue.brokerName, range])).values()) {
    const look = (): Promise<unknown> => client.consumer.pull({ queue, group, offset: from, maxMessages: 1 });
    // Brokers do not say so when they leave out a member of a group that they do not know.
    await asGroup(client, group, look);
    const endsAt = performance.now() + JOIN_MS;
    for (;;) {
      signal.throwIfAborted();
      client.consumer.attend(group);
      // A client announces its groups to a broker before it pulls from there.
      await look();
      const members = await client.admin.consumerConnections(group, { queue });
      const others = members.filter(({ clientId }) => clientId !== client.clientId);
      if (members.length > 0 && others.length === 0) break;
      // A broker may still list one that was killed a moment ago.
      if (performance.now() > endsAt) throw notAlone(group, queue, others);
      await pause(JOIN_POLL_MS, signal);
    }
  }
}

function notAlone(group: string, { topic, brokerName }: QueueRef, others: readonly ClientConnection[]): Error {
  if (others.length === 0) {
    return new Error(`Broker ${brokerName} does not list this client in group ${group}: nobody can tell who else redrives topic ${topic}`);
  }
  const named = others.map(({ clientId, clientAddress }) => `${clientId} at ${clientAddress}`).join(', ');
  return new Error(`Topic ${topic} is being redriven by ${named}: wait for the end of that`);
}

async function committedOffset(client: RocketMqClient, group: string, queue: QueueRef): Promise<number | undefined> {
  try {
    return await client.admin.queryOffset(group, queue);
  } catch (error) {
    if (isGroupMissing(error)) return undefined;
    throw error;
  }
}

interface PlacedEntry {
  readonly brokerName: string;
  readonly entry: DoneEntry;
}

async function entriesOf(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<readonly PlacedEntry[]> {
  let ranges: readonly QueueRange[];
  try {
    ranges = await rangesOf(client, topic);
  } catch (error) {
    if (error instanceof TopicNotFoundError) return [];
    throw error;
  }
  const entries: PlacedEntry[] = [];
  for await (const found of readRanges(client, ranges, { group: LOOK_GROUP, signal })) {
    if (found.kind === 'removed') continue;
    const entry = found.kind === 'message' ? decodeDoneEntry(found.message.body, found.message.storeTimestamp) : undefined;
    if (entry === undefined) {
      const offset = found.kind === 'message' ? found.message.queueOffset : found.offset;
      throw new Error(
        `Topic ${topic} holds at ${queueName(found.queue)} offset ${offset} what no redrive of this version writes: progress cannot be known`,
      );
    }
    entries.push({ brokerName: found.queue.brokerName, entry });
  }
  return entries;
}
