import { LEADER_LEASE_MS } from '../lease/node-lease.js';
import type { LogHead } from '../model/cluster-state.js';
import type { ReadEntry } from '../model/entry.js';
import type { LogMessage, NodeEnd, NodeLoop, UnreadableMessage } from './node-loop.js';

/** What the messages of a pull say about entries that others may have accepted and this build has not. */
export interface Chain {
  readonly gap: NodeLoop['gap'];
  readonly unconfirmed: NodeLoop['unconfirmed'];
  readonly unreadable: readonly UnreadableMessage[];
  /** This build cannot follow the log, or what the node has folded is no part of it. */
  readonly end: NodeEnd | undefined;
  /** Index of the first message that may be accepted here and void for others; what follows builds on it. */
  readonly doubtFrom: number | undefined;
}

/** Messages that could not be decoded, of which one is remembered until an entry builds on it. */
const REMEMBERED = 16;

/** A leader that a node cannot follow writes again within this time, and where there is none somebody has to claim. */
export const SILENCE_MS = 2 * LEADER_LEASE_MS;

/**
 * Looks for entries that the node has missed though it has read their messages.
 *
 * - An entry names the digest of the one before it. Where that one could not be decoded, its writer has accepted what this node cannot.
 * - An entry whose number is beyond the next one, or a claim after such a one, follows entries that this node has not accepted. After what a deposed leader wrote late that is
 *   in order: the first entry of its chain was read, and skipped. What a writer sent before it noticed that the log had lost its end ends by itself.
 * - A message of this log that cannot be decoded may have been accepted by others, until a later entry is accepted.
 * - That later entry may have been sent before its writer read the message: a rival claim, or an append that landed late. Others skip it then. Only an entry
 *   of another append that builds on it shows that a node which read both accepted it.
 * - Where entries that the node cannot explain follow one another for two leases, others have accepted a leader that it
 *   has not. Its own copy is void.
 * - So is the copy that a node began with where it accepts none of the entries that come for two leases. A deposed
 *   leader does not write for so long.
 *
 * @param found `logId` and `accepted` as they are once the messages are folded; `now` is monotonic.
 */
export function chainAfter(
  before: NodeLoop,
  messages: readonly LogMessage[],
  found: { readonly logId: string; readonly accepted: readonly ReadEntry[]; readonly now: number },
): Chain {
  const { now } = found;
  // Before its first entry a node follows no log yet.
  const isOfLog = (logId: string | undefined): boolean => logId === found.logId || (found.logId === '' && logId !== undefined);
  const accepted = new Set(found.accepted);
  const { head } = before.cluster;
  let { gap, unconfirmed, unreadable } = before;
  let { seq } = head;
  let isUnread = unreadable.some(({ logId, offset }) => isOfLog(logId) && offset > head.offset);
  let last: ReadEntry | undefined;
  let doubtFrom: number | undefined;
  const ending = (end: NodeEnd): Chain => ({ gap, unconfirmed, unreadable, end, doubtFrom });
  if (head.seq < 0 && found.accepted.length === 0 && messages.some(isOfSnapshot)) {
    return ending({ kind: 'rewritten', reason: 'the log was restored after this node had begun to read it' });
  }
  let previous = { digest: before.tail?.digest, isExplained: before.gap?.offset !== before.tail?.offset };
  for (const [i, message] of messages.entries()) {
    const { offset, digest } = message;
    let isExplained = true;
    if (!('entry' in message)) {
      unreadable = [...unreadable.slice(1 - REMEMBERED), message];
      isExplained = !isOfLog(message.logId);
      if (!isExplained && message.isNewer === true) return ending(endBy(message));
      isUnread ||= !isExplained;
    } else if (accepted.has(message)) {
      if (last !== undefined && !isOfSameAppend(last, message)) doubtFrom = undefined;
      if (isUnread) doubtFrom ??= i;
      isUnread = false;
      last = message;
      seq = message.entry.seq;
      gap = undefined;
      unconfirmed = undefined;
    } else if (isOfLog(message.entry.logId)) {
      const { entry } = message;
      const base = unreadable.find((each) => each.digest === entry.prevDigest);
      if (base !== undefined) return ending(endBy(base, head));
      // The number of a claim leaps, so it does not tell what the claim follows.
      const follows = entry.event.kind === 'claimed' ? entry.event.after.seq : entry.seq - 1;
      isExplained = follows <= seq || (previous.isExplained && entry.prevDigest === previous.digest);
      unconfirmed &&= lengthened(unconfirmed, now);
      if (unconfirmed !== undefined && now - unconfirmed.since > SILENCE_MS) {
        const reason = `for ${SILENCE_MS} ms, last at offset ${offset}, no entry followed the copy that this node began with`;
        return ending({ kind: 'rewritten', reason });
      }
    }
    if (!isExplained) gap = 'entry' in message ? gapAfter(gap, offset, now) : { offset, since: now, until: Infinity };
    if (gap !== undefined && now - gap.since > SILENCE_MS && !isExplained) {
      const reason = `for ${SILENCE_MS} ms, last at offset ${offset}, entries came that follow none which this node accepted`;
      return ending({ kind: 'rewritten', reason });
    }
    previous = { digest, isExplained };
  }
  return { gap, unconfirmed, unreadable, end: undefined, doubtFrom };
}

/** Keeps the beginning of a gap that has not ended. One without an end waits for an accepted entry: it does not tell how long entries came. */
function gapAfter(before: NodeLoop['gap'], offset: number, now: number): NonNullable<NodeLoop['gap']> {
  return { offset, ...lengthened(before?.until === Infinity ? undefined : before, now) };
}

/** Continues a time in which entries of one kind follow one another, or begins one: `until` is when it ends unless another one comes. */
function lengthened(
  before: { readonly since: number; readonly until: number } | undefined,
  now: number,
): { readonly since: number; readonly until: number } {
  const isSame = before !== undefined && now <= before.until;
  return { since: isSame ? before.since : now, until: now + SILENCE_MS };
}

/** Others build on an entry that this node could not read: what it has accepted behind that entry, it has accepted alone. */
function endBy({ offset, why }: UnreadableMessage, head?: LogHead): NodeEnd {
  if (head === undefined || head.offset < offset) return { kind: 'outdated', entry: { offset, why } };
  const reason = `others accepted the entry at offset ${offset}, which this node could not read and took for void`;
  return { kind: 'rewritten', reason };
}

/** A restored log begins with a snapshot, which nodes load when they start. */
function isOfSnapshot(message: LogMessage): boolean {
  return 'entry' in message && message.entry.event.kind === 'snapshot.chunk';
}

/** Entries of one append have one time. Two appends of one millisecond look like one: the next one shows the difference. */
function isOfSameAppend({ entry: left }: ReadEntry, { entry: right }: ReadEntry): boolean {
  return left.at === right.at && left.claimId === right.claimId;
}
