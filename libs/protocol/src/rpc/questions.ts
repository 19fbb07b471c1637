import type { FieldDescription, FieldState } from '@sluice/sdk';

/** Patterns of the questions that nodes answer. They change nothing of the cluster: a level of a logger lives as long as its process. */
export const Question = {
  validate: 'connector.validate',
  definitions: 'connector.definitions',
  taskConfigs: 'connector.task-configs',
  loggerLevel: 'node.logger-level',
} as const;

/** The time limit that a runner sets to a connector's own check of its settings, in milliseconds; whoever asks for it waits longer. */
export const VALIDATION_LIMIT_MS = 5_000;

type Settings = Readonly<Record<string, string>>;

export interface ValidateQuestion {
  readonly className: string;
  readonly config: Settings;
}

/** What a configuration means for a connector, setting by setting. Secret values are hidden. */
export interface ValidateAnswer {
  /** The name of the class that answered, not an alias. */
  readonly className: string;
  readonly type: 'source' | 'sink';
  readonly errorCount: number;
  readonly groups: readonly string[];
  /** Without a description: a name that was given and that nothing defines. */
  readonly fields: readonly { readonly description?: FieldDescription; readonly state: FieldState }[];
  /** Warnings about a valid configuration, such as a name that nothing defines. No values. */
  readonly warnings: readonly string[];
}

export interface DefinitionsQuestion {
  readonly className: string;
  /** The versions of it that are meant, as `connector.plugin.version` has them; the newest one where it is absent. */
  readonly version?: string;
  /** What the plugin is: several of a runner may have one name. The first that is found is meant where it is absent. */
  readonly kind?: string;
}

export interface DefinitionsAnswer {
  readonly fields: readonly FieldDescription[];
}

export interface TaskConfigsQuestion {
  readonly config: Settings;
}

/** The settings of each task that differ from the connector's (null for one that it lacks), or why the connector could not be split. */
export type TaskConfigsAnswer = { readonly tasks: readonly Readonly<Record<string, string | null>>[] } | { readonly error: string };

/** Has a node set the level of one of its loggers. */
export interface LoggerLevelQuestion {
  readonly logger: string;
  readonly level: 'error' | 'warn' | 'info' | 'debug';
}

export interface LoggerLevelAnswer {
  /** The loggers that have the level now; none where the node does not have the logger. */
  readonly changed: readonly string[];
}
