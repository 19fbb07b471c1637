import type { UnassignedReason } from '../assignment/assignment-types.js';
import type { ClusterState } from '../model/cluster-state.js';
import {
  connectorClass,
  isBeingSplit,
  TargetState,
  taskKey,
  type ConnectorState,
  type ConnectorType,
  type TaskAssignment,
  type TaskCompletion,
  type TaskId,
  type TaskState,
} from '../model/connector.js';
import { memberKey, runnerRole } from '../model/member.js';
import { allowsVersion, parseVersionRange, preferVersion } from '../model/plugin-version.js';
import { currentTasks } from '../model/task-table.js';
import type { InstanceReport, RestartInfo, TaskError, TaskReport, TaskWait, TaskWarning } from '../model/report.js';
import type { ReportsView } from './reports-view.js';
import { unassignedReason } from './unassigned-reason.js';

/** Kafka Connect's words, and COMPLETED; STOPPED is a state of connectors only. */
export type ConnectorRunState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING' | 'COMPLETED';
export type TaskRunState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'COMPLETED';

export interface TaskStatus {
  readonly id: TaskId;
  readonly state: TaskRunState;
  /** Of a task that nobody holds: why no member can run it; absent while it only waits for its turn. */
  readonly reason?: UnassignedReason;
  /** The node that holds it, or held it last; empty if none ever did. */
  readonly workerId: string;
  /** Version of the connector that runs; before it runs, the one that the node would take. */
  readonly version?: string;
  readonly generation?: number;
  readonly trace?: string;
  readonly lastError?: TaskError;
  /** When and as which restart of its row a failed task starts again by itself. */
  readonly restart?: RestartInfo;
  readonly warnings?: readonly TaskWarning[];
  readonly waits?: readonly TaskWait[];
  /** Milliseconds since the epoch, from the node's report. */
  readonly since?: number;
  /** When a source task had no more data for good, and all of it was committed. */
  readonly completedAt?: number;
  readonly counters?: Readonly<Record<string, number>>;
  /** Of the task that the connector's instance runs beside. */
  readonly instance?: InstanceReport;
}

export interface ConnectorStatus {
  readonly name: string;
  readonly type: ConnectorType;
  readonly state: ConnectorRunState;
  /** Of an UNASSIGNED one: why no member can run its tasks; absent while they only wait for their turn. */
  readonly reason?: UnassignedReason;
  /** The node of its first task that is held; the leader, which splits it, where none is; empty without a leader. */
  readonly workerId: string;
  readonly version?: string;
  readonly trace?: string;
  /** Of a connector that has one, where its first task is held and reported. */
  readonly instance?: InstanceReport;
  /** The plugin's warnings about the config when it was put. */
  readonly warnings: readonly string[];
  readonly tasks: readonly TaskStatus[];
}

/**
 * Reports what a connector and its tasks really do; `undefined` if there is none of that name. It is FAILED when nobody
 * could split it into tasks, or when its instance has failed. It is COMPLETED once all its tasks are. Else it is RUNNING while a member holds
 * a task of it, and UNASSIGNED without: for example, when no runner has its plugin. A STOPPED connector shows only the tasks that have not
 * stopped yet.
 */
export function connectorStatus(state: ClusterState, reports: ReportsView, name: string): ConnectorStatus | undefined {
  const connector = state.connectors.get(name);
  if (connector === undefined) return undefined;
  const tasks: TaskStatus[] = [];
  let holder: string | undefined;
  for (const task of currentTasks(state.tasks, connector)) {
    if (connector.targetState === TargetState.stopped && task.assignment === undefined) continue;
    tasks.push(statusOf(state, reports, task));
    holder ??= liveHolder(state, task)?.nodeId;
  }
  const workerId = holder ?? state.leader?.nodeId ?? '';
  const version = tasks.find(({ workerId }) => workerId === holder)?.version ?? pluginVersion(state, reports, connector, holder);
  const instance = tasks[0]?.id.index === 0 ? tasks[0].instance : undefined;
  const runState = connectorRunState(connector, tasks, holder !== undefined, instance);
  const trace = connector.error ?? instance?.trace;
  return {
    name,
    type: connector.type,
    state: runState,
    ...(runState === 'UNASSIGNED' ? reasonOf(state, connector) : {}),
    workerId,
    ...(version === undefined ? {} : { version }),
    ...(trace === undefined ? {} : { trace }),
    ...(instance === undefined ? {} : { instance }),
    warnings: connector.warnings ?? [],
    tasks,
  };
}

/** What one task really does; `undefined` if there is none of that id. */
export function taskStatus(state: ClusterState, reports: ReportsView, id: TaskId): TaskStatus | undefined {
  const task = state.tasks.get(taskKey(id));
  return task === undefined ? undefined : statusOf(state, reports, task);
}

function connectorRunState(
  connector: ConnectorState,
  tasks: readonly TaskStatus[],
  hasHolder: boolean,
  instance: InstanceReport | undefined,
): ConnectorRunState {
  if (connector.targetState === TargetState.stopped) return 'STOPPED';
  if (connector.error !== undefined || instance?.state === 'FAILED') return 'FAILED';
  if (connector.targetState === TargetState.paused) return 'PAUSED';
  if (tasks.length > 0 && !isBeingSplit(connector) && tasks.every(({ state }) => state === 'COMPLETED')) return 'COMPLETED';
  // One that begins, or waits for its runner's lease, has no trace.
  if (instance?.state === 'RESTARTING' && instance.trace !== undefined) return 'RESTARTING';
  return hasHolder ? 'RUNNING' : 'UNASSIGNED';
}

