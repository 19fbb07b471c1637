import type { CommandResult } from '../model/command.js';
import type { CommandEvent, LogEvent } from '../model/entry.js';
import type { EventBatch } from './event-batch.js';
import { handleCommand, NEEDS_REPORTS, refusal, type Handled } from './handle-command.js';
import type { CoordinatorState } from './state.js';

const SILENT_OWNER = 'Which tasks have failed is unknown: a node that holds some does not report. Try again after its session.timeout.ms';

/** A new leader hears every living node within this time. Others are silent then, and no command waits for them. */
const REPORTS_WAIT_MS = 3_000;

/** Handles queued commands in their order: what each does and its result go into one append. */
export function decideCommands(state: CoordinatorState, now: number, wall: number, batch: EventBatch): void {
  if (state.rewindTo !== undefined) return;
  for (const { offset, command } of state.commands) {
    if (offset < batch.draft.header.nextCommandOffset) continue;
    const wanted = handleCommand(batch.draft, state.reports, command, wall);
    if (wanted === NEEDS_REPORTS && now - state.leaderSince < REPORTS_WAIT_MS) return;
    const withResult = ({ events, outcome }: Handled): readonly LogEvent[] => {
      const result = { requestId: command.requestId, commandOffset: offset, outcome };
      return inOneEntry(batch, events, result);
    };
    let events = withResult(wanted === NEEDS_REPORTS ? refusal('conflict', SILENT_OWNER) : wanted);
    if (!batch.isKnownToAll(...events)) {
      const level = String(batch.draft.header.level);
      const why = `The cluster is at feature level ${level}: this works once all nodes are upgraded`;
      events = withResult(refusal('conflict', why));
    }
    if (!batch.fits(...events)) {
      events = withResult(refusal('invalid', 'The request is larger than one entry of the log may be'));
    }
    if (!batch.add(...events)) return;
  }
}

/** Where not all members know such an entry yet, the events come one by one. */
function inOneEntry(batch: EventBatch, events: readonly CommandEvent[], result: CommandResult): readonly LogEvent[] {
  if (events.length === 0) return [{ kind: 'command.done', result }];
  const applied = { kind: 'command.applied', result, events } as const;
  return batch.isKnownToAll({ ...applied, events: [] }) ? [applied] : [...events, { kind: 'command.done', result }];
}

/**
 * The commands queue was cut or created again: it ends before the next command to be taken. It is read again from its
 * beginning; what was done before is known by its request id and not done twice.
 */
export function decideRewind({ rewindTo }: CoordinatorState, batch: EventBatch): void {
  if (rewindTo !== undefined) batch.add({ kind: 'commands.rewound', nextOffset: rewindTo });
}
