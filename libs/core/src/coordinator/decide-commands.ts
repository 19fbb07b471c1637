import { RESULT_RETENTION_MS, type ClusterDraft } from '../log/cluster-draft.js';
import type { Command, CommandOutcome } from '../model/command.js';
import { TargetState, taskKey } from '../model/connector.js';
import type { LogEvent } from '../model/entry.js';
import type { EventBatch } from './event-batch.js';
import type { CoordinatorState } from './state.js';

interface Handled {
  readonly events: readonly LogEvent[];
  readonly outcome: CommandOutcome;
}

/** Handles queued commands in their order: what each does and its result go into one append. */
export function decideCommands(state: CoordinatorState, wall: number, batch: EventBatch): void {
  for (const { offset, command } of state.commands) {
    if (offset < batch.draft.header.nextCommandOffset) continue;
    let { events, outcome } = handleCommand(batch.draft, command, wall);
    const done = (): LogEvent => {
      const result = { requestId: command.requestId, commandOffset: offset, outcome };
      return { kind: 'command.done', result };
    };
    if (!batch.isKnownToAll(...events)) {
      const level = String(batch.draft.header.level);
      outcome = refused(
        'conflict',
        `The cluster is at feature level ${level} and cannot do this before all nodes are upgraded`,
      );
      events = [];
    }
    if (!batch.fits(...events, done())) {
      events = [];
      outcome = refused('invalid', 'The request is larger than one entry of the log may be');
    }
    if (!batch.add(...events, done())) return;
  }
}

function handleCommand(draft: ClusterDraft, command: Command, wall: number): Handled {
  const known = draft.results.get(command.requestId);
  if (known !== undefined) return { events: [], outcome: known.outcome };
  if (wall - command.sentAt > RESULT_RETENTION_MS) return refusal('expired', 'The request is older than 24 hours');
  if (command.name === '') return refusal('invalid', 'The name of a connector must not be empty');
  const connector = draft.connectors.get(command.name);
  const { name } = command;
  if (command.kind === 'connector.put') {
    const { mode, type, config } = command;
    if (connector !== undefined && mode === 'create') return refusal('conflict', `Connector ${name} already exists`);
    if (connector !== undefined && connector.type !== type) {
      return refusal('invalid', `Connector ${name} is a ${connector.type} and cannot become a ${type}`);
    }
    const targetState = connector?.targetState ?? command.targetState ?? TargetState.running;
    const put = { kind: 'connector.put', name, type, config, targetState } as const;
    return { events: [put], outcome: { status: 'done', created: connector === undefined } };
  }
  if (connector === undefined) return refusal('not-found', `Connector ${name} not found`);
  switch (command.kind) {
    case 'connector.target': {
      const { targetState } = command;
      return doing(connector.targetState === targetState ? [] : [{ kind: 'connector.target', name, targetState }]);
    }
    case 'connector.delete':
      return doing([{ kind: 'connector.deleted', name }]);
    case 'connector.restart': {
      const { type, config, targetState } = connector;
      return doing([{ kind: 'connector.put', name, type, config, targetState }]);
    }
    case 'tasks.restart': {
      const unknown = command.tasks.find((id) => id.connector !== name || !draft.tasks.has(taskKey(id)));
      if (unknown !== undefined) return refusal('not-found', `Unknown task: ${taskKey(unknown)}`);
      const running = command.tasks.filter((id) => {
        const assignment = draft.tasks.get(taskKey(id))?.assignment;
        return assignment !== undefined && assignment.revokedAt === undefined;
      });
      return doing(running.length === 0 ? [] : [{ kind: 'tasks.revoked', tasks: running, reason: 'restarted' }]);
    }
  }
}

function doing(events: readonly LogEvent[]): Handled {
  return { events, outcome: { status: 'done' } };
}

type Refusal = Exclude<CommandOutcome['status'], 'done'>;

function refusal(status: Refusal, message: string): Handled {
  return { events: [], outcome: refused(status, message) };
}

function refused(status: Refusal, message: string): CommandOutcome {
  return { status, message };
}
