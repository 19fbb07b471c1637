import { type ClusterState, eventsIn, LEASE_MARGIN_MS, type LogEvent, MEMBER_LEASE_MS, memberKey, taskKey } from '@sluice/core';

/** Clocks run up to one per cent fast or slow. */
const TOLERANCE_MS = 100;

interface LostTask {
  readonly incarnation: string;
  /** Until then its owner may act on what the log holds no more. */
  readonly until: number;
}

/**
 * What the log has lost of who owns which task. While a living owner may act on that, nobody else may get the task. This finds a broken
 * rule far sooner than two owners do, for those also take a runner that is suspended at the right moment.
 */
export class SimLedger {
  /** Several owners where the log was cut back further each time. */
  readonly #lost = new Map<string, readonly LostTask[]>();

  constructor(
    readonly isAlive: (incarnation: string) => boolean,
    readonly violate: (what: string) => void,
  ) {}

  /** The log went back from one state to an earlier one. */
  noteLoss(before: ClusterState, after: ClusterState, now: number): void {
    const until = now + MEMBER_LEASE_MS + LEASE_MARGIN_MS - TOLERANCE_MS;
    for (const [key, { assignment }] of before.tasks) {
      if (assignment === undefined || !this.isAlive(assignment.incarnation)) continue;
      const kept = after.tasks.get(key)?.assignment;
      if (kept?.generation === assignment.generation && kept.incarnation === assignment.incarnation) continue;
      const { incarnation } = assignment;
      const others = this.#open(key, now).filter((lost) => lost.incarnation !== incarnation);
      this.#lost.set(key, [...others, { incarnation, until }]);
    }
  }

  /** An entry was accepted that follows `before`. */
  judge(before: ClusterState, event: LogEvent, now: number): void {
    if (this.#lost.size === 0) return;
    for (const each of eventsIn(event)) {
      if (each.kind === 'tasks.assigned') {
        for (const task of each.tasks) this.#judge(taskKey(task), task, now, 'is given to');
      } else if (each.kind === 'member.cleared') {
        for (const [key, { assignment }] of before.tasks) {
          const isOwn = assignment !== undefined && memberKey(assignment) === memberKey(each);
          if (isOwn) this.#judge(key, assignment, now, 'is given back to');
        }
      }
    }
  }

  /** An incarnation acts for a task: it may itself be one of those who act on what is lost. */
  judgeActive(key: string, node: { readonly nodeId: string; readonly incarnation: string }, now: number): void {
    if (this.#lost.size === 0) return;
    const isOwn = this.#open(key, now).some(({ incarnation }) => incarnation === node.incarnation);
    if (!isOwn) this.#judge(key, node, now, 'runs on');
  }

  #open(key: string, now: number): readonly LostTask[] {
    return (this.#lost.get(key) ?? []).filter(({ until }) => now < until);
  }

  #judge(key: string, node: { readonly nodeId: string; readonly incarnation: string }, now: number, what: string): void {
    const lost = this.#open(key, now).find(({ incarnation }) => incarnation !== node.incarnation);
    if (lost === undefined) return;
    this.violate(`${key} ${what} ${memberKey(node)} while ${lost.incarnation} may act on what the log has lost`);
  }
}
