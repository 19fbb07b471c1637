import type { Mutant } from './mutant.js';

/** Who leads, who is a member, and until when a node may act. */
export const memberMutants: readonly Mutant[] = [
  {
    rule: 'lease: a node extends its lease though it is suspected',
    file: 'lease/node-lease.ts',
    from: 'if (lease.suspected || lease.lost !== undefined) return lease;',
    to: 'if (lease.lost !== undefined) return lease;',
  },
  {
    rule: 'self-fencing: a node acts after its lease has ended',
    file: 'lease/node-lease.ts',
    from: 'return lease.lost === undefined ? (lease.until ?? -Infinity) : -Infinity;',
    to: 'return lease.lost === undefined ? (lease.until === undefined ? -Infinity : Infinity) : -Infinity;',
  },
  {
    rule: 'self-fencing: a node acts on a log that it has lost',
    file: 'lease/node-lease.ts',
    from: "return { ...lease, lost: lease.lost ?? 'log-lost' };",
    to: 'return lease;',
    specs: ['lease/node-lease.spec.ts'],
  },
  {
    rule: 'lease margin: a node is out before its lease has ended',
    file: 'coordinator/decide-members.ts',
    from: 'sinceSuspicionMs >= memberLeaseMs + marginMs',
    to: 'sinceSuspicionMs >= 0',
    specs: ['coordinator/step.spec.ts'],
  },
  {
    rule: 'lease margin: the clocks of node and leader must not differ at all',
    file: 'coordinator/decide-members.ts',
    from: 'sinceSuspicionMs >= memberLeaseMs + marginMs',
    to: 'sinceSuspicionMs >= memberLeaseMs',
    specs: ['coordinator/step.spec.ts'],
  },
  {
    rule: 'suspicion: a silent node is never suspected',
    file: 'coordinator/decide-members.ts',
    from: "if (silenceMs >= sessionMs - memberLeaseMs - marginMs) batch.add({ kind: 'member.suspected', nodeId, incarnation });",
    to: '',
  },
  {
    rule: 'new leader: silence counts from before its lead, nobody is granted a full session',
    file: 'coordinator/decide-members.ts',
    from: 'const silenceMs = now - Math.max(countsFrom, known?.lastAt ?? countsFrom);',
    to: 'const silenceMs = now - (known?.lastAt ?? countsFrom);',
    specs: ['coordinator/step.spec.ts'],
  },
  {
    rule: 'probes: silence counts while the own probes do not come back',
    file: 'coordinator/probes.ts',
    from: 'if (probe === undefined || probe.isStalled || isOverdue(probe, state, now)) return undefined;',
    to: 'if (probe === undefined) return undefined;',
  },
  {
    rule: 'probes: after a stall nobody is granted a full session',
    file: 'coordinator/probes.ts',
    from: 'const graceFrom = wasStalled ? now : back.graceFrom;',
    to: 'const graceFrom = wasStalled ? back.graceFrom : back.graceFrom;',
    specs: ['coordinator/step.spec.ts'],
  },
  {
    rule: 'second node: one with the id of a live node takes its place',
    file: 'coordinator/decide-members.ts',
    from: 'if (report.supersedes === member.incarnation) {',
    to: "if (report.supersedes !== '') {",
  },
  {
    rule: 'leaving: a node is out while it still stops tasks',
    file: 'coordinator/decide-members.ts',
    from: 'if (report.tasks.length === 0) {',
    to: 'if (report.tasks.length >= 0) {',
  },
  {
    rule: 'election: a standby claims while the leader renews its lease',
    file: 'coordinator/election.ts',
    from: 'return headProvenAt >= lastAcceptedAt + settings.leaseMs * (1 + MAX_JITTER * fractionOf(self.nodeId));',
    to: 'return headProvenAt >= lastAcceptedAt + (settings.leaseMs / 2) * (1 + MAX_JITTER * fractionOf(self.nodeId));',
  },
  {
    rule: 'election: a leader does not step down when another claims',
    file: 'coordinator/step.ts',
    from: "if (next.role === 'leader') stepDown(turn, epoch - 1,",
    to: "if (next.role === 'candidate') stepDown(turn, epoch - 1,",
  },
  {
    rule: 'election: a candidate leads by the claim of another',
    file: 'coordinator/step.ts',
    from: 'if (isOwn) takeLead(turn);',
    to: "if (isOwn || next.role === 'candidate' || turn.now > 0) takeLead(turn);",
  },
  {
    rule: 'resignation: a leader that is stopped leaves without a word',
    file: 'coordinator/step.ts',
    from: "if (next.role !== 'leader') {\n    next.hasEnded = true;",
    to: "if (next.role !== 'candidate') {\n    next.hasEnded = true;",
  },
  {
    rule: 'versions: kinds of entries are written that older members cannot read',
    file: 'coordinator/event-batch.ts',
    from: 'return group.every((event) => isKnown(event) && eventsIn(event).every(isKnown));',
    to: 'return group.every((event) => isKnown(event) || eventsIn(event).length > 0);',
  },
  {
    rule: 'versions: the level rises though a member is older',
    file: 'coordinator/decide-level.ts',
    from: 'level = Math.min(level, known.report.maxLevel ?? FIRST_LEVEL);',
    to: 'level = Math.max(level, known.report.maxLevel ?? FIRST_LEVEL);',
  },
];
