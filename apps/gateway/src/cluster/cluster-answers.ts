import {
  type AssignmentPreview,
  clusterSettings,
  type ClusterState,
  type Labels,
  type NodeStatus,
  type TaskStatus,
  type UnassignedReason,
  unassignedReason,
} from '@sluice/core';
import type { ReasonJson, TaskIdJson } from '../connectors/connector-answers.js';
import { pluginJson } from '../plugins/plugin-answers.js';

/** Times are milliseconds since the epoch, positions are those of the cluster's log. */
export interface NodeJson {
  readonly id: string;
  /** `live`, `suspected`, `leaving`, `draining`, `drained` or `gone`. */
  readonly state: string;
  /** The leader reassigns its tasks and gives it none, also after a restart. */
  readonly draining: boolean;
  readonly leader: boolean;
  readonly role?: string;
  readonly incarnation?: string;
  readonly labels?: Labels;
  readonly capacity?: number;
  /** Where it answers HTTP, as host:port. */
  readonly http?: string;
  /** Since when its process runs. */
  readonly started_at?: number;
  readonly gone_since?: number;
  readonly task_count: number;
  /** Of a draining runner: tasks that stay, for every runner that could take them drains too. */
  readonly staying?: { readonly task_count: number; readonly reason: ReasonJson };
  /** When it sent its last report, by its own clock. */
  readonly reported_at?: number;
  readonly log?: {
    readonly applied_seq: number;
    /** Entries that it had not applied at its last report, out of those that this gateway knows now. */
    readonly behind: number;
    /** The highest feature level that it supports. */
    readonly max_level: number;
  };
}

export interface NodeDetailJson extends NodeJson {
  readonly tasks: readonly (TaskIdJson & { readonly state: string; readonly generation?: number })[];
  readonly plugins: readonly { readonly class: string; readonly type: string; readonly version: string }[];
}

export interface ClusterJson {
  /** The id of the cluster's log. */
  readonly id: string;
  readonly leader: {
    /** Absent before the first coordinator led. */
    readonly id?: string;
    readonly incarnation?: string;
    /** `leading`; `resigned`: another one may claim; `silent`: writes are refused. */
    readonly state: 'leading' | 'resigned' | 'silent' | 'none';
    /** When it was last heard of, by this gateway's clock. */
    readonly heard_at: number;
    readonly epoch: number;
    readonly claim_id: string;
  };
  readonly log: { readonly broker: string; readonly seq: number; readonly offset: number; readonly created_at: number };
  readonly feature_level: number;
  readonly settings: SettingsJson;
  /** How old the answer is: since when this gateway has not reached the head of the log. */
  readonly model: { readonly age_ms: number };
  readonly nodes: readonly NodeJson[];
}

/** What is in force, defaults included. */
export interface SettingsJson {
  readonly 'assignment.strategy': string;
  readonly 'rebalance.interval.ms': string;
}

export interface PlanJson {
  readonly strategy: string;
  readonly move_count: number;
  /** By connector, then task; at most as many as were asked for. */
  readonly moves: readonly (TaskIdJson & { readonly from?: string; readonly to: string; readonly reason: string })[];
  readonly unassigned_count: number;
  readonly unassigned: readonly (TaskIdJson & { readonly from?: string; readonly reason: ReasonJson })[];
  readonly staying_count: number;
  /** Tasks that stay on the draining runner `on`, for every runner that could take them drains too. */
  readonly staying: readonly (TaskIdJson & { readonly on: string; readonly reason: ReasonJson })[];
  /** Runners before or after the change, with their numbers of tasks. */
  readonly loads: readonly {
    readonly id: string;
    readonly role: string;
    readonly capacity: number;
    readonly before: number;
    readonly after: number;
  }[];
}

export interface Freshness {
  readonly ageMs: number;
  readonly leaderHeardAt: number;
  readonly isLeaderless: boolean;
}

