import type { TaskId } from './connector.js';
import { FEWER_REPORTS_LEVEL } from './feature-level.js';
import type { Labels, PluginInfo, Role } from './member.js';

/** What a task does, in Kafka Connect's words. */
export type RunState = 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'STOPPING';

export interface TaskError {
  /** When it happened; milliseconds since the epoch. */
  readonly at: number;
  /** Its first line. */
  readonly message: string;
  /** When the task began to run again, once it has run for long without another error; absent before. */
  readonly resolvedAt?: number;
}

/** What a task found that does not end it and that somebody should know. */
export interface TaskWarning {
  /** When it was found; milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

/** A call that failed and is repeated until it succeeds. */
export interface TaskWait {
  /** What the task does, as "sending to queue t@broker-a:0". */
  readonly call: string;
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A failed task that starts again by itself. */
export interface RestartInfo {
  /** Number of the restart in its row, from 1. */
  readonly attempt: number;
  /** How many the row may have; absent for any number. */
  readonly maxAttempts?: number;
  /** When it is made; milliseconds since the epoch. */
  readonly at: number;
}

/** What the instance of a connector does, which runs beside its first task. */
export interface InstanceReport {
  readonly state: Exclude<RunState, 'STOPPING'>;
  /** Full text of the error with its causes, for FAILED and for RESTARTING after a failure; without secrets. */
  readonly trace?: string;
}

export interface TaskReport {
  readonly id: TaskId;
  readonly generation: number;
  readonly state: RunState;
  /** Of the connector, as its task runs; absent where no version of it is there. */
  readonly version?: string;
  /** Full text of the error with its causes, for FAILED and for RESTARTING after a failure; without secrets. */
  readonly trace?: string;
  /** Also while it runs again. */
  readonly lastError?: TaskError;
  readonly restart?: RestartInfo;
  /** The newest ones since the task started, oldest first; absent where there are none. */
  readonly warnings?: readonly TaskWarning[];
  /** What it waits for now, the longest first; absent where it waits for nothing. */
  readonly waits?: readonly TaskWait[];
  /** Since when it is in this state; milliseconds since the epoch. */
  readonly since: number;
  /** When a source task had no more data for good, and all of it was committed: the leader then ends it. Milliseconds since the epoch. */
  readonly completedAt?: number;
  readonly committed: boolean;
  readonly counters: Readonly<Record<string, number>>;
  /** Of the first task of a connector that has an instance. */
  readonly instance?: InstanceReport;
}

/** Reports that all nodes of a cluster together send in a second, when nothing changes. Each coordinator and each gateway reads all. */
const MOST_REPORTS_A_SECOND = 500;
const SHORTEST_INTERVAL_MS = 1000;
/** So that a node whose report is late is not silent for as long as the shortest session allows. */
export const LONGEST_REPORT_INTERVAL_MS = 2000;

/**
 * Returns how often a node reports when nothing changes, in milliseconds: less often in a large cluster.
 *
 * @param level the feature level of the cluster: readers of lower ones look back less far, and may allow shorter sessions
 */
export function reportIntervalMs(nodes: number, level: number): number {
  if (level < FEWER_REPORTS_LEVEL) return SHORTEST_INTERVAL_MS;
  return Math.min(Math.max(SHORTEST_INTERVAL_MS, (nodes * 1000) / MOST_REPORTS_A_SECOND), LONGEST_REPORT_INTERVAL_MS);
}

/** The full state of a node, sent every second, or two in a large cluster, and at every change of a task. */
export interface Report {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly role: Role;
  /** Grows by one per report of this incarnation. */
  readonly reportSeq: number;
  readonly sentAt: number;
  /** When its process began; milliseconds since the epoch. */
  readonly startedAt?: number;
  /** Where it answers HTTP, as host:port. */
  readonly http?: string;
  readonly leaving: boolean;
  /** The incarnation before this one on the same state directory, which may have been copied. */
  readonly supersedes?: string;
  readonly capacity: number;
  readonly plugins: readonly PluginInfo[];
  readonly labels?: Labels;
  /** The highest feature level that this build reads and writes; 1 where it is not given. */
  readonly maxLevel?: number;
  /** `seq` of the last log entry that this node has applied. */
  readonly appliedSeq: number;
  /** Tasks that are not certainly stopped; an absent task does not run here. */
  readonly tasks: readonly TaskReport[];
}

/** The most that a node can be set to; the work of an assignment grows with it. */
const MAX_CAPACITY = 1_000;

/** Returns whether a report from the network has what the cluster takes from the reports of its nodes, beside what each message has. */
export function isReport(report: object): report is Report {
  const { capacity, labels, plugins } = report as Partial<Record<keyof Report, unknown>>;
  const hasLabels = labels === undefined || (typeof labels === 'object' && labels !== null);
  const hasCapacity = Number.isSafeInteger(capacity) && Number(capacity) >= 0 && Number(capacity) <= MAX_CAPACITY;
  return hasCapacity && hasLabels && Array.isArray(plugins) && plugins.every(isPluginInfo);
}

function isPluginInfo(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { aliases, kind, name } = value as Partial<Record<keyof PluginInfo, unknown>>;
  return typeof name === 'string' && typeof kind === 'string' && Array.isArray(aliases);
}
