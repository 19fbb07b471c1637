import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Remembered } from '@sluice/replication';
import { type QueueRef, type RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';

/** Topics of this prefix hold what flows remember; each is at the target of its flow. */
export const MEMORY_PREFIX = 'sluice-sync-';

/** Every broker has it; a broker refuses pulls of groups that it does not know. */
const GROUP = 'TOOLS_CONSUMER';
const FORMAT = 1;
/** A fingerprint only has to tell one setting from the next one. */
const FINGERPRINT_BYTES = 9;
/** An owner that has lost its generation may have written after its successor. */
const MAX_TAIL = 16;
/** Limits what is made of a damaged message. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);

/** What a flow may keep alike. */
export const SYNC_PARTS = ['topics', 'groups', 'acl'] as const;
export type SyncPart = (typeof SYNC_PARTS)[number];

/** The identities of clusters whose settings reach a cluster through flows, for each part. */
export type Origins = Readonly<Record<SyncPart, readonly string[]>>;

/** What a flow remembers, as one message in a topic of the target. */
export interface SyncMemory {
  readonly connector: string;
  /** Of the instance that wrote it. */
  readonly generation: number;
  readonly origins: Origins;
  /** By key of difference; settings are fingerprints. */
  readonly things: ReadonlyMap<string, Remembered>;
}

/** A memory as it was found. */
export interface FoundMemory {
  readonly memory: SyncMemory;
  /** When the target's broker stored it, in milliseconds since the epoch. */
  readonly storedAt: number;
}

/** Returns what stands for settings in a memory: short, and nothing can be read from it but that they changed. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, FINGERPRINT_BYTES).toString('base64url');
}

/** Returns the name of the topic that holds what a flow remembers. */
export function memoryTopic(sourceIdentity: string, connectorName: string): string {
  const cluster = sourceIdentity.replace(/^sluice-identity-/, '');
  return `${MEMORY_PREFIX}${cluster}-${createHash('sha256').update(connectorName).digest('hex').slice(0, 10)}`;
}

/** Returns the last memory in a topic, of the highest generation; undefined where there is none. @throws the client's errors */
export async function readMemory(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<FoundMemory | undefined> {
  const queue = await queueOf(client, topic, signal);
  if (queue === undefined) return undefined;
  const [end, start] = [await client.admin.maxOffset(queue, { signal }), await client.admin.minOffset(queue, { signal })];
  let found: FoundMemory | undefined;
  for (let offset = Math.max(start, end - MAX_TAIL); offset < end;) {
    const pulled = await client.consumer.pull({ queue, offset, group: GROUP, signal });
    for (const message of pulled.messages) {
      const memory = await decode(message.body);
      if (memory === undefined || memory.generation < (found?.memory.generation ?? 0)) continue;
      found = { memory, storedAt: message.storeTimestamp };
    }
    if (pulled.nextOffset <= offset) break;
    offset = pulled.nextOffset;
  }
  return found;
}

/** Writes a memory, and creates its topic where that is missing. @throws the client's errors, such as MessageTooLargeError */
export async function writeMemory(client: RocketMqClient, topic: string, memory: SyncMemory, signal: AbortSignal): Promise<void> {
  const queue = (await queueOf(client, topic, signal)) ?? (await createQueue(client, topic, signal));
  const text = JSON.stringify({ ...memory, format: FORMAT, things: [...memory.things] });
  await client.producer.send(queue, { body: await compress(text), properties: [['KEYS', memory.connector]] }, { signal });
}

async function queueOf(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<QueueRef | undefined> {
  try {
    const [broker] = (await client.admin.topicRoute(topic, { signal })).brokers;
    return broker === undefined ? undefined : { topic, brokerName: broker.brokerName, queueId: 0 };
  } catch (error) {
    if (error instanceof TopicNotFoundError) return undefined;
    throw error;
  }
}

async function createQueue(client: RocketMqClient, topic: string, signal: AbortSignal): Promise<QueueRef> {
  const { brokers } = await client.admin.clusterInfo({ signal });
  const names = brokers.flatMap(({ brokerName, masterAddress }) => (masterAddress === undefined ? [] : [brokerName]));
  const brokerName = names.sort()[0] ?? '';
  await client.admin.createTopic({ topic, brokerName, readQueues: 1, writeQueues: 1, signal });
  return { topic, brokerName, queueId: 0 };
}

/** Undefined for what this version cannot read. */
async function decode(body: Buffer): Promise<SyncMemory | undefined> {
  try {
    const value: unknown = JSON.parse((await decompress(body, { maxOutputLength: MAX_TEXT_BYTES })).toString('utf8'));
    return isStored(value) ? { ...value, things: new Map(value.things) } : undefined;
  } catch {
    return undefined;
  }
}

interface Stored extends Omit<SyncMemory, 'things'> {
  readonly things: readonly [string, Remembered][];
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) return false;
  const { origins, things } = value as Partial<Stored>;
  return Array.isArray(things) && origins !== undefined && SYNC_PARTS.every((part) => Array.isArray(origins[part]));
}
