import type { Config, ConnectorType, TargetState, TaskId } from './connector.js';

export type Command = { readonly requestId: string; readonly sentAt: number; readonly from: string } & CommandBody;

export type CommandBody =
  | {
      readonly kind: 'connector.put';
      /** `create` refuses an existing name; `upsert` replaces its config and keeps its target state. */
      readonly mode: 'create' | 'upsert';
      readonly name: string;
      readonly type: ConnectorType;
      readonly config: Config;
      readonly targetState?: TargetState;
    }
  | { readonly kind: 'connector.target'; readonly name: string; readonly targetState: TargetState }
  | { readonly kind: 'connector.delete'; readonly name: string }
  | { readonly kind: 'tasks.restart'; readonly name: string; readonly tasks: readonly TaskId[] }
  /** A connector whose splitting failed is split anew. */
  | { readonly kind: 'connector.restart'; readonly name: string };

export type CommandOutcome =
  | { readonly status: 'done'; readonly created?: boolean }
  | { readonly status: 'conflict' | 'not-found' | 'invalid' | 'expired'; readonly message: string };

export interface CommandResult {
  readonly requestId: string;
  /** Offset of the command in the commands queue: a new leader goes on after the highest one. */
  readonly commandOffset: number;
  readonly outcome: CommandOutcome;
}