export function clusterJson(state: ClusterState, nodes: readonly NodeStatus[], fresh: Freshness): ClusterJson {
  const { leader, head } = state;
  return {
    id: state.logId,
    leader: {
      ...(leader === undefined ? {} : { id: leader.nodeId, incarnation: leader.incarnation }),
      state: leaderState(state, fresh.isLeaderless),
      heard_at: fresh.leaderHeardAt,
      epoch: state.epoch,
      claim_id: state.claimId,
    },
    log: { broker: state.broker, seq: head.seq, offset: head.offset, created_at: state.createdAt },
    feature_level: state.level,
    settings: settingsJson(state),
    model: { age_ms: fresh.ageMs },
    nodes: nodes.map((node) => nodeJson(state, node)),
  };
}

function leaderState({ leader }: ClusterState, isLeaderless: boolean): ClusterJson['leader']['state'] {
  if (leader === undefined) return 'none';
  if (leader.resigned) return 'resigned';
  return isLeaderless ? 'silent' : 'leading';
}

export function settingsJson(state: ClusterState): SettingsJson {
  const { assignmentStrategy, rebalanceIntervalMs } = clusterSettings(state.settings);
  return { 'assignment.strategy': assignmentStrategy, 'rebalance.interval.ms': String(rebalanceIntervalMs) };
}

export function nodeJson(state: ClusterState, node: NodeStatus): NodeJson {
  const { head } = state;
  const { member, report, incarnation, goneSince } = node;
  return {
    id: node.nodeId,
    state: node.state,
    draining: node.isDraining,
    leader: node.isLeader,
    ...(member === undefined ? {} : { role: member.role, labels: member.labels ?? {}, capacity: member.capacity }),
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(report?.http === undefined ? {} : { http: report.http }),
    ...(report?.startedAt === undefined ? {} : { started_at: report.startedAt }),
    ...(goneSince === undefined ? {} : { gone_since: goneSince }),
    task_count: node.tasks.length,
    ...stayingJson(state, node),
    ...(report === undefined
      ? {}
      : {
          reported_at: report.sentAt,
          log: {
            applied_seq: report.appliedSeq,
            behind: Math.max(0, head.seq - report.appliedSeq),
            max_level: report.maxLevel ?? 1,
          },
        }),
  };
}

function stayingJson(state: ClusterState, { isDraining, tasks }: NodeStatus): Pick<NodeJson, 'staying'> {
  if (!isDraining) return {};
  let count = 0;
  let first: UnassignedReason | undefined;
  for (const { id, assignment } of tasks) {
    // A task that is asked to stop leaves.
    if (assignment?.revokedAt !== undefined) continue;
    const connector = state.connectors.get(id.connector);
    const reason = connector === undefined ? undefined : unassignedReason(state, connector);
    if (reason?.code !== 'all-draining') continue;
    count += 1;
    first ??= reason;
  }
  return first === undefined ? {} : { staying: { task_count: count, reason: first } };
}

export function nodeDetailJson(state: ClusterState, node: NodeStatus, tasks: readonly TaskStatus[]): NodeDetailJson {
  return {
    ...nodeJson(state, node),
    tasks: tasks.map(({ id, state: runState, generation }) => ({
      connector: id.connector,
      task: id.index,
      state: runState,
      ...(generation === undefined ? {} : { generation }),
    })),
    plugins: (node.report?.plugins ?? []).map(pluginJson),
  };
}

export function planJson(plan: AssignmentPreview, limit: number): PlanJson {
  return {
    strategy: plan.strategy,
    move_count: plan.moves.length,
    moves: plan.moves.slice(0, limit).map(({ task, from, to, reason }) => ({
      connector: task.connector,
      task: task.index,
      ...(from === undefined ? {} : { from }),
      to,
      reason,
    })),
    unassigned_count: plan.unassigned.length,
    unassigned: plan.unassigned.slice(0, limit).map(({ task, from, reason }) => ({
      connector: task.connector,
      task: task.index,
      ...(from === undefined ? {} : { from }),
      reason,
    })),
    staying_count: plan.staying.length,
    staying: plan.staying.slice(0, limit).map(({ task, on, reason }) => ({
      connector: task.connector,
      task: task.index,
      on,
      reason,
    })),
    loads: plan.loads.map(({ nodeId, role, capacity, before, after }) => ({
      id: nodeId,
      role,
      capacity,
      before,
      after,
    })),
  };
}
