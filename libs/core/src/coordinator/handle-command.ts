import type { ClusterDraft } from '../log/cluster-draft.js';
import { settingsError } from '../model/cluster-settings.js';
import {
  CLOCK_TOLERANCE_MS,
  COMMAND_EXPIRY_MS,
  isConnectorCommand,
  type ClusterCommand,
  type Command,
  type CommandOutcome,
  type ConnectorCommand,
} from '../model/command.js';
import { isBeingSplit, TargetState, taskKey, type ConnectorState, type TaskId, type TaskState } from '../model/connector.js';
import type { CommandEvent } from '../model/entry.js';
import { isRunner } from '../model/member.js';
import { extensionError, PairTable } from '../model/pair-table.js';
import { currentTasks } from '../model/task-table.js';
import { failedTasks, type KnownReports } from './failed-tasks.js';

export interface Handled {
  readonly events: readonly CommandEvent[];
  readonly outcome: CommandOutcome;
}

/** The command needs the reports of nodes that were not heard yet: they come soon, or their sessions end. */
export const NEEDS_REPORTS = 'needs-reports';

/** What a command does now, as events and its result; nothing is changed by this. */
export function handleCommand(draft: ClusterDraft, reports: KnownReports, command: Command, wall: number): Handled | typeof NEEDS_REPORTS {
  const known = draft.results.get(command.requestId);
  if (known !== undefined) return { events: [], outcome: known.outcome };
  const ageMs = wall - command.sentAt;
  if (ageMs > COMMAND_EXPIRY_MS) return refusal('expired', 'The request is older than 24 hours');
  if (ageMs < -CLOCK_TOLERANCE_MS) {
    return refusal('invalid', `The request was sent ${-ageMs} ms in the future: the clocks of the nodes differ too much`);
  }
  return isConnectorCommand(command) ? handleForConnector(draft, reports, command) : handleForCluster(draft, command);
}

function handleForCluster({ header, members }: ClusterDraft, command: ClusterCommand): Handled {
  switch (command.kind) {
    case 'node.drain': {
      const { nodeId } = command;
      if (header.draining.includes(nodeId)) return doing([]);
      const member = members.get(nodeId);
      if (member === undefined) return refusal('not-found', `Node ${nodeId} not found`);
      if (!isRunner(member)) {
        return refusal('invalid', `Node ${nodeId} is a ${member.role}: only runners have tasks to reassign`);
      }
      return doing([{ kind: 'drain.started', nodeId }]);
    }
    case 'node.undrain': {
      const { nodeId } = command;
      if (header.draining.includes(nodeId)) return doing([{ kind: 'drain.ended', nodeId }]);
      return members.has(nodeId) ? doing([]) : refusal('not-found', `Node ${nodeId} not found`);
    }
    case 'settings.put': {
      const error = settingsError(command.settings);
      if (error !== undefined) return refusal('invalid', error);
      return doing([{ kind: 'settings.changed', settings: command.settings }]);
    }
  }
}

function handleForConnector(draft: ClusterDraft, reports: KnownReports, command: ConnectorCommand): Handled | typeof NEEDS_REPORTS {
  const { name } = command;
  if (name === '') return refusal('invalid', 'The name of a connector must not be empty');
  const connector = draft.connectors.get(name);
  if (command.kind === 'connector.put') return putConnector(connector, command);
  if (connector === undefined) return refusal('not-found', `Connector ${name} not found`);
  switch (command.kind) {
    case 'connector.target': {
      const { targetState } = command;
      return doing(connector.targetState === targetState ? [] : [{ kind: 'connector.target', name, targetState }]);
    }
    case 'connector.delete':
      return doing([{ kind: 'connector.deleted', name }]);
    case 'connector.restart':
      return restartConnector(draft, reports, connector, command);
    case 'tasks.restart': {
      const unknown = command.tasks.find((id) => id.connector !== name || !draft.tasks.has(taskKey(id)));
      if (unknown !== undefined) return refusal('not-found', `Unknown task: ${taskKey(unknown)}`);
      return doing(restartOf(draft, command.tasks));
    }
    case 'pairs.extend': {
      const { pairs } = command;
      const known = draft.pairs.get(name) ?? PairTable.EMPTY;
      const error = extensionError(name, known, pairs);
      if (error !== undefined) return refusal('invalid', error);
      const added = known.newAmong(pairs);
      return doing(added.length === 0 ? [] : [{ kind: 'pairs.extended', connector: name, pairs: added }]);
    }
  }
}

