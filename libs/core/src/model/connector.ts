/** What an operator wants of a connector; reports show its real state. */
export const TargetState = { running: 'RUNNING', paused: 'PAUSED', stopped: 'STOPPED' } as const;
export type TargetState = (typeof TargetState)[keyof typeof TargetState];

export type ConnectorType = 'source' | 'sink';

/** Settings as users write them: every value is text. */
export type Config = Readonly<Record<string, string>>;

/** Settings of a task beside or instead of those of its connector; null stands for one that the task does not have. */
export type Overrides = Readonly<Record<string, string | null>>;

export interface ConnectorState {
  readonly name: string;
  readonly type: ConnectorType;
  readonly config: Config;
  /** The `seq` of the entry that put this config; task configs made from an older one are ignored. */
  readonly configVersion: number;
  readonly targetState: TargetState;
  /** The plugin's warnings about the config, which it accepted, such as names that nothing defines. */
  readonly warnings?: readonly string[];
  /** Version of the config that the current tasks were made from; `undefined` until the first answer. */
  readonly tasksVersion?: number;
  /** The config that the current tasks were made from, where it is not `config`. */
  readonly tasksConfig?: Config;
  /** How many tasks that answer named: a task with a higher index is surplus and goes once it is released. */
  readonly taskCount?: number;
  /** Why the connector could not be split into tasks. */
  readonly error?: string;
}

export interface TaskId {
  readonly connector: string;
  readonly index: number;
}

/** The text form of a task id, `<connector>-<index>`: unique because the index is the part after the last dash. */
export function taskKey(task: TaskId): string {
  return `${task.connector}-${task.index}`;
}

/** The class that a connector's settings name, also under the older key of Apache RocketMQ Connect. */
export function connectorClass(config: Config): string {
  return config['connector.class'] ?? config['connector-class'] ?? '';
}

/** Where a task runs. `generation` is the `seq` of the entry that assigned it: it only grows and never restarts. */
export interface TaskAssignment {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly generation: number;
  /** Set while the owner is asked to stop: the `seq` of the revoking entry. */
  readonly revokedAt?: number;
}

/** What ended a source task: it has no more data, and all of it is stored. */
export interface TaskCompletion {
  /** The generation that found the end. */
  readonly generation: number;
  /** When it did, by its runner's wall clock; milliseconds since the epoch. */
  readonly at: number;
  /** Records that this generation left out; absent where there are none. */
  readonly skipped?: number;
  /** Those of them that the dead letter topic has; absent where there are none. */
  readonly deadLetters?: number;
}

export interface TaskState {
  readonly id: TaskId;
  readonly type: ConnectorType;
  /** Settings that it has beside or instead of those of its connector: see {@link taskConfig}. */
  readonly overrides: Overrides;
  readonly assignment?: TaskAssignment;
  /** The owner to prefer when it is assigned again. */
  readonly lastNodeId?: string;
  /** True once positions of this task were committed: from then on a missing position is an error. */
  readonly committed: boolean;
  /** Set from its end of data until it is to run again: nobody holds it without revocation, and nobody gets it. */
  readonly completed?: TaskCompletion;
}

/** Its config is newer than its tasks, and it is not known that it cannot be split. */
export function isBeingSplit({ tasksVersion, configVersion, error, targetState }: ConnectorState): boolean {
  return tasksVersion !== configVersion && error === undefined && targetState !== TargetState.stopped;
}

/** What ended a task, with the counts that are not 0. */
export function completion({
  generation,
  at,
  skipped = 0,
  deadLetters = 0,
}: {
  readonly [Key in keyof TaskCompletion]: TaskCompletion[Key] | undefined;
} & Pick<TaskCompletion, 'generation' | 'at'>): TaskCompletion {
  return { generation, at, ...(skipped > 0 ? { skipped } : {}), ...(deadLetters > 0 ? { deadLetters } : {}) };
}

/** The same task, held by nobody; its last owner is kept. */
export function freed(task: TaskState): TaskState {
  const { id, type, overrides, committed, completed, assignment } = task;
  const lastNodeId = assignment?.nodeId ?? task.lastNodeId;
  return {
    id,
    type,
    overrides,
    committed,
    ...(lastNodeId === undefined ? {} : { lastNodeId }),
    ...(completed === undefined ? {} : { completed }),
  };
}

/** The same task, which is to run again whether it has completed or not. */
export function reopened(task: TaskState): TaskState {
  const { completed, ...rest } = task;
  return completed === undefined ? task : rest;
}

/** The same connector without the error of its last splitting: it is split again if its config is newer than its tasks. */
export function withoutError(connector: ConnectorState): ConnectorState {
  const { name, type, config, configVersion, targetState, warnings } = connector;
  const { tasksVersion, tasksConfig, taskCount } = connector;
  return {
    name,
    type,
    config,
    configVersion,
    targetState,
    ...(warnings === undefined ? {} : { warnings }),
    ...(tasksVersion === undefined ? {} : { tasksVersion }),
    ...(tasksConfig === undefined ? {} : { tasksConfig }),
    ...(taskCount === undefined ? {} : { taskCount }),
  };
}

/** What of a task's settings its connector says otherwise, or says and the task does not have. */
export function overridesOf(base: Config, config: Config): Overrides {
  const dropped = Object.keys(base).filter((key) => !Object.hasOwn(config, key));
  return { ...withoutRepeats(base, config), ...Object.fromEntries(dropped.map((key) => [key, null])) };
}

/** Overrides without those that say the same as the connector does. */
export function withoutRepeats(base: Config, overrides: Overrides): Overrides {
  return Object.fromEntries(Object.entries(overrides).filter(([key, value]) => base[key] !== value));
}

/** All settings of a task, by the config that its connector's present tasks were made from. */
export function taskConfig(
  connector: Pick<ConnectorState, 'config' | 'tasksConfig'> | undefined,
  { overrides }: Pick<TaskState, 'overrides'>,
): Config {
  const all: Overrides = { ...(connector?.tasksConfig ?? connector?.config), ...overrides };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The same connector with a new config; its tasks stay those of the old one until it is split again. */
export function reconfigured(
  before: ConnectorState | undefined,
  put: Pick<ConnectorState, 'name' | 'type' | 'config' | 'configVersion' | 'targetState' | 'warnings'>,
): ConnectorState {
  if (before?.tasksVersion === undefined) return put;
  const { tasksVersion, taskCount, tasksConfig = before.config } = before;
  return { ...put, tasksVersion, tasksConfig, ...(taskCount === undefined ? {} : { taskCount }) };
}

/** The same connector with tasks of its present config. */
export function asSplit(connector: ConnectorState, taskCount: number): ConnectorState {
  const { name, type, config, configVersion, targetState, warnings } = connector;
  const split = { name, type, config, configVersion, targetState, tasksVersion: configVersion, taskCount };
  return warnings === undefined ? split : { ...split, warnings };
}
