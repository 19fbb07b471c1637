import {
  headerOf,
  type ClusterState,
  type LogHead,
  type StateHeader,
  type StoredResult,
} from '../model/cluster-state.js';
import type { ConnectorState, TaskAssignment, TaskState } from '../model/connector.js';
import { MAX_LEVEL } from '../model/feature-level.js';
import type { Member } from '../model/member.js';
import { sameHead } from './snapshot-events.js';
import { TaskTable } from './task-table.js';

const VERSION = 2;

/** Content of `connectorConfig.json`: all but the tasks. Plain JSON. */
export interface ConnectorFile extends StateHeader {
  readonly version: typeof VERSION;
  readonly members: readonly Member[];
  readonly departed: readonly (readonly [memberKey: string, at: number])[];
  readonly connectors: readonly ConnectorState[];
  readonly results: readonly StoredResult[];
  readonly skipped: number;
}

/** Content of `taskConfig.json`: the tasks and who holds them, valid for the same head. Plain JSON. */
export interface TaskFile {
  readonly version: typeof VERSION;
  readonly logId: string;
  readonly head: LogHead;
  readonly tasks: readonly (readonly [taskKey: string, task: Omit<TaskState, 'assignment'>])[];
  readonly assignments: readonly (readonly [taskKey: string, assignment: TaskAssignment])[];
}

export function toConnectorFile(state: ClusterState): ConnectorFile {
  return {
    version: VERSION,
    ...headerOf(state),
    members: [...state.members.values()],
    departed: [...state.departed],
    connectors: [...state.connectors.values()],
    results: [...state.results.values()],
    skipped: state.skipped,
  };
}

export function toTaskFile(state: ClusterState): TaskFile {
  const tasks: (readonly [string, Omit<TaskState, 'assignment'>])[] = [];
  const assignments: (readonly [string, TaskAssignment])[] = [];
  for (const [key, { assignment, ...task }] of state.tasks) {
    tasks.push([key, task]);
    if (assignment !== undefined) assignments.push([key, assignment]);
  }
  return { version: VERSION, logId: state.logId, head: state.head, tasks, assignments };
}

/**
 * The state that both files were written from, given their parsed JSON. `undefined` where they are not of this version,
 * not complete, beyond this build's feature level or not written at the same head: the reader then starts from the log.
 */
export function fromFiles(connectorFile: unknown, taskFile: unknown): ClusterState | undefined {
  if (!isConnectorFile(connectorFile) || !isTaskFile(taskFile)) return undefined;
  const { head, logId, level } = connectorFile;
  if (level > MAX_LEVEL) return undefined;
  if (!sameHead(head, taskFile.head) || logId !== taskFile.logId) return undefined;
  const assignments = new Map(taskFile.assignments);
  const tasks = new TaskTable();
  for (const [key, task] of taskFile.tasks) {
    const assignment = assignments.get(key);
    tasks.set(assignment === undefined ? task : { ...task, assignment });
  }
  return {
    ...headerOf(connectorFile),
    members: new Map(connectorFile.members.map((member) => [member.nodeId, member])),
    departed: new Map(connectorFile.departed),
    connectors: new Map(connectorFile.connectors.map((connector) => [connector.name, connector])),
    tasks,
    results: new Map(connectorFile.results.map((result) => [result.requestId, result])),
    skipped: connectorFile.skipped,
  };
}

type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

function isHead(value: unknown): value is LogHead {
  if (typeof value !== 'object' || value === null) return false;
  const head: Unchecked<LogHead> = value;
  return Number.isInteger(head.offset) && Number.isInteger(head.seq) && typeof head.digest === 'string';
}

function isConnectorFile(value: unknown): value is ConnectorFile {
  if (typeof value !== 'object' || value === null) return false;
  const file: Unchecked<ConnectorFile> = value;
  return (
    file.version === VERSION &&
    isHead(file.head) &&
    [file.logId, file.broker, file.claimId].every((text) => typeof text === 'string') &&
    [file.epoch, file.level, file.createdAt, file.skipped, file.nextCommandOffset].every((number) =>
      Number.isInteger(number),
    ) &&
    [file.draining, file.members, file.departed, file.connectors, file.results].every((list) => Array.isArray(list))
  );
}

function isTaskFile(value: unknown): value is TaskFile {
  if (typeof value !== 'object' || value === null) return false;
  const file: Unchecked<TaskFile> = value;
  return (
    file.version === VERSION &&
    typeof file.logId === 'string' &&
    isHead(file.head) &&
    Array.isArray(file.tasks) &&
    Array.isArray(file.assignments)
  );
}
