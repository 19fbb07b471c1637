import { changedSettings } from '../model/cluster-settings.js';
import type { StateHeader } from '../model/cluster-state.js';
import type { CommandResult } from '../model/command.js';
import type { LogEntry, LogEvent } from '../model/entry.js';
import { snapshotAfterDone, snapshotAfterChunk, withoutOpenSnapshot } from './snapshot-events.js';

/** When an event happened: its place in the log and its writer's wall clock. */
export type EventStamp = Pick<LogEntry, 'seq' | 'at' | 'epoch' | 'claimId' | 'logId'> & { readonly offset: number };

type HeaderKind =
  | 'genesis'
  | 'claimed'
  | 'lease.renewed'
  | 'cluster.version'
  | 'leader.resigned'
  | 'command.done'
  | 'commands.rewound'
  | 'drain.started'
  | 'drain.ended'
  | 'settings.changed'
  | 'snapshot.chunk'
  | 'snapshot.done';

export type HeaderEvent = Extract<LogEvent, { kind: HeaderKind }>;

/** What an accepted event changes apart from the collections. */
export function headerAfter(header: StateHeader, event: HeaderEvent, stamp: EventStamp): StateHeader {
  switch (event.kind) {
    case 'genesis': {
      const { logId, epoch, claimId, at } = stamp;
      return { ...header, logId, broker: event.broker, createdAt: at, epoch, claimId };
    }
    case 'claimed': {
      const { epoch, claimId } = stamp;
      const { nodeId, incarnation } = event;
      const leader = { nodeId, incarnation, resigned: false };
      return { ...withoutOpenSnapshot(header), epoch, claimId, leader };
    }
    case 'lease.renewed':
      return header;
    case 'cluster.version':
      return { ...header, level: Math.max(header.level, event.level) };
    case 'leader.resigned':
      return header.leader === undefined ? header : { ...header, leader: { ...header.leader, resigned: true } };
    case 'command.done':
      return headerAfterCommand(header, event.result);
    case 'commands.rewound':
      return headerAfterRewind(header, event.nextOffset);
    case 'drain.started':
    case 'drain.ended': {
      const others = header.draining.filter((nodeId) => nodeId !== event.nodeId);
      return { ...header, draining: event.kind === 'drain.started' ? [...others, event.nodeId] : others };
    }
    case 'settings.changed':
      return { ...header, settings: changedSettings(header.settings, event.settings) };
    case 'snapshot.chunk':
      return snapshotAfterChunk(header, event, stamp);
    case 'snapshot.done':
      return snapshotAfterDone(header, event, stamp);
  }
}

/** Nobody leads, and nobody has to be waited for. */
export function isVacated({ leader }: StateHeader): boolean {
  return leader === undefined || leader.resigned;
}

function headerAfterCommand(header: StateHeader, { requestId, commandOffset }: CommandResult): StateHeader {
  if (commandOffset < header.nextCommandOffset) return header;
  return { ...header, nextCommandOffset: commandOffset + 1, lastRequestId: requestId };
}

function headerAfterRewind(header: StateHeader, nextCommandOffset: number): StateHeader {
  const { lastRequestId, ...rest } = header;
  return { ...(lastRequestId === undefined ? header : rest), nextCommandOffset };
}
