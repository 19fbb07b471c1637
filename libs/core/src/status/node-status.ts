import type { ClusterState } from '../model/cluster-state.js';
import type { TaskState } from '../model/connector.js';
import { memberKey, type Member } from '../model/member.js';
import type { Report } from '../model/report.js';
import { drainStateOf } from './drain-status.js';
import type { ReportsView } from './reports-view.js';

/**
 * `suspected`: silent, and its tasks go to others unless it is heard soon. `leaving`: it stops by itself. `draining` and `drained`: an operator
 * asked for it. `gone`: it left or was lost, at most a day ago, or it is still to be drained once it is back.
 */
export type NodeState = 'live' | 'suspected' | 'leaving' | 'draining' | 'drained' | 'gone';

export interface NodeStatus {
  readonly nodeId: string;
  readonly state: NodeState;
  /** An operator asked to drain it; that outlives restarts of the node. */
  readonly isDraining: boolean;
  /** It was the last to claim the lead and has not resigned; whether it is heard of is not said by this. */
  readonly isLeader: boolean;
  /** Of a node that is gone: the incarnation that was there last. */
  readonly incarnation?: string;
  /** Wall clock of the entry that took it out, milliseconds since the epoch. */
  readonly goneSince?: number;
  readonly member?: Member;
  /** The last one of this incarnation that was read. */
  readonly report?: Report;
  /** Tasks that the log gives it, in no order, also those that it is asked to stop. */
  readonly tasks: readonly TaskState[];
}

/** All nodes that the log knows, by id. */
export function nodeStatuses(state: ClusterState, reports: ReportsView): readonly NodeStatus[] {
  const gone = goneNodes(state);
  const ids = new Set([...state.members.keys(), ...gone.keys(), ...state.draining]);
  return [...ids].sort().map((nodeId) => statusOf(state, reports, nodeId, gone.get(nodeId)));
}

/** Undefined for an id that the log does not know. */
export function nodeStatus(state: ClusterState, reports: ReportsView, nodeId: string): NodeStatus | undefined {
  const gone = goneNodes(state).get(nodeId);
  const isKnown = state.members.has(nodeId) || gone !== undefined || state.draining.includes(nodeId);
  return isKnown ? statusOf(state, reports, nodeId, gone) : undefined;
}

interface Departure {
  readonly incarnation: string;
  readonly at: number;
}

/** The last departure of each id that is no member now. */
function goneNodes({ departed, members }: ClusterState): ReadonlyMap<string, Departure> {
  const gone = new Map<string, Departure>();
  for (const [key, at] of departed) {
    // The form of `memberKey`; ids of nodes hold no "@".
    const end = key.indexOf('@');
    const nodeId = key.slice(0, end);
    if (!members.has(nodeId)) gone.set(nodeId, { incarnation: key.slice(end + 1), at });
  }
  return gone;
}

function statusOf(state: ClusterState, reports: ReportsView, nodeId: string, departure: Departure | undefined): NodeStatus {
  const isDraining = state.draining.includes(nodeId);
  const member = state.members.get(nodeId);
  if (member === undefined) {
    const last = departure === undefined ? {} : { incarnation: departure.incarnation, goneSince: departure.at };
    return { nodeId, state: 'gone', isDraining, isLeader: false, ...last, tasks: [] };
  }
  const report = reports.get(memberKey(member));
  const { leader } = state;
  return {
    nodeId,
    state: memberState(state, member, report),
    isDraining,
    isLeader: leader?.resigned === false && memberKey(leader) === memberKey(member),
    incarnation: member.incarnation,
    member,
    ...(report === undefined ? {} : { report }),
    tasks: state.tasks.heldBy(memberKey(member)).flatMap((id) => state.tasks.find(id) ?? []),
  };
}

function memberState(state: ClusterState, member: Member, report: Report | undefined): NodeState {
  if (member.suspectedAt !== undefined) return 'suspected';
  if (report?.leaving === true) return 'leaving';
  const drain = drainStateOf(state, member.nodeId);
  return drain === 'active' ? 'live' : drain;
}
