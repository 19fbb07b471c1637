import {
  assignmentInput,
  clusterSettings,
  type NodeStatus,
  nodeStatus,
  nodeStatuses,
  planAssignment,
  Role,
  runnersOf,
  taskStatus,
} from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { ClusterView, View } from '../view/cluster-view.js';
import type { PlanQuestion } from './assignment-change.js';
import {
  clusterJson,
  type ClusterJson,
  nodeDetailJson,
  type NodeDetailJson,
  nodeJson,
  type NodeJson,
  planJson,
  type PlanJson,
  settingsJson,
  type SettingsJson,
} from './cluster-answers.js';

/** Answers questions about the cluster, from a view of any age. Methods throw ControlPlaneUnavailableError before the log was read. */
export class ClusterReader {
  constructor(private readonly view: ClusterView) {}

  cluster(): ClusterJson {
    const { state, reports } = this.view.latest();
    const { ageMs, leaderHeardAt } = this.view;
    const isLeaderless = this.view.leaderless() !== undefined;
    return clusterJson(state, nodeStatuses(state, reports), { ageMs, leaderHeardAt, isLeaderless });
  }

  settings(): SettingsJson {
    return settingsJson(this.view.latest().state);
  }

  /** Describes a node with its tasks. @throws ConnectError with code `CONNECT_NOT_FOUND` */
  node(id: string): NodeDetailJson {
    const view = this.view.latest();
    const { state, reports } = view;
    const node = knownNode(view, id);
    const tasks = node.tasks
      .map((task) => taskStatus(state, reports, task.id))
      .filter((status) => status !== undefined)
      .sort((left, right) => compareTasks(left.id, right.id));
    return nodeDetailJson(state, node, tasks);
  }

  /** Shows a node as it is after a command, also one that has left for good. */
  nodeSummary(id: string): NodeJson {
    const { state, reports } = this.view.latest();
    const unknown = { nodeId: id, state: 'gone', isDraining: false, isLeader: false, tasks: [] } as const;
    return nodeJson(state, nodeStatus(state, reports, id) ?? unknown);
  }

  /**
   * Checks that a node is a runner.
   *
   * @throws ConnectError with code `CONNECT_NOT_FOUND`, or `CONNECT_REQUEST_INVALID` for a node that runs no tasks.
   */
  checkRunner(id: string): void {
    const { member } = knownNode(this.view.latest(), id);
    if (member === undefined || member.role === Role.sourceRunner || member.role === Role.sinkRunner) return;
    throw new ConnectError(ConnectErrorCode.requestInvalid, `Node ${id} is a ${member.role}: only runners have tasks`);
  }

  /**
   * Plans what a change would move; moves nothing.
   *
   * @throws ConnectError with code `CONNECT_NOT_FOUND`, or `CONNECT_REQUEST_INVALID` for a node that runs no tasks.
   */
  plan({ change, limit }: PlanQuestion): PlanJson {
    const { state } = this.view.latest();
    const strategy = clusterSettings(state.settings).assignmentStrategy;
    if (change !== undefined && 'remove' in change) this.checkRunner(change.remove);
    if (change !== undefined && 'drain' in change) this.checkRunner(change.drain);
    const input = assignmentInput(state, runnersOf(state));
    const plan = planAssignment({ ...input, strategy }, change ?? { strategy });
    if (plan.ok) return planJson(plan, limit);
    const code = plan.status === 'not-found' ? ConnectErrorCode.notFound : ConnectErrorCode.conflict;
    throw new ConnectError(code, plan.message);
  }
}

function knownNode({ state, reports }: View, id: string): NodeStatus {
  const node = nodeStatus(state, reports, id);
  if (node === undefined) throw new ConnectError(ConnectErrorCode.notFound, `Node ${id} not found`);
  return node;
}

function compareTasks(
  left: { readonly connector: string; readonly index: number },
  right: { readonly connector: string; readonly index: number },
): number {
  if (left.connector === right.connector) return left.index - right.index;
  return left.connector < right.connector ? -1 : 1;
}
