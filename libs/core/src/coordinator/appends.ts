import type { LogEvent } from '../model/entry.js';
import { elapsedAfter, elapsedMs, type ClockReading } from '../lease/elapsed-time.js';
import type { Effect } from './effect.js';
import type { AppendOutcome } from './input.js';
import { pauseAfter } from './settings.js';
import type { CoordinatorState, Turn } from './state.js';

/** Nobody acts on entries of these kinds, and no number of theirs is kept. */
const SILENT_KINDS: readonly LogEvent['kind'][] = ['lease.renewed', 'snapshot.chunk', 'snapshot.done'];

/**
 * Sends events after the head that is folded; there must be nothing in flight.
 *
 * @param sendBefore monotonic. Default: within a leader's lease, for what harms nobody however late it comes.
 */
export function append(
  { next, effects, now, wall }: Turn,
  events: readonly LogEvent[],
  claim: { readonly epoch: number; readonly claimId: string; readonly firstSeq?: number },
  sendBefore = now + next.settings.leaseMs,
): void {
  const { head, logId } = next.cluster;
  next.appends += 1;
  const appendId = next.appends;
  const { epoch, claimId, firstSeq = head.seq + 1 } = claim;
  const isTelling = events.some(({ kind }) => !SILENT_KINDS.includes(kind));
  const lastSeq = firstSeq + events.length - 1;
  next.inFlight = { appendId, claimId, sentAt: now, lastSeq, isTelling, settled: undefined };
  const after = { ...head, seq: firstSeq - 1 };
  const sendBeforeMs = elapsedMs(next.time) + sendBefore - now;
  effects.push({ kind: 'append', appendId, events, after, logId, epoch, claimId, at: wall, sendBeforeMs });
}

/**
 * Whether an append may be sent now. A process may pause between deciding and sending: meanwhile others may have claimed, and the log may have lost
 * that. Readers would accept what is sent then, though others have acted since.
 */
export function maySend(
  { time }: Pick<CoordinatorState, 'time'>,
  { sendBeforeMs }: Extract<Effect, { kind: 'append' }>,
  reading: ClockReading,
): boolean {
  return elapsedMs(elapsedAfter(time, reading)) < sendBeforeMs;
}

export function canAppend({ next, now }: Turn): boolean {
  return next.inFlight === undefined && now >= next.appendNotBefore;
}

/** Takes in how the append in flight ended; other ids belong to appends that no longer matter. */
export function settleAppend(turn: Turn, appendId: number, outcome: AppendOutcome, lastOffset?: number): void {
  const { next, now } = turn;
  if (next.inFlight?.appendId !== appendId) return;
  if (outcome === 'stored') {
    next.appendFailures = 0;
  } else {
    next.appendNotBefore = now + pauseAfter(next.appendFailures, next.settings);
    next.appendFailures += 1;
  }
  if (outcome === 'not-stored') clear(turn);
  else next.inFlight = { ...next.inFlight, settled: { outcome, at: now, lastOffset } };
}

/**
 * Forgets the append in flight once its fate is known: it was read back, or it is missing. It is missing once a pull
 * that was sent after its end shows nothing of it. The same holds once the coordinator has read everything up to where
 * the broker stored it.
 *
 * @returns whether entries are missing that others may have read: the queue may have been cut back after it took them.
 */
export function reconcileInFlight(turn: Turn): boolean {
  const { next } = turn;
  const { inFlight } = next;
  if (inFlight === undefined) return false;
  const { settled, isTelling } = inFlight;
  if (next.role === 'leader' && next.cluster.head.seq >= inFlight.lastSeq) {
    next.lastConfirmedAt = inFlight.sentAt;
    clear(turn);
    return false;
  }
  if (settled === undefined) return false;
  const { outcome, at, lastOffset } = settled;
  const isPassed = lastOffset !== undefined && next.nextOffset > lastOffset;
  // Right after a broker has answered a send, pulls may not show it yet.
  const goneFrom = outcome === 'stored' ? at + next.settings.leaseMs : at;
  const isGone = next.headProvenAt !== undefined && next.headProvenAt > goneFrom;
  if (!isPassed && !isGone) return false;
  const wasLeader = next.role === 'leader';
  clear(turn);
  return wasLeader && isTelling;
}

function clear({ next }: Turn): void {
  next.inFlight = undefined;
  if (next.role === 'candidate') next.role = 'standby';
}
