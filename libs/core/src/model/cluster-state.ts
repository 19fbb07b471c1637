import type { CommandResult } from './command.js';
import type { ConnectorState, TaskState } from './connector.js';
import type { Member } from './member.js';

/** Everything that the log says, folded. The same entries give the same state on every node. */
export interface ClusterState {
  readonly logId: string;
  readonly broker: string;
  /** The last accepted entry. `offset` is that of the entry in the queue; `seq` is -1 before genesis. */
  readonly head: { readonly offset: number; readonly seq: number; readonly digest: string };
  readonly epoch: number;
  readonly claimId: string;
  readonly leader?: { readonly nodeId: string; readonly incarnation: string; readonly resigned: boolean };
  /** By node id. */
  readonly members: ReadonlyMap<string, Member>;
  /** Incarnations that left or were rejected and never come back, by `memberKey`, with the wall clock of their entry. */
  readonly departed: ReadonlyMap<string, number>;
  readonly connectors: ReadonlyMap<string, ConnectorState>;
  /** By `taskKey`. */
  readonly tasks: ReadonlyMap<string, TaskState>;
  readonly nextCommandOffset: number;
  /** By request id, with the wall clock of their entry. */
  readonly results: ReadonlyMap<string, CommandResult & { readonly at: number }>;
  /** Entries that were not the exact successor of the head: resends, late or deposed writers. */
  readonly skipped: number;
}
