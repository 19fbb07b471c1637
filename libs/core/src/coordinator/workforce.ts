import type { Worker } from '../assignment/assignment-types.js';
import type { ClusterDraft } from '../log/cluster-draft.js';
import { isRunner, memberKey } from '../model/member.js';
import type { CoordinatorState, Workforce } from './state.js';

/**
 * Finds the runners that can be given tasks now; the same ones as before while nobody has come, gone or reported news. While one is suspected or was not
 * heard yet nothing is moved for balance: it will be back or gone soon.
 */
export function workforceOf({ workforce, news, reports }: CoordinatorState, { members, header: { draining } }: ClusterDraft): Workforce {
  if (workforce?.news === news && workforce.members === members && workforce.draining === draining) return workforce;
  const drained = new Set(draining);
  const workers: Worker[] = [];
  const absent: string[] = [];
  let isCalm = true;
  for (const member of members.values()) {
    if (!isRunner(member)) continue;
    const report = reports.get(memberKey(member))?.report;
    if (report === undefined || member.suspectedAt !== undefined) isCalm = false;
    if (report === undefined || member.suspectedAt !== undefined || report.leaving) absent.push(memberKey(member));
    else workers.push(drained.has(member.nodeId) ? { ...member, draining: true } : member);
  }
  return { members, news, draining, workers, isCalm, readiness: `${isCalm} ${absent.sort().join(' ')}` };
}
