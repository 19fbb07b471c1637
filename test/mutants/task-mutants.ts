import type { Mutant } from './mutant.js';

/** Who runs which task, and that its old owner has stopped. */
export const taskMutants: readonly Mutant[] = [
  {
    rule: 'revocation before grant: a task that is to move is free at once',
    file: 'coordinator/decide-tasks.ts',
    from: "batch.add({ kind: 'tasks.revoked', tasks: chunk, reason: 'moved' });",
    to: "batch.add({ kind: 'tasks.released', tasks: chunk });",
  },
  {
    rule: 'acknowledged stop: a revoked task is free though its owner still lists it',
    file: 'coordinator/decide-tasks.ts',
    from: 'if (!listed.has(taskKey(id))) released.push(id);',
    to: 'if (listed.size >= 0) released.push(id);',
  },
  {
    rule: 'acknowledged stop: a revoked task is free though its owner has not read the revocation',
    file: 'coordinator/decide-tasks.ts',
    from: 'if (assignment?.revokedAt === undefined || report.appliedSeq < assignment.revokedAt) continue;',
    to: 'if (assignment?.revokedAt === undefined) continue;',
  },
  {
    rule: 'acknowledged stop: a runner does not stop what is revoked',
    file: 'runner/desired-tasks.ts',
    from: 'return assignment.revokedAt === undefined;',
    to: "return assignment.incarnation !== '';",
  },
  {
    rule: 'lost tail: a new leader gives tasks away before the leases of others have ended',
    file: 'coordinator/step.ts',
    from: 'if (now < givesFrom(next)) return;',
    to: '',
    specs: ['coordinator/decide-tasks.spec.ts'],
  },
  {
    rule: 'lost tail: a leader whose entries are missing goes on under the same claim',
    file: 'coordinator/appends.ts',
    from: 'return wasLeader && isTelling;',
    to: 'return wasLeader && isTelling && lastOffset === -1;',
    specs: ['coordinator/decide-tasks.spec.ts'],
  },
  {
    rule: 'lost tail: a leader that has read nothing of its own for a lease goes on under the same claim',
    file: 'coordinator/step.ts',
    from: 'if (sinceConfirmedMs > leaseMs) {',
    to: 'if (sinceConfirmedMs > leaseMs * 1_000) {',
    specs: ['coordinator/step.spec.ts'],
  },
  {
    rule: 'balance: tasks are moved while a runner was not heard or is suspected',
    file: 'coordinator/decide-tasks.ts',
    from: 'const revoke = isCalm ? withDrainLimit(state, draft, plan) : [];',
    to: 'const revoke = withDrainLimit(state, draft, isCalm ? plan : plan);',
    specs: ['coordinator/decide-tasks.spec.ts'],
  },
  {
    rule: 'one owner: tasks are given to a runner that is suspected',
    file: 'coordinator/decide-tasks.ts',
    from: 'if (report === undefined || member.suspectedAt !== undefined || report.leaving) absent.push',
    to: 'if (report === undefined || report.leaving) absent.push',
  },
  {
    rule: 'leaving: tasks are given to a runner that leaves',
    file: 'coordinator/decide-tasks.ts',
    from: 'if (report === undefined || member.suspectedAt !== undefined || report.leaving) absent.push',
    to: 'if (report === undefined || member.suspectedAt !== undefined) absent.push',
  },
  {
    rule: 'drain: a draining node is given tasks',
    file: 'coordinator/decide-tasks.ts',
    from: 'workers.push(drained.has(member.nodeId) ? { ...member, draining: true } : member)',
    to: 'workers.push(member)',
  },
  {
    rule: 'drain: all tasks of a draining node stop at once',
    file: 'coordinator/decide-tasks.ts',
    from: 'return places > 0;',
    to: 'return places !== undefined;',
    specs: ['coordinator/decide-tasks.spec.ts'],
  },
  {
    rule: 'older owners: a task starts while one from before the present split may hold its share',
    file: 'assignment/standing.ts',
    from: 'return isCurrent && assignment === undefined && !hasOlderOwners ?',
    to: 'return isCurrent && assignment === undefined ?',
    specs: ['assignment/assignment-input.spec.ts'],
  },
  {
    rule: 'eligibility: a task is given to a worker without its plugin',
    file: 'assignment/eligibility.ts',
    from: '.filter(({ plugins }) => plugins.includes(connectorClass))',
    to: '.filter(({ plugins }) => plugins.length > 0)',
  },
  {
    rule: 'causes: the tasks of a connector stop though it is only paused',
    file: 'log/cluster-draft.ts',
    from: 'if (targetState === TargetState.stopped) this.#revokeAll(name, seq);',
    to: 'this.#revokeAll(name, seq);',
  },
  {
    rule: 'eligibility: a task is given to a worker outside its placement',
    file: 'assignment/eligibility.ts',
    from: 'skilled.filter((worker) => carries(worker, placement))',
    to: 'skilled.filter((worker) => carries(worker, {}))',
    specs: ['assignment/assign-tasks.spec.ts'],
  },
  {
    rule: 'balance: the sticky strategy does not even loads out',
    file: 'assignment/assign-sticky.ts',
    from: 'balance(fleet);\n}',
    to: '}',
  },
];
