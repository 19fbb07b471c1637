import type { CoordinatorState, ProbeState, Turn } from './state.js';

const MAX_OUTSTANDING = 16;

/** Sends the probes that are due, and marks the queues whose probes do not come back. */
export function tendProbes(turn: Turn): void {
  const { next, now, effects } = turn;
  const { reportQueues, probeIntervalMs } = next.settings;
  const probes = new Map(next.probes);
  for (let queue = 0; queue < reportQueues; queue += 1) {
    let probe = probes.get(queue) ?? freshProbe(next.leaderSince);
    if (now - probe.lastSentAt >= probeIntervalMs) {
      const outstanding = [...probe.outstanding, now].slice(0, MAX_OUTSTANDING);
      probe = { ...probe, lastSentAt: now, outstanding };
      effects.push({ kind: 'send-probe', queue, sentAt: now });
    }
    probes.set(queue, { ...probe, isStalled: probe.isStalled || isOverdue(probe, next, now) });
  }
  next.probes = probes;
}

/** A probe that is back in time ends a stall: everybody on the queue is granted a full session from now. */
export function probeReturned({ next, now }: Turn, queue: number, sentAt: number): void {
  const probe = next.probes.get(queue);
  if (probe === undefined || sentAt < next.leaderSince) return;
  const back: ProbeState = {
    ...probe,
    provenAt: Math.max(probe.provenAt, sentAt),
    outstanding: probe.outstanding.filter((other) => other > sentAt),
  };
  const wasStalled = probe.isStalled || isOverdue(probe, next, now);
  const isStalled = isOverdue(back, next, now);
  const graceFrom = wasStalled ? now : back.graceFrom;
  next.probes = new Map(next.probes).set(queue, { ...back, isStalled, graceFrom });
}

/**
 * Since when silence on a queue counts; undefined while it does not count. Without a queue, that of a node that was
 * never heard, all queues must be sound.
 */
export function silenceCountsFrom(state: CoordinatorState, now: number, queue?: number): number | undefined {
  const { probes, leaderSince } = state;
  const concerned = queue === undefined ? [...probes.values()] : [probes.get(queue)];
  let from = leaderSince;
  for (const probe of concerned) {
    if (probe === undefined || probe.isStalled || isOverdue(probe, state, now)) return undefined;
    from = Math.max(from, probe.graceFrom);
  }
  return concerned.length === 0 ? undefined : from;
}

function freshProbe(leaderSince: number): ProbeState {
  return {
    lastSentAt: -Infinity,
    outstanding: [],
    provenAt: leaderSince,
    isStalled: false,
    graceFrom: leaderSince,
  };
}

/** Also true after a pause of this very process, when no probe was under way but none came back for long either. */
function isOverdue(probe: ProbeState, { settings }: CoordinatorState, now: number): boolean {
  const oldest = probe.outstanding[0];
  return (
    (oldest !== undefined && now - oldest > settings.probeTimeoutMs) ||
    now - probe.provenAt > settings.probeIntervalMs + settings.probeTimeoutMs
  );
}
