import { decideOffset, type KeptReason, type QueueBounds, translateOffset, type Translation, type Untranslated } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { FlowClusters } from '../flow/flow-clusters.js';
import { forEachOf } from './for-each-of.js';
import { type CommittedOffset, committedOffsets, membershipOf, messageOf } from './group-offsets.js';
import type { QueueLink, QueueLinks } from './queue-link.js';

const QUEUES_AT_A_TIME = 4;
const GROUPS_AT_A_TIME = 8;

/** What is done with the offset of one group in one queue, and why. */
export interface OffsetRow {
  readonly group: string;
  readonly source: QueueRef;
  readonly target: QueueRef;
  /** What the group has committed at the source. */
  readonly sourceOffset: number;
  readonly translation: Translation | Untranslated;
  /** What it has committed at the target; undefined when it never did. */
  readonly targetOffset: number | undefined;
  /** `write`: the offset of the translation is written. Else why not. */
  readonly action: 'write' | KeptReason | 'group-absent';
}

/** What a group needs somebody to know. */
export interface GroupNote {
  readonly group: string;
  /** The queue of the source; absent where it is about the group itself. */
  readonly queue?: string;
  readonly kind: 'absent' | 'no-offsets' | 'broadcasting' | 'members-unknown' | 'untranslated' | 'ahead' | 'held' | 'skips' | 'expired';
  readonly note: string;
}

/** What one round would write, and what it leaves. */
export interface OffsetPlan {
  readonly rows: readonly OffsetRow[];
  readonly notes: readonly GroupNote[];
  /** By group: offsets of the source that it has not consumed and that are not copied, in the topics in which it has offsets. */
  readonly notCopied: ReadonlyMap<string, number>;
  /** What could not be asked or written: topics, queues and groups by name, with the reason. */
  readonly problems: readonly string[];
}

export interface PlanOptions {
  readonly clusters: FlowClusters;
  readonly links: QueueLinks;
  /** Queues of the target by queues of the source. */
  readonly queues: ReadonlyMap<string, string>;
  readonly takesGroup: (group: string) => boolean;
  readonly others: 'hold' | 'skip';
  readonly signal: AbortSignal;
}

/**
 * Finds out for each group and queue where the group is at the source and at the target, and what is to be done. Writes nothing. What cannot be
 * asked is left out and named in `problems`.
 *
 * @throws the client's error where the source does not say which groups it has; the signal's reason
 */
export async function planOffsets(options: PlanOptions): Promise<OffsetPlan> {
  const { clusters, links: known, queues, takesGroup, signal } = options;
  const links = known.of(queues);
  const problems: string[] = [];
  const [sourceGroups, targetGroups] = await Promise.all([
    clusters.source.client.admin.listGroups({ signal }),
    clusters.target.client.admin.listGroups({ signal }),
  ]);
  const bounds = {
    source: await boundsOf(
      clusters.source.client,
      [...links.values()].map(({ source }) => source.topic),
      problems,
      signal,
    ),
    target: await boundsOf(
      clusters.target.client,
      [...links.values()].map(({ target }) => target.topic),
      problems,
      signal,
    ),
  };
  const ready = new Map<string, ReadyLink>();
  await forEachOf(links, QUEUES_AT_A_TIME, async ([key, link]) => {
    const [source, target] = [bounds.source.get(key), bounds.target.get(queueKey(link.target))];
    if (source === undefined || target === undefined) return;
    try {
      await link.advance({ source, target }, signal);
      ready.set(key, { link, source, target });
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`${key}: ${messageOf(error)}`);
    }
  });
  const rows: OffsetRow[] = [];
  const notes: GroupNote[] = [];
  const notCopied = new Map<string, number>();
  const present = new Set(targetGroups);
  await forEachOf(sourceGroups.filter(takesGroup), GROUPS_AT_A_TIME, async (group) => {
    try {
      const found = await planGroup(group, ready, present.has(group), options);
      rows.push(...found.rows);
      notes.push(...found.notes);
      notCopied.set(group, found.notCopied);
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`group ${group}: ${messageOf(error)}`);
    }
  });
  rows.sort((a, b) => compare(a.group, b.group) || compare(queueKey(a.source), queueKey(b.source)));
  notes.sort((a, b) => compare(a.group, b.group) || compare(a.queue ?? '', b.queue ?? ''));
  return { rows, notes, notCopied, problems: problems.sort() };
}

/** A link whose index knows what the queues hold. */
interface ReadyLink {
  readonly link: QueueLink;
  readonly source: QueueBounds;
  readonly target: QueueBounds;
}

