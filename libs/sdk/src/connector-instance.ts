import type { TaskConfig, TaskLogger } from './record/task-context.js';

/** What the runtime gives an instance of a connector at its start. */
export interface ConnectorContext {
  readonly connectorName: string;
  /** Grows with every runner that the instance is given to; that of the connector's first task. */
  readonly generation: number;
  /** The settings of the connector, without what `taskConfigs` gives its tasks. */
  readonly config: TaskConfig;
  readonly logger: TaskLogger;
  /** Aborted when the instance is to stop, also while `start` runs. */
  readonly signal: AbortSignal;

  /**
   * Asks for new task settings, because the other system has changed. The runtime calls `taskConfigs` soon, perhaps on another runner, and
   * restarts tasks whose settings changed. Returns at once; one call may answer many requests. After the signal has aborted it does nothing.
   */
  requestTaskReconfiguration(): void;

  /** Returns the pairs that `taskConfigs` has agreed upon, as this runner knows them: there may be more since. Rejects where the log is not known yet. */
  agreedPairs(): Promise<ReadonlyMap<string, string>>;

  /**
   * Reports an error that the connector cannot get over. Its status is FAILED with the error from then on, its tasks run on, and the instance is stopped.
   * Somebody has to restart the connector or to change its settings. Returns at once. After the signal has aborted it does nothing.
   */
  raiseError(error: unknown): void;
}

/**
 * Watches another system for a connector, beside its tasks. The runtime runs one at a time, while the connector is RUNNING and has tasks.
 *
 * It calls `start`, then `stop`, once each and never one during the other. The watching itself continues after `start` has resolved, until the signal aborts.
 */
export interface ConnectorInstance {
  /**
   * Begins to watch. After an error another instance is made, as the restart settings of tasks say. An error that no retry can fix, such as of wrong settings, has the
   * connector FAILED. So has a start that takes longer than 60 s.
   */
  start(context: ConnectorContext): Promise<void>;

  /** Ends everything that the instance does. Called always, also after an error in `start`. What does not end holds up the connector's first task. */
  stop(): Promise<void>;
}
