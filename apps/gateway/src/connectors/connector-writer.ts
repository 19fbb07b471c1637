import {
  type ConnectorCommand,
  type CommandOutcome,
  type Config,
  connectorClass,
  type ConnectorState,
  type TargetState,
  type TaskId,
  taskKey,
} from '@sluice/core';
import { ConnectError, ConnectErrorCode, isConnectError } from '@sluice/sdk';
import { RequestDeadline } from '../http/request-deadline.js';
import { invalidConfigMessage } from '../plugins/plugin-answers.js';
import { type PluginCatalog } from '../plugins/plugin-catalog.js';
import { type CommandSender } from '../ports/command-sender.port.js';
import { restoreHidden } from '../secrets/restore-hidden.js';
import { hideSecrets, redact, type SecretSettings } from '../secrets/secret-settings.js';
import { type ClusterView } from '../server/cluster-view.js';
import { type ConfigMap, merged, withoutNulls } from './config-map.js';
import { type ConnectorInfoJson, connectorInfoJson, type ConnectorStatusJson, tasksOf } from './connector-answers.js';
import { checkConnectorName } from './connector-name.js';
import { type ConnectorReader, isTaskIndex, notFound } from './connector-reader.js';

export interface PutResult {
  readonly created: boolean;
  readonly info: ConnectorInfoJson;
}

/**
 * Turns requests into commands and waits for their results. What is wrong is refused before a command is written. Methods throw
 * ConnectError: `CONNECT_REQUEST_INVALID`, `CONNECT_CONFIG_INVALID`, `CONNECT_PLUGIN_NOT_FOUND`, `CONNECT_NOT_FOUND`, `CONNECT_CONFLICT`,
 * `CONNECT_UNAVAILABLE` or `CONNECT_TIMEOUT`.
 */
export class ConnectorWriter {
  constructor(
    private readonly view: ClusterView,
    private readonly reader: ConnectorReader,
    private readonly catalog: PluginCatalog,
    private readonly commands: CommandSender,
    private readonly secrets: SecretSettings,
    private readonly options: { readonly requestTimeoutMs: number },
  ) {}

  async create(name: string, sent: ConfigMap, targetState: TargetState): Promise<ConnectorInfoJson> {
    const { info } = await this.#put('create', name, withoutNulls(sent), targetState);
    return info;
  }

  async replaceConfig(name: string, sent: ConfigMap): Promise<PutResult> {
    return this.#put('upsert', name, withoutNulls(sent));
  }

  async patchConfig(name: string, patch: ConfigMap): Promise<PutResult> {
    const { config } = this.#existing(name, `Connector ${name} not found`);
    return this.#put('upsert', name, merged(config, patch));
  }

  async setTarget(name: string, targetState: TargetState): Promise<void> {
    const missing = `Unknown connector ${name}`;
    this.#existing(name, missing);
    await this.#submit({ kind: 'connector.target', name, targetState }, this.#deadline(), missing);
  }

  async delete(name: string): Promise<void> {
    const missing = `Connector ${name} not found`;
    this.#existing(name, missing);
    await this.#submit({ kind: 'connector.delete', name }, this.#deadline(), missing);
  }

  /** Restarts the connector itself: its settings are split into tasks anew. */
  async restart(name: string): Promise<void> {
    const missing = `Unknown connector: ${name}`;
    this.#existing(name, missing);
    await this.#submit({ kind: 'connector.restart', name }, this.#deadline(), missing);
  }