function liveHolder(state: ClusterState, task: TaskState): TaskState['assignment'] {
  const { assignment } = task;
  if (assignment === undefined) return undefined;
  return state.members.get(assignment.nodeId)?.incarnation === assignment.incarnation ? assignment : undefined;
}

function statusOf(state: ClusterState, reports: ReportsView, task: TaskState): TaskStatus {
  const holder = liveHolder(state, task);
  const base = { id: task.id, workerId: holder?.nodeId ?? task.lastNodeId ?? '' };
  const connector = state.connectors.get(task.id.connector);
  if (task.completed !== undefined) {
    const { generation, at } = task.completed;
    // Its runner reports it until it has stopped; after that, only the log knows of it.
    const reported = holder === undefined ? undefined : reportOf(reports, task.id, holder);
    const version = reported?.version ?? pluginVersion(state, reports, connector, base.workerId);
    const known = { ...base, state: 'COMPLETED', generation, ...(version === undefined ? {} : { version }) } as const;
    const counters = { ...reported?.counters, ...countersOf(task.completed) };
    return { ...known, ...findingsOf(reported), since: at, completedAt: at, ...(Object.keys(counters).length === 0 ? {} : { counters }) };
  }
  if (holder === undefined) return { ...base, state: 'UNASSIGNED', ...reasonOf(state, connector) };
  const reported = reportOf(reports, task.id, holder);
  const version = reported?.version ?? pluginVersion(state, reports, connector, holder.nodeId);
  const known = { ...base, generation: holder.generation, ...(version === undefined ? {} : { version }) };
  if (holder.revokedAt !== undefined && isWanted(connector, task)) return { ...known, state: 'RESTARTING' };
  if (reported === undefined) return { ...known, state: 'UNASSIGNED' };
  return {
    ...known,
    state: taskRunState(reported, holder.revokedAt !== undefined),
    ...(reported.trace === undefined ? {} : { trace: reported.trace }),
    ...findingsOf(reported),
    ...(reported.restart === undefined ? {} : { restart: reported.restart }),
    ...(reported.waits === undefined ? {} : { waits: reported.waits }),
    since: reported.since,
    ...(reported.completedAt === undefined ? {} : { completedAt: reported.completedAt }),
    counters: reported.counters,
    ...(reported.instance === undefined ? {} : { instance: reported.instance }),
  };
}

/** What the holder of a task reports of that generation. */
function reportOf(reports: ReportsView, task: TaskId, holder: TaskAssignment): TaskReport | undefined {
  const key = taskKey(task);
  return reports.get(memberKey(holder))?.tasks.find(({ id, generation }) => generation === holder.generation && taskKey(id) === key);
}

/** What a task met with that somebody should know, also of one that has completed. */
function findingsOf({ lastError, warnings }: Partial<TaskReport> = {}): Pick<TaskStatus, 'lastError' | 'warnings'> {
  return { ...(lastError === undefined ? {} : { lastError }), ...(warnings === undefined ? {} : { warnings }) };
}

/** As a report has them. */
function countersOf({ skipped, deadLetters }: TaskCompletion): Readonly<Record<string, number>> {
  return {
    ...(skipped === undefined ? {} : { recordsSkipped: skipped }),
    ...(deadLetters === undefined ? {} : { deadLettersWritten: deadLetters }),
  };
}

function reasonOf(state: ClusterState, connector: ConnectorState | undefined): { readonly reason?: UnassignedReason } {
  const reason = connector === undefined ? undefined : unassignedReason(state, connector);
  return reason === undefined ? {} : { reason };
}

/** A task on its way out still runs until it is reported as gone. */
function taskRunState({ state }: TaskReport, isEnding: boolean): TaskRunState {
  if (state !== 'STOPPING') return state;
  return isEnding ? 'RUNNING' : 'RESTARTING';
}

function isWanted(connector: ConnectorState | undefined, task: TaskState): boolean {
  return connector !== undefined && connector.targetState !== TargetState.stopped && task.id.index < (connector.taskCount ?? 0);
}

/** The version that the node would run, as it lists the plugin. */
function pluginVersion(
  state: ClusterState,
  reports: ReportsView,
  connector: ConnectorState | undefined,
  nodeId: string | undefined,
): string | undefined {
  const member = nodeId === undefined ? undefined : state.members.get(nodeId);
  if (connector === undefined || member?.role !== runnerRole(connector.type)) return undefined;
  const wanted = connectorClass(connector.config);
  const range = parseVersionRange(connector.config['connector.plugin.version'] ?? 'latest') ?? [];
  const listed = reports.get(memberKey(member))?.plugins ?? [];
  return listed
    .filter(({ name, aliases }) => name === wanted || aliases.includes(wanted))
    .map(({ version }) => version)
    .filter((version) => range.length === 0 || allowsVersion(range, version))
    .sort(preferVersion)[0];
}
