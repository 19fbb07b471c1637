import type { LogEvent } from '../model/entry.js';
import type { AppendOutcome } from './input.js';
import type { InFlight, Turn } from './state.js';

/** Sends events after the head that is folded; there must be nothing in flight. */
export function append(
  { next, effects, wall }: Turn,
  events: readonly LogEvent[],
  claim: { readonly epoch: number; readonly claimId: string },
): void {
  const { head, logId } = next.cluster;
  next.appends += 1;
  const appendId = next.appends;
  const givesTasks = events.some(({ kind }) => kind === 'tasks.assigned');
  next.inFlight = { appendId, lastSeq: head.seq + events.length, givesTasks, settled: undefined };
  const { epoch, claimId } = claim;
  effects.push({ kind: 'append', appendId, events, after: head, logId, epoch, claimId, at: wall });
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
    const { backoffMs, maxBackoffMs } = next.settings;
    next.appendNotBefore = now + Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(next.appendFailures, 16));
    next.appendFailures += 1;
  }
  if (outcome === 'not-stored') clear(turn);
  else next.inFlight = { ...next.inFlight, settled: { at: now, lastOffset } };
}

/**
 * Forgets the append in flight once its fate is known: it was read back, or everything was read up to where it was
 * stored, or a pull sent after its end found nothing of it. What was to be decided is then decided anew.
 */
export function reconcileInFlight(turn: Turn): void {
  const { next } = turn;
  const { inFlight } = next;
  if (inFlight === undefined) return;
  const isReadBack = next.role === 'leader' && next.cluster.head.seq >= inFlight.lastSeq;
  const { settled } = inFlight;
  const isPassed = settled?.lastOffset !== undefined && next.nextOffset > settled.lastOffset;
  const isGone =
    settled !== undefined &&
    next.headProvenAt !== undefined &&
    next.headProvenAt > goneAfter(turn, inFlight.givesTasks, settled);
  if (isReadBack || isPassed || isGone) clear(turn);
}

/**
 * From when on a pull that shows nothing of the append proves that it is not there. Right after a broker has answered a send, pulls may
 * not show it yet. And where it gave tasks away and the queue was cut back since, runners may have read that: they have given
 * them up when their leases have ended.
 */
function goneAfter({ next }: Turn, givesTasks: boolean, settled: NonNullable<InFlight['settled']>): number {
  const mustWait = givesTasks || settled.lastOffset !== undefined;
  return mustWait ? settled.at + next.settings.leaseMs : settled.at;
}

function clear({ next }: Turn): void {
  next.inFlight = undefined;
  if (next.role === 'candidate') next.role = 'standby';
}