function putConnector(connector: ConnectorState | undefined, command: Extract<ConnectorCommand, { kind: 'connector.put' }>): Handled {
  const { mode, name, type, config, expectedVersion, warnings } = command;
  if (connector !== undefined && mode === 'create') return refusal('conflict', `Connector ${name} already exists`);
  if (connector !== undefined && connector.type !== type) {
    return refusal('invalid', `Connector ${name} is a ${connector.type} and cannot become a ${type}`);
  }
  if (expectedVersion !== undefined && connector?.configVersion !== expectedVersion) {
    const found = connector === undefined ? 'it does not exist' : `its config is at version ${connector.configVersion}`;
    return refusal('conflict', `Connector ${name} was changed meanwhile: ${found}, not ${expectedVersion}`);
  }
  const targetState = connector?.targetState ?? command.targetState ?? TargetState.running;
  const put = { kind: 'connector.put', name, type, config, targetState, ...warningsOf(warnings) } as const;
  return { events: [put], outcome: { status: 'done', created: connector === undefined } };
}

function warningsOf(warnings: readonly string[] = []): { readonly warnings?: readonly string[] } {
  return warnings.length === 0 ? {} : { warnings };
}

function restartConnector(
  draft: ClusterDraft,
  reports: KnownReports,
  connector: ConnectorState,
  { includeTasks = false, onlyFailed = false, byTask = false }: Extract<ConnectorCommand, { kind: 'connector.restart' }>,
): Handled | typeof NEEDS_REPORTS {
  const { name, type, config, targetState, warnings, error } = connector;
  const events: CommandEvent[] = [];
  if (!onlyFailed || error !== undefined) {
    events.push({ kind: 'connector.put', name, type, config, targetState, ...warningsOf(warnings) });
  }
  const tasks = currentTasks(draft.tasks, connector);
  // One without a task that runs would do nothing else.
  if (includeTasks || (!byTask && hasCompleted(connector, tasks))) {
    const concerned = onlyFailed ? failedTasks(draft.tasks, reports, connector) : tasks.map(({ id }) => id);
    if (concerned === undefined) return NEEDS_REPORTS;
    events.push(...restartOf(draft, concerned));
  }
  return doing(events);
}

/** Returns whether its status is COMPLETED. One that is paused, has failed or is being split may do something else after a restart. */
function hasCompleted(connector: ConnectorState, tasks: readonly TaskState[]): boolean {
  if (connector.targetState !== TargetState.running || connector.error !== undefined || isBeingSplit(connector)) return false;
  return tasks.length > 0 && tasks.every(({ completed }) => completed !== undefined);
}

/**
 * Tasks that run are revoked and come back with a new generation, completed ones are assigned again; what nobody holds starts again anyway.
 * Of a task that is named with a generation only that one is concerned, while it runs.
 */
function restartOf(draft: ClusterDraft, tasks: readonly (TaskId & { readonly generation?: number })[]): readonly CommandEvent[] {
  const concerned: TaskId[] = [];
  for (const { connector, index, generation } of tasks) {
    const { assignment, completed } = draft.tasks.find({ connector, index }) ?? {};
    const isRunning = assignment !== undefined && assignment.revokedAt === undefined;
    const isMeant = generation === undefined ? isRunning || completed !== undefined : isRunning && assignment.generation === generation;
    if (isMeant) concerned.push({ connector, index });
  }
  return concerned.length === 0 ? [] : [{ kind: 'tasks.revoked', tasks: concerned, reason: 'restarted' }];
}

function doing(events: readonly CommandEvent[]): Handled {
  return { events, outcome: { status: 'done' } };
}

type Refusal = Exclude<CommandOutcome['status'], 'done'>;

export function refusal(status: Refusal, message: string): Handled {
  return { events: [], outcome: { status, message } };
}
