import {
  type Config,
  connectorClass,
  type ConnectorState,
  type ConnectorStatus,
  type ConnectorType,
  type RestartInfo,
  type TaskError,
  type TaskId,
  type TaskState,
  type TaskStatus,
} from '@sluice/core';
import { type IsSecret, secretsRemover } from '@sluice/sdk';
import { hideSecrets } from '../secrets/secret-settings.js';
import type { LostContact } from '../view/cluster-view.js';

export interface TaskIdJson {
  readonly connector: string;
  readonly task: number;
}

export interface ConnectorInfoJson {
  readonly name: string;
  readonly config: Config;
  readonly tasks: readonly TaskIdJson[];
  readonly type: ConnectorType;
}

export interface TaskInfoJson {
  readonly id: TaskIdJson;
  readonly config: Config;
}

export interface RunStatusJson {
  readonly state: string;
  readonly worker_id: string;
  readonly version?: string;
  readonly trace?: string;
  /** Why nobody can run what is UNASSIGNED; absent while it only waits for its turn. */
  readonly reason?: ReasonJson;
}

export interface ReasonJson {
  readonly code: string;
  readonly message: string;
}

/** Kafka Connect's fields first, then ours. Times are milliseconds since the epoch. */
export interface TaskStatusJson extends RunStatusJson, LostContactJson {
  readonly id: number;
  readonly generation?: number;
  /** Since when the task is in its state. */
  readonly since?: number;
  /** Since when a source task has had no more data, for good: all of it is committed. */
  readonly completed_at?: number;
  /** Also of a task that runs again: `resolved_at` says since when, once it has run for `restart.backoff.max.ms` without another error. */
  readonly last_error?: { readonly at: number; readonly message: string; readonly resolved_at?: number };
  /** A failed task starts again by itself at `at`; `max_attempts` is absent where there is no limit. */
  readonly restart?: { readonly attempt: number; readonly max_attempts?: number; readonly at: number };
  /** What the task found that does not end it and that somebody should know. */
  readonly warnings?: readonly { readonly at: number; readonly message: string }[];
  /** Records that the task skipped since it started, for `errors.tolerance` is `all`; up to a minute old, absent where there are none. */
  readonly skipped_records?: number;
  /** Those of them that the dead letter topic has; absent where there are none. */
  readonly dead_letters?: number;
  /** Calls that failed and are repeated until they succeed. */
  readonly waits?: readonly { readonly call: string; readonly error: string; readonly since: number }[];
}

/** Says since when a status is not known to be true. */
export interface LostContactJson {
  readonly contact_lost?: { readonly since: number; readonly message: string };
}

export interface ConnectorStatusJson extends LostContactJson {
  readonly name: string;
  readonly connector: RunStatusJson;
  readonly tasks: readonly TaskStatusJson[];
  readonly type: ConnectorType;
  /** Warnings about the configuration, such as settings that nothing reads; absent where there are none. */
  readonly warnings?: readonly string[];
}

export function connectorInfoJson(
  connector: Pick<ConnectorState, 'name' | 'type' | 'config'>,
  tasks: readonly Pick<TaskState, 'id'>[],
  isSecret: IsSecret,
): ConnectorInfoJson {
  return {
    name: connector.name,
    config: hideSecrets(connector.config, isSecret),
    tasks: tasks.map(({ id }) => ({ connector: id.connector, task: id.index })),
    type: connector.type,
  };
}

export function taskInfoJson(id: TaskId, config: Config, isSecret: IsSecret): TaskInfoJson {
  return {
    id: { connector: id.connector, task: id.index },
    config: { 'task.class': taskClass(config), ...hideSecrets(config, isSecret) },
  };
}

/** Derives the name of a task's class, which clients expect, from that of the connector. */
function taskClass(config: Config): string {
  return `${connectorClass(config).replace(/Connector$/, '')}Task`;
}

export function lostContactJson(lost: LostContact | undefined): LostContactJson {
  if (lost === undefined) return {};
  const outlook = 'The states are those of that time: a runner without contact pauses its tasks.';
  return { contact_lost: { since: lost.since, message: `${lost.message} ${outlook}` } };
}

export function connectorStatusJson(status: ConnectorStatus, config: Config, isSecret: IsSecret): ConnectorStatusJson {
  const hide = secretsRemover(config, isSecret);
  return {
    name: status.name,
    connector: runJson(status, config, isSecret),
    tasks: status.tasks.map((task) => taskStatusJson(task, config, isSecret)),
    type: status.type,
    ...(status.warnings.length === 0 ? {} : { warnings: status.warnings.map(hide) }),
  };
}

export function taskStatusJson(status: TaskStatus, config: Config, isSecret: IsSecret): TaskStatusJson {
  const { id, generation, since, completedAt, lastError, restart, warnings, waits, counters } = status;
  const skipped = counters?.['recordsSkipped'] ?? 0;
  const deadLetters = counters?.['deadLettersWritten'] ?? 0;
  const hide = secretsRemover(config, isSecret);
  return {
    id: id.index,
    ...runJson(status, config, isSecret),
    ...(generation === undefined ? {} : { generation }),
    ...(since === undefined ? {} : { since }),
    ...(completedAt === undefined ? {} : { completed_at: completedAt }),
    ...(lastError === undefined ? {} : { last_error: errorJson(lastError, hide) }),
    ...(restart === undefined ? {} : { restart: restartJson(restart) }),
    ...(warnings === undefined ? {} : { warnings: warnings.map(({ at, message }) => ({ at, message: hide(message) })) }),
    ...(skipped === 0 ? {} : { skipped_records: skipped }),
    ...(deadLetters === 0 ? {} : { dead_letters: deadLetters }),
    ...(waits === undefined ? {} : { waits: waits.map((wait) => ({ ...wait, error: hide(wait.error) })) }),
  };
}

function errorJson({ at, message, resolvedAt }: TaskError, hide: (text: string) => string): NonNullable<TaskStatusJson['last_error']> {
  return { at, message: hide(message), ...(resolvedAt === undefined ? {} : { resolved_at: resolvedAt }) };
}

function restartJson({ attempt, maxAttempts, at }: RestartInfo): NonNullable<TaskStatusJson['restart']> {
  return { attempt, ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts }), at };
}

function runJson(
  status: Pick<TaskStatus, 'workerId' | 'version' | 'trace' | 'reason'> & { readonly state: string },
  config: Config,
  isSecret: IsSecret,
): RunStatusJson {
  const { state, workerId, version, trace, reason } = status;
  return {
    state,
    worker_id: workerId,
    ...(version === undefined ? {} : { version }),
    ...(trace === undefined || trace === '' ? {} : { trace: secretsRemover(config, isSecret)(trace) }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Keys under which connectors name the topics they read or write, with the separators of lists. */
const TOPIC_KEYS = ['topics', 'topic', 'connect.topicnames', 'connect.topicname'];

/** Lists the topics that a connector and its tasks name, sorted. */
export function topicsNamedBy(configs: readonly Config[]): readonly string[] {
  const topics = new Set<string>();
  for (const config of configs) {
    for (const key of TOPIC_KEYS) {
      for (const topic of (config[key] ?? '').split(/[,;]/)) if (topic.trim() !== '') topics.add(topic.trim());
    }
  }
  return [...topics].sort();
}
