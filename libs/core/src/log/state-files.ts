import { headerOf, type ClusterState, type LogHead, type StateHeader, type StoredResult } from '../model/cluster-state.js';
import type { ConnectorState } from '../model/connector.js';
import { levelOf, MAX_LEVEL } from '../model/feature-level.js';
import type { Member } from '../model/member.js';
import { pairRowsOf, pairTablesIn, type PairRows } from '../model/pair-table.js';
import { sameHead } from './snapshot-events.js';
import { rowsOf, tasksIn, type TaskRows } from '../model/task-rows.js';
import { TaskTable } from '../model/task-table.js';

const VERSION = 3;

/** Content of `connectorConfig.json`: all but the tasks. Lists are iterated once. */
export interface ConnectorFile extends StateHeader {
  readonly version: typeof VERSION;
  /** The head of the task file that belongs to it: tasks have not changed since. */
  readonly tasksAsOf: LogHead;
  readonly members: Iterable<Member>;
  readonly departed: Iterable<readonly [memberKey: string, at: number]>;
  readonly connectors: Iterable<ConnectorState>;
  /** Absent where the cluster has not reached their level. */
  readonly pairs?: Iterable<PairRows>;
  readonly results: Iterable<StoredResult>;
  readonly skipped: number;
}

/** Content of `taskConfig.json`: the tasks and who holds them. Lists are iterated once. */
export interface TaskFile {
  readonly version: typeof VERSION;
  readonly logId: string;
  readonly head: LogHead;
  readonly tasks: Iterable<TaskRows>;
}

export function toConnectorFile(state: ClusterState, tasksAsOf = state.head): ConnectorFile {
  return {
    version: VERSION,
    ...headerOf(state),
    tasksAsOf,
    skipped: state.skipped,
    members: state.members.values(),
    departed: state.departed,
    connectors: state.connectors.values(),
    pairs: pairRowsOf(state.pairs),
    results: state.results.values(),
  };
}

export function toTaskFile({ logId, head, tasks, members }: ClusterState): TaskFile {
  return { version: VERSION, logId, head, tasks: allRows(tasks, members) };
}

function* allRows(tasks: TaskTable, members: ClusterState['members']): Generator<TaskRows> {
  for (const [, group] of tasks.groups()) yield* rowsOf(group, members);
}

/** Whether two states differ in nothing but how many entries were read. */
export function isSameButHead(left: ClusterState, right: ClusterState): boolean {
  const { head: leftHead, ...leftHeader } = headerOf(left);
  const { head: rightHead, ...rightHeader } = headerOf(right);
  return (
    leftHead.seq <= rightHead.seq &&
    left.members === right.members &&
    left.departed === right.departed &&
    left.connectors === right.connectors &&
    left.tasks === right.tasks &&
    left.pairs === right.pairs &&
    left.results === right.results &&
    JSON.stringify(leftHeader) === JSON.stringify(rightHeader)
  );
}

/**
 * Returns the state that both files were written from, given their parsed JSON. It returns `undefined` where they are
 * not of this version, not complete, beyond this build's feature level or do not belong together. The reader then
 * starts from the log.
 */
export function fromFiles(connectorFile: unknown, taskFile: unknown): ClusterState | undefined {
  if (!isConnectorFile(connectorFile) || !isTaskFile(taskFile)) return undefined;
  const { tasksAsOf, logId, level } = connectorFile;
  if (level > MAX_LEVEL) return undefined;
  if (!sameHead(tasksAsOf, taskFile.head) || logId !== taskFile.logId) return undefined;
  const members = new Map(Array.from(connectorFile.members, (member) => [member.nodeId, member]));
  const tasks = new TaskTable();
  for (const rows of taskFile.tasks) for (const task of tasksIn(rows, members)) tasks.set(task);
  return {
    ...headerOf(connectorFile),
    members,
    departed: new Map(connectorFile.departed),
    connectors: new Map(Array.from(connectorFile.connectors, (connector) => [connector.name, connector])),
    tasks,
    pairs: pairTablesIn(connectorFile.pairs ?? []),
    results: new Map(Array.from(connectorFile.results, (result) => [result.requestId, result])),
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
    isHead(file.tasksAsOf) &&
    [file.logId, file.broker, file.claimId].every((text) => typeof text === 'string') &&
    [file.epoch, file.level, file.createdAt, file.skipped, file.nextCommandOffset].every((number) => Number.isInteger(number)) &&
    hasPairs(file) &&
    [file.draining, file.members, file.departed, file.connectors, file.results].every((list) => Array.isArray(list))
  );
}

/** Builds of lower levels wrote none. */
function hasPairs({ level, pairs }: Unchecked<ConnectorFile>): boolean {
  return Array.isArray(pairs) || (pairs === undefined && Number(level) < (levelOf('pairs.extended') ?? 0));
}

function isTaskFile(value: unknown): value is TaskFile {
  if (typeof value !== 'object' || value === null) return false;
  const file: Unchecked<TaskFile> = value;
  return file.version === VERSION && typeof file.logId === 'string' && isHead(file.head) && Array.isArray(file.tasks);
}