async function boundsOf(
  client: RocketMqClient,
  topics: readonly string[],
  problems: string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, QueueBounds>> {
  const bounds = new Map<string, QueueBounds>();
  await forEachOf(new Set(topics), QUEUES_AT_A_TIME, async (topic) => {
    try {
      for (const { queue, minOffset, maxOffset } of await client.admin.topicStats(topic, { signal })) {
        bounds.set(queueKey(queue), { min: minOffset, max: maxOffset });
      }
    } catch (error) {
      signal.throwIfAborted();
      problems.push(`topic ${topic}: ${messageOf(error)}`);
    }
  });
  return bounds;
}

async function planGroup(
  group: string,
  ready: ReadonlyMap<string, ReadyLink>,
  isAtTarget: boolean,
  { clusters, others, signal }: PlanOptions,
): Promise<Pick<OffsetPlan, 'rows' | 'notes'> & { readonly notCopied: number }> {
  const { source, target } = clusters;
  const committed = await committedOffsets(source.client, group, (queue) => ready.has(queueKey(queue)), signal);
  if (committed.size === 0) return { rows: [], notes: [await whyWithoutOffsets(source.client, group, signal)], notCopied: 0 };
  const targets = new Set([...ready.values()].map(({ link }) => queueKey(link.target)));
  const there = isAtTarget
    ? await committedOffsets(target.client, group, (queue) => targets.has(queueKey(queue)), signal)
    : new Map<string, CommittedOffset>();
  const notes: GroupNote[] = [];
  const translated = [...committed].flatMap(([key, { offset: sourceOffset }]): Omit<OffsetRow, 'action'>[] => {
    const found = ready.get(key);
    if (found === undefined) return [];
    const { link } = found;
    const targetOffset = there.get(queueKey(link.target))?.offset;
    const translation = translateOffset(link.copies, {
      sourceOffset,
      sourceMin: found.source.min,
      targetOffset,
      bounds: found.target,
      others,
      consumedElsewhere: (offset) => link.consumedElsewhere(sourceOffset, offset),
    });
    notes.push(...notesOf(group, key, translation));
    return [{ group, source: link.source, target: link.target, sourceOffset, translation, targetOffset }];
  });
  const isDue = translated.some(({ translation, targetOffset }) => decideOffset(translation, targetOffset, 'inactive').write);
  const membership = isDue && isAtTarget ? await membershipOf(target.client, group, signal) : undefined;
  if (!isAtTarget) notes.push({ group, kind: 'absent', note: 'it is not at the target' });
  if (membership?.problem !== undefined) {
    notes.push({ group, kind: 'members-unknown', note: `whether it has members at the target is unknown: ${membership.problem}` });
  }
  const rows = translated.map((row): OffsetRow => {
    const decision = decideOffset(row.translation, row.targetOffset, membership?.activity ?? 'unknown');
    return { ...row, action: decision.write ? 'write' : isAtTarget ? decision.reason : 'group-absent' };
  });
  const topics = new Set([...committed.values()].map(({ queue }) => queue.topic));
  const ofTopics = [...ready].filter(([, { link }]) => topics.has(link.source.topic));
  const notCopied = ofTopics.reduce((sum, [key, found]) => sum + notCopiedOf(found, committed.get(key)?.offset), 0);
  return { rows, notes, notCopied };
}

function notCopiedOf({ link, source }: ReadyLink, sourceOffset: number | undefined): number {
  return Math.max(0, source.max - Math.max(sourceOffset ?? 0, source.min, link.copies.copiedNext ?? 0));
}

async function whyWithoutOffsets(client: RocketMqClient, group: string, signal: AbortSignal): Promise<GroupNote> {
  const { isBroadcasting } = await membershipOf(client, group, signal);
  if (!isBroadcasting) return { group, kind: 'no-offsets', note: 'it has no offsets in the topics of the flow' };
  return {
    group,
    kind: 'broadcasting',
    note: 'its members broadcast: each keeps its offsets itself, and nothing of them can be translated',
  };
}

function notesOf(group: string, queue: string, translation: Translation | Untranslated): GroupNote[] {
  if (translation.kind === 'unknown') return [{ group, queue, kind: 'untranslated', note: translation.reason }];
  const { ahead, heldFrom, skipped, expired, offset } = translation;
  const notes: GroupNote[] = [];
  const add = (kind: GroupNote['kind'], note: string): unknown => notes.push({ group, queue, kind, note });
  if (ahead > 0) add('ahead', `it is ahead of what is copied by ${ahead} offset(s)`);
  if (heldFrom !== undefined) {
    add('held', `offset ${offset} of the target holds it back, which nothing proves to be consumed; the copies alone give ${heldFrom}`);
  }
  if (skipped > 0) add('skips', `it would skip ${skipped} message(s) of the target that are no copies`);
  if (expired > 0) add('expired', `the target's retention has removed copies of ${expired} offset(s) that it has not consumed`);
  return notes;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
