import type { ConfigCipher } from '@sluice/node';
import type { ValidateAnswer } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, type FieldDescription } from '@sluice/sdk';
import type { ClusterState, ReportsView, CommandBody, CommandOutcome, Config, PluginInfo } from '@sluice/core';

/** Everything that the gateway needs from outside, beside its view of the cluster. */
export interface GatewayPorts {
  readonly commands: CommandPort;
  readonly plugins: PluginQuestions;
  readonly logger: NodeLogger;
  readonly loggers: ClusterLoggers;
  /** Encrypts secrets that are stored, where the node has keys. */
  readonly cipher: Pick<ConfigCipher, 'canSeal' | 'currentKey' | 'has' | 'seal' | 'open'>;
}

/** Thrown when the control plane is unavailable; the same request may succeed later. `reason` is one sentence. */
export class ControlPlaneUnavailableError extends ConnectError {
  constructor(reason: string, options: { readonly cause?: unknown } = {}) {
    super(ConnectErrorCode.unavailable, reason, { retriable: true, cause: options.cause });
  }
}

/** Shows what this gateway has read of the log and of the nodes' reports. */
export interface ClusterReadModel {
  /** Returns the same immutable value until the next entry is folded. */
  state(): ClusterState;
  reports(): ReportsView;
  /** Shows whether everything that the log held at the start of the process is folded. */
  isCaughtUp(): boolean;
  /** Returns the milliseconds since the head of the log was last known to be reached. */
  ageMs(): number;
  /** Returns the milliseconds since something of a leader was read, or since this began to listen. */
  leaderSilentMs(): number;
}

/** Sends commands to the leading coordinator. */
export interface CommandPort {
  /**
   * Writes a command and resolves with its result once the log shows it, and this gateway's read model with it.
   *
   * @throws ControlPlaneUnavailableError when nothing was written: the gateway answers 503.
   * @throws ConnectError with code `CONNECT_TIMEOUT` when the command was written and no result was read within `timeoutMs`; it may
   *   still take effect. The gateway answers 500 `Request timed out. …`, as Kafka Connect does.
   */
  submit(body: CommandBody, options: { readonly timeoutMs: number; readonly requestId: string }): Promise<CommandOutcome>;
}

export const LOG_LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerLevel {
  readonly level: LogLevel;
  /** When it was set, in milliseconds since the epoch; undefined where it was not set since the start. */
  readonly modifiedAt: number | undefined;
}

/** What other nodes made of a level. */
export interface LoggersAnswer {
  /** The loggers that have the level now, each once. */
  readonly changed: readonly string[];
  /** Nodes that did not answer, with the reason. */
  readonly unanswered: readonly string[];
}

/** Shows and sets how much the loggers of the cluster log. */
export interface ClusterLoggers {
  /** Returns the loggers of this process, by name. */
  all(): ReadonlyMap<string, LoggerLevel>;
  /** Sets a level in this process. @returns the names of the loggers that have it now, none where there is no such logger */
  set(name: string, level: LogLevel): readonly string[];
  /** Sets a level in all other live nodes. */
  setOnOthers(name: string, level: LogLevel): Promise<LoggersAnswer>;
}

/** Logs what operators should know. */
export interface NodeLogger {
  info(text: string): void;
  warn(text: string): void;
}

/** Asks about plugins. Only runners hold plugin code: the gateway asks one whose report lists the plugin. */
export interface PluginQuestions {
  /** Lists what the reports of live runners name; the same plugin may come once per runner. */
  list(): readonly PluginInfo[];
  /**
   * Checks a configuration with the code of the connector.
   *
   * @throws ControlPlaneUnavailableError when no runner with this plugin is live, or none of those asked answered.
   */
  validate(className: string, config: Config): Promise<ValidateAnswer>;
  /**
   * Describes the settings of a plugin, in the order of its specification.
   *
   * @param version the versions that are meant, as `connector.plugin.version` has them; by default the newest one
   * @param kind what the plugin is: several may have one name
   * @throws like `validate`.
   */
  definitions(className: string, version?: string, kind?: PluginInfo['kind']): Promise<readonly FieldDescription[]>;
}

/** Finds a plugin by its name or one of its aliases; names win. */
export function findPlugin(plugins: readonly PluginInfo[], className: string): PluginInfo | undefined {
  return plugins.find((plugin) => plugin.name === className) ?? plugins.find((plugin) => plugin.aliases.includes(className));
}
