import type { LogHead } from './cluster-state.js';
import type { CommandResult } from './command.js';
import type { Config, ConnectorType, Overrides, TargetState, TaskCompletion, TaskId } from './connector.js';
import type { Member } from './member.js';
import type { Pair } from './pair-table.js';
import type { SnapshotRecord } from './snapshot.js';

/** Written once by `sluice init`: names the log forever. */
export interface Genesis {
  readonly kind: 'genesis';
  readonly broker: string;
}

/** A coordinator takes the lead. Void unless `after` is the last accepted entry. */
export interface Claimed {
  readonly kind: 'claimed';
  readonly nodeId: string;
  readonly incarnation: string;
  readonly after: { readonly seq: number; readonly digest: string };
}

export type LogEvent =
  | Genesis
  | Claimed
  /** `snapshotAt` is the offset of the `snapshot.done` of the last valid snapshot: readers without a state start there. */
  | { readonly kind: 'lease.renewed'; readonly snapshotAt?: number }
  /** Kinds of this feature level may follow: all members can read them. It never sinks. */
  | { readonly kind: 'cluster.version'; readonly level: number }
  /** The leader leaves in good order: a standby may claim at once. */
  | { readonly kind: 'leader.resigned' }
  | { readonly kind: 'member.joined'; readonly member: Omit<Member, 'suspectedAt' | 'joinedAt'> }
  | { readonly kind: 'member.suspected'; readonly nodeId: string; readonly incarnation: string }
  | { readonly kind: 'member.cleared'; readonly nodeId: string; readonly incarnation: string }
  | {
      readonly kind: 'member.left';
      readonly nodeId: string;
      readonly incarnation: string;
      readonly reason: 'leaving' | 'expired' | 'superseded';
    }
  /** A second live node with the id of a member: it must exit. */
  | { readonly kind: 'member.rejected'; readonly nodeId: string; readonly incarnation: string; readonly reason: string }
  | {
      readonly kind: 'connector.put';
      readonly name: string;
      readonly type: ConnectorType;
      readonly config: Config;
      readonly targetState: TargetState;
      readonly warnings?: readonly string[];
    }
  | { readonly kind: 'connector.target'; readonly name: string; readonly targetState: TargetState }
  | { readonly kind: 'connector.deleted'; readonly name: string }
  | {
      readonly kind: 'tasks.configured';
      readonly name: string;
      readonly configVersion: number;
      /** Per task, what it has beside or instead of the connector's settings. */
      readonly tasks: readonly Overrides[];
    }
  | { readonly kind: 'tasks.failed'; readonly name: string; readonly configVersion: number; readonly error: string }
  | {
      readonly kind: 'tasks.assigned';
      readonly tasks: readonly (TaskId & { readonly nodeId: string; readonly incarnation: string })[];
    }
  | {
      readonly kind: 'tasks.revoked';
      readonly tasks: readonly TaskId[];
      readonly reason: 'moved' | 'reconfigured' | 'stopped' | 'deleted' | 'restarted';
    }
  /** The owner reported it as not running, or is gone: the task is free. */
  | { readonly kind: 'tasks.released'; readonly tasks: readonly TaskId[] }
  | { readonly kind: 'tasks.committed'; readonly tasks: readonly TaskId[] }
  /**
   * These generations have no more data, and all of it is stored: each is revoked and not assigned again. It takes effect for a task that is held
   * without revocation. What ends that: `tasks.revoked` as restarted, other settings of the task, a stop of its connector.
   */
  | { readonly kind: 'tasks.completed'; readonly tasks: readonly (TaskId & TaskCompletion)[] }
  /** Pairs whose key and value are both new to the connector are agreed upon from now on; the others change nothing. */
  | { readonly kind: 'pairs.extended'; readonly connector: string; readonly pairs: readonly Pair[] }
  | { readonly kind: 'command.done'; readonly result: CommandResult }
  /** What a command did, with its result, in one entry: a log that loses its tail never holds half of it. */
  | { readonly kind: 'command.applied'; readonly result: CommandResult; readonly events: readonly CommandEvent[] }
  /** The commands queue was cut or created again: its next command is the one at this offset. */
  | { readonly kind: 'commands.rewound'; readonly nextOffset: number }
  | { readonly kind: 'drain.started'; readonly nodeId: string }
  | { readonly kind: 'drain.ended'; readonly nodeId: string }
  /** Settings that change; null brings a default back. */
  | { readonly kind: 'settings.changed'; readonly settings: Readonly<Record<string, string | null>> }
  /** Part `index` of the state as of an earlier head. */
  | {
      readonly kind: 'snapshot.chunk';
      readonly snapshotId: string;
      readonly asOf: LogHead;
      readonly index: number;
      readonly data: readonly SnapshotRecord[];
    }
  /** Makes the chunks before it a snapshot if all of them stand in the log under the same claim. */
  | {
      readonly kind: 'snapshot.done';
      readonly snapshotId: string;
      readonly asOf: LogHead;
      readonly chunks: number;
      /** `RecordDigest` of all records. */
      readonly digest: string;
    };

/** What commands do. */
export type CommandEvent = Extract<
  LogEvent,
  {
    kind:
      | 'connector.put'
      | 'connector.target'
      | 'connector.deleted'
      | 'tasks.revoked'
      | 'pairs.extended'
      | 'drain.started'
      | 'drain.ended'
      | 'settings.changed';
  }
>;

/** An event, or those that a command did together, in their order. */
export function eventsIn(event: LogEvent): readonly LogEvent[] {
  if (event.kind !== 'command.applied') return [event];
  return [...event.events, { kind: 'command.done', result: event.result }];
}

/** What stands around every event in the log. */
export interface EntryHead {
  readonly logId: string;
  readonly epoch: number;
  readonly claimId: string;
  readonly seq: number;
  /** Digest of the entry before, as hexadecimal text; empty before the first. */
  readonly prevDigest: string;
  /** Wall clock of the writer, milliseconds since the epoch; for people and for expiry of results, never for leases. */
  readonly at: number;
}

export type LogEntry = EntryHead & { readonly event: LogEvent };

/** An entry as it was read: where it stands and the digest of its bytes. */
export interface ReadEntry {
  readonly offset: number;
  readonly digest: string;
  readonly entry: LogEntry;
}
