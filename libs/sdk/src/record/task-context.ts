import type { ConfigOf, ConfigSpec } from '../config/config-fields.js';
import { requireConfig } from '../errors/config-error.js';

/** The settings of a task: those of its connector and what `taskConfigs` added, all as text. */
export type TaskConfig = Readonly<Record<string, string>>;

export interface TaskLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface TaskContext {
  readonly connectorName: string;
  readonly taskIndex: number;
  /** Grows with every start of this task anywhere in the cluster; never restarts. */
  readonly generation: number;
  readonly config: TaskConfig;
  readonly logger: TaskLogger;
  /** Says what operators should know and does not end the task: it stands in the log and in the status. */
  warn(message: string): void;
  /** Aborted when the task is to stop. */
  readonly signal: AbortSignal;
}

/**
 * Reads the settings of a task at its start. Ignores those that the runtime and other parts of the connector read.
 * @throws {ConfigError} naming the task and every wrong field.
 */
export function requireTaskConfig<const S extends ConfigSpec>(
  { connectorName, taskIndex, config }: Pick<TaskContext, 'connectorName' | 'taskIndex' | 'config'>,
  spec: S,
): ConfigOf<S> {
  return requireConfig(`Configuration of task ${connectorName}-${taskIndex}`, spec, config, { unknownKeys: 'ignore' });
}
