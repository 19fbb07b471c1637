import type { Config, ConnectorType, TargetState, TaskId } from './connector.js';
import type { Pair } from './pair-table.js';

export type Command = { readonly requestId: string; readonly sentAt: number; readonly from: string } & CommandBody;

export type CommandBody = ConnectorCommand | ClusterCommand;

/** What is asked for one connector. */
export type ConnectorCommand =
  | {
      readonly kind: 'connector.put';
      /** `create` refuses an existing name; `upsert` replaces its config and keeps its target state. */
      readonly mode: 'create' | 'upsert';
      readonly name: string;
      readonly type: ConnectorType;
      readonly config: Config;
      readonly targetState?: TargetState;
      /** The plugin's warnings about the config, which it accepted. */
      readonly warnings?: readonly string[];
      /** The `configVersion` that the new config was made from: another one is a conflict, so no change is lost. */
      readonly expectedVersion?: number;
    }
  | { readonly kind: 'connector.target'; readonly name: string; readonly targetState: TargetState }
  | { readonly kind: 'connector.delete'; readonly name: string }
  | {
      readonly kind: 'tasks.restart';
      readonly name: string;
      /**
       * A runner that asks for a new generation of its task names the one that it has. Another one is not restarted, nor is one that has
       * completed.
       */
      readonly tasks: readonly (TaskId & { readonly generation?: number })[];
    }
  /**
   * The connector is split into tasks again; unchanged tasks keep running. With `includeTasks` its tasks are restarted too, with `onlyFailed`
   * only what has failed: the splitting, and tasks that their owners report as FAILED. Completed tasks run again with `includeTasks`, and
   * where the connector is COMPLETED, unless a task asked for the splitting.
   */
  | {
      readonly kind: 'connector.restart';
      readonly name: string;
      readonly includeTasks?: boolean;
      readonly onlyFailed?: boolean;
      /** Sent by a runner for a task that asked for new task settings: those alone have a completed task run again. */
      readonly byTask?: boolean;
    }
  /** Sent by a runner that splits the connector: those pairs whose key and value are both new are agreed upon. See {@link extensionError}. */
  | { readonly kind: 'pairs.extend'; readonly name: string; readonly pairs: readonly Pair[] };

/** What is asked for the cluster. */
export type ClusterCommand =
  /** Take the tasks from a node, one by one, and give it none until `node.undrain`, also after its restart. */
  | { readonly kind: 'node.drain'; readonly nodeId: string }
  | { readonly kind: 'node.undrain'; readonly nodeId: string }
  /** Changes settings of the cluster; null brings a default back. See `ClusterSettings`. */
  | { readonly kind: 'settings.put'; readonly settings: Readonly<Record<string, string | null>> };

export function isConnectorCommand<Body extends CommandBody>(body: Body): body is Extract<Body, { readonly name: string }> {
  return 'name' in body;
}

export type CommandOutcome =
  | { readonly status: 'done'; readonly created?: boolean }
  | { readonly status: 'conflict' | 'not-found' | 'invalid' | 'expired'; readonly message: string };

export interface CommandResult {
  readonly requestId: string;
  /** Offset of the command in the commands queue: a new leader resumes after the highest one. */
  readonly commandOffset: number;
  readonly outcome: CommandOutcome;
}

const HOUR_MS = 60 * 60 * 1000;

/** Commands that were sent longer ago are rejected. */
export const COMMAND_EXPIRY_MS = 24 * HOUR_MS;

/** How far the clocks of nodes may be apart; a command from further in the future is rejected. */
export const CLOCK_TOLERANCE_MS = HOUR_MS / 2;

/**
 * How long the cluster state keeps results of commands and names of departed incarnations. For as long, a coordinator
 * might take the same command for a fresh one.
 */
export const RESULT_RETENTION_MS = COMMAND_EXPIRY_MS + 2 * CLOCK_TOLERANCE_MS;