  /** Restarts what was chosen and answers the status with it RESTARTING. */
  async restartChosen(
    name: string,
    choice: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<ConnectorStatusJson> {
    const missing = `Unknown connector: ${name}`;
    this.#existing(name, missing);
    const before = await this.reader.status(name);
    const isChosen = (state: string): boolean => !choice.onlyFailed || state === 'FAILED';
    const tasks = before.tasks.filter((task) => choice.includeTasks && isChosen(task.state));
    const isConnectorChosen = isChosen(before.connector.state);
    const deadline = this.#deadline();
    if (tasks.length > 0) {
      const ids = tasks.map(({ id }): TaskId => ({ connector: name, index: id }));
      await this.#submit({ kind: 'tasks.restart', name, tasks: ids }, deadline, missing);
    }
    // Last, for splitting it anew may leave it without some of the chosen tasks.
    if (isConnectorChosen) await this.#submit({ kind: 'connector.restart', name }, deadline, missing);
    return {
      ...before,
      connector: isConnectorChosen ? restarting(before.connector) : before.connector,
      tasks: before.tasks.map((task) => (tasks.includes(task) ? restarting(task) : task)),
    };
  }

  /** `index` is a part of the path: any text may stand there. */
  async restartTask(name: string, index: string): Promise<void> {
    this.#existing(name, `Unknown connector: ${name}`);
    const missing = `Unknown task: ${name}-${index}`;
    const id: TaskId = { connector: name, index: Number(index) };
    if (!isTaskIndex(index) || !this.view.now().state.tasks.has(taskKey(id))) throw notFound(missing);
    await this.#submit({ kind: 'tasks.restart', name, tasks: [id] }, this.#deadline(), missing);
  }

  async #put(mode: 'create' | 'upsert', name: string, sent: Config, targetState?: TargetState): Promise<PutResult> {
    checkConnectorName(name);
    const deadline = this.#deadline();
    const stored = this.view.now().state.connectors.get(name);
    const named = withName(name, sent);
    if (mode === 'create' && stored !== undefined) {
      throw new ConnectError(ConnectErrorCode.conflict, `Connector ${name} already exists`);
    }
    const className = connectorClass(named);
    const isSecret = await this.secrets.of(className);
    if (className === '') {
      const shown = Object.entries(hideSecrets(named, isSecret)).map(([key, value]) => `${key}=${value}`);
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `Connector config {${shown.join(', ')}} contains no connector type`,
      );
    }
    const isSameClass = stored !== undefined && connectorClass(stored.config) === className;
    const plugin = this.catalog.connector(className, isSameClass ? stored.type : undefined);
    const config = restoreHidden(named, stored?.config);
    const answer = await this.catalog.validate(plugin, config, deadline);
    if (answer.errorCount > 0) {
      throw new ConnectError(ConnectErrorCode.configInvalid, invalidConfigMessage(answer, config));
    }
    const command: ConnectorCommand = {
      kind: 'connector.put',
      mode,
      name,
      type: answer.type,
      config,
      ...(targetState === undefined ? {} : { targetState }),
    };
    const outcome = await this.#submit(command, deadline, `Connector ${name} not found`).catch((error: unknown) => {
      throw isConnectError(error)
        ? new ConnectError(error.code, redact(error.message, config, isSecret), {
            retriable: error.retriable,
            cause: error,
          })
        : error;
    });
    const { state } = this.view.now();
    const now = state.connectors.get(name);
    const info = connectorInfoJson(
      now ?? { name, type: answer.type, config },
      now ? tasksOf(state, now) : [],
      isSecret,
    );
    return { created: outcome.created ?? mode === 'create', info };
  }

  #existing(name: string, missing: string): ConnectorState {
    const connector = this.view.now().state.connectors.get(name);
    if (connector === undefined) throw notFound(missing);
    return connector;
  }

  async #submit(
    body: ConnectorCommand,
    deadline: RequestDeadline,
    missing: string,
  ): Promise<Extract<CommandOutcome, { status: 'done' }>> {
    const stage = `waiting for the coordinator to carry out ${body.kind} of ${body.name}, which may still happen`;
    const outcome = await deadline.within(this.commands.submit(body, { timeoutMs: deadline.remainingMs }), stage);
    switch (outcome.status) {
      case 'done':
        return outcome;
      case 'conflict':
        throw new ConnectError(ConnectErrorCode.conflict, outcome.message);
      case 'not-found':
        throw notFound(missing);
      case 'invalid':
        throw new ConnectError(ConnectErrorCode.requestInvalid, outcome.message);
      case 'expired':
        throw new ConnectError(ConnectErrorCode.timeout, outcome.message, { retriable: true });
      default:
        return outcome satisfies never;
    }
  }

  #deadline(): RequestDeadline {
    return new RequestDeadline(this.options.requestTimeoutMs);
  }
}

function withName(name: string, config: Config): Config {
  const given = config['name'];
  if (given !== undefined && given !== name) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `Connector name configuration (${given}) doesn't match connector name in the URL (${name})`,
    );
  }
  return { ...config, name };
}

/** As it will be: trace and further restarts are those of the run that ends. */
function restarting<T extends { readonly state: string; readonly trace?: string; readonly restart?: unknown }>(
  status: T,
): Omit<T, 'trace' | 'restart'> {
  const restarted: T & { trace?: string; restart?: unknown } = { ...status, state: 'RESTARTING' };
  delete restarted.trace;
  delete restarted.restart;
  return restarted;
}
