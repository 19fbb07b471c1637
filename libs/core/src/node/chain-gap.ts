import { defaultCoordinatorSettings } from '../coordinator/settings.js';
import type { ReadEntry } from '../model/entry.js';
import type { UnreadableEntry } from '../model/feature-level.js';
import type { LogMessage, NodeLoop, UnreadableMessage } from './node-loop.js';

/** What the messages of a pull say about entries that others may have accepted and this build has not. */
export interface Chain {
  readonly gap: NodeLoop['gap'];
  readonly unreadable: readonly UnreadableMessage[];
  /** This build cannot follow the log: it has to be upgraded. */
  readonly newer: UnreadableEntry | undefined;
}

/** Messages that could not be decoded, of which one is remembered until an entry builds on it. */
const REMEMBERED = 16;

/** A leader that a node cannot follow writes again within this time, and where there is none somebody has to claim. */
const SILENCE_MS = 2 * defaultCoordinatorSettings.leaseMs;

/**
 * Looks for entries that the node has missed though it has read their messages.
 *
 * - An entry names the digest of the one before it. Where that one could not be decoded, its writer has accepted what this node cannot.
 * - An entry whose number is beyond the next one follows entries that this node has not accepted. After what a deposed leader wrote late that is
 *   in order: the first entry of its chain was read, and skipped. What a writer sent before it noticed that the log had lost its end ends by itself.
 * - A message of this log that cannot be decoded may have been accepted by others, until a later entry is accepted.
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
  const isOfLog = (logId: string | undefined): boolean =>
    logId === found.logId || (found.logId === '' && logId !== undefined);
  const accepted = new Set(found.accepted);
  let { gap, unreadable } = before;
  let seq = before.cluster.head.seq;
  let previous = { digest: before.tail?.digest, isExplained: before.gap?.offset !== before.tail?.offset };
  for (const message of messages) {
    const { offset, digest } = message;
    let isExplained = true;
    if (!('entry' in message)) {
      unreadable = [...unreadable.slice(1 - REMEMBERED), message];
      isExplained = !isOfLog(message.logId);
      if (!isExplained && message.isNewer === true) return { gap, unreadable, newer: { offset, why: message.why } };
    } else if (accepted.has(message)) {
      seq = message.entry.seq;
      gap = undefined;
    } else if (isOfLog(message.entry.logId)) {
      const { entry } = message;
      const base = unreadable.find((each) => each.digest === entry.prevDigest);
      if (base !== undefined) return { gap, unreadable, newer: { offset: base.offset, why: base.why } };
      isExplained = entry.seq <= seq + 1 || (previous.isExplained && entry.prevDigest === previous.digest);
    }
    if (!isExplained) gap = { offset, until: 'entry' in message ? now + SILENCE_MS : Infinity };
    previous = { digest, isExplained };
  }
  return { gap, unreadable, newer: undefined };
}
