import {
  type ConnectorCommand,
  type Config,
  connectorClass,
  type ConnectorState,
  connectorStatus,
  currentTasks,
  type TargetState,
  type TaskId,
  taskKey,
} from '@sluice/core';
import { ConnectError, ConnectErrorCode, isConnectError, holdsMark, type IsSecret, secretsRemover } from '@sluice/sdk';
import type { CommandDesk, DoneOutcome } from '../commands/command-desk.js';
import { checkConfigVersion, type ExpectedVersion } from '../http/config-version.js';
import type { RequestDeadline } from '../http/request-deadline.js';
import { invalidConfigMessage, secretsOf } from '../plugins/plugin-answers.js';
import type { PluginCatalog } from '../plugins/plugin-catalog.js';
import type { NodeLogger } from '../ports/gateway-ports.js';
import type { OpenedConfig, SealedConfigs } from '../secrets/sealed-configs.js';
import { anySecret, hideSecrets, restoreHidden, secretsMarkedIn, type SecretSettings } from '../secrets/secret-settings.js';
import type { ClusterView } from '../view/cluster-view.js';
import { type ConfigMap, merged, withoutNulls } from '../http/config-map.js';
import { type ConnectorInfoJson, connectorInfoJson, type ConnectorStatusJson } from './connector-answers.js';
import { checkConnectorName } from './connector-name.js';
import { type ConnectorReader, isTaskIndex, notFound } from './connector-reader.js';

export interface PutResult {
  readonly created: boolean;
  readonly info: ConnectorInfoJson;
  /** Version of the configuration in `info`; absent when the connector was deleted meanwhile. */
  readonly version?: number;
}

/** Attempts to make a change from what another request has just stored, before the gateway gives it up. */
const MOST_ATTEMPTS = 10;

interface Put {
  readonly mode: 'create' | 'upsert';
  readonly name: string;
  /** Makes the new configuration from the stored one, whose secrets are hidden: what stays hidden is kept. */
  readonly make: (stored: Config | undefined) => Config;
  /** What is made depends on what is stored, so it must not replace anything else. */
  readonly isChange: boolean;
  readonly targetState?: TargetState;
  /** Secrets are encrypted with the first key, whichever key they have. */
  readonly isRotation?: boolean;
  readonly expected?: ExpectedVersion | undefined;
}

/**
 * Turns requests into commands and waits for their results. What is wrong is refused before a command is written. Methods throw
 * ConnectError: `CONNECT_REQUEST_INVALID`, `CONNECT_CONFIG_INVALID`, `CONNECT_PLUGIN_NOT_FOUND`, `CONNECT_NOT_FOUND`, `CONNECT_CONFLICT`,
 * `CONNECT_UNAVAILABLE` or `CONNECT_TIMEOUT`; and PreconditionFailedException where a version is expected and another one is there.
 */
export class ConnectorWriter {
  constructor(
    private readonly view: ClusterView,
    private readonly reader: ConnectorReader,
    private readonly catalog: PluginCatalog,
    private readonly desk: CommandDesk,
    private readonly secrets: SecretSettings,
    private readonly sealed: SealedConfigs,
    private readonly logger: NodeLogger,
  ) {}

  async create(name: string, sent: ConfigMap, targetState: TargetState): Promise<ConnectorInfoJson> {
    const config = withoutNulls(sent);
    const { info } = await this.#put({ mode: 'create', name, make: () => config, isChange: false, targetState });
    return info;
  }

  async replaceConfig(name: string, sent: ConfigMap, expected?: ExpectedVersion): Promise<PutResult> {
    const config = withoutNulls(sent);
    const isChange = Object.values(config).some(holdsMark);
    return this.#put({ mode: 'upsert', name, make: () => config, isChange, expected });
  }

  /** Changes some settings. Two patches at a time both take effect: this makes the later one again from what the earlier one has stored. */
  async patchConfig(name: string, patch: ConfigMap, expected?: ExpectedVersion): Promise<PutResult> {
    const missing = `Connector ${name} not found`;
    this.#existing(name, missing);
    const make = (stored: Config | undefined): Config => {
      if (stored === undefined) throw notFound(missing);
      return merged(stored, patch);
    };
    return this.#put({ mode: 'upsert', name, make, isChange: true, expected });
  }

  /** Encrypts the secrets of a connector with the first key. Its other settings stay, whatever another request makes of them meanwhile. */
  async rotateSecrets(name: string): Promise<void> {
    const make = (stored: Config | undefined): Config => {
      if (stored === undefined) throw notFound(`Connector ${name} not found`);
      return stored;
    };
    await this.#put({ mode: 'upsert', name, make, isChange: true, isRotation: true });
  }

  async setTarget(name: string, targetState: TargetState): Promise<void> {
    const missing = `Unknown connector ${name}`;
    this.#existing(name, missing);
    await this.#carryOut({ kind: 'connector.target', name, targetState }, missing);
  }

  async delete(name: string): Promise<void> {
    const missing = `Connector ${name} not found`;
    this.#existing(name, missing);
    await this.#carryOut({ kind: 'connector.delete', name }, missing);
  }

  /** Restarts the connector itself: its settings are split into tasks again, and another instance of it is made. */
  async restart(name: string): Promise<void> {
    const missing = `Unknown connector: ${name}`;
    this.#existing(name, missing);
    await this.#restartInstance(name, { onlyFailed: false });
    await this.#carryOut({ kind: 'connector.restart', name }, missing);
  }

  /** Restarts what was chosen and answers the status with it RESTARTING. What has failed is for the coordinator to decide. */
  async restartChosen(
    name: string,
    choice: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<ConnectorStatusJson> {
    const missing = `Unknown connector: ${name}`;
    this.#existing(name, missing);
    const before = await this.reader.status(name);
    await this.#restartInstance(name, choice);
    await this.#carryOut({ kind: 'connector.restart', name, ...choice }, missing);
    const isChosen = ({ state }: { readonly state: string }): boolean => state !== 'STOPPED' && (!choice.onlyFailed || state === 'FAILED');
    return {
      ...before,
      connector: isChosen(before.connector) ? restarting(before.connector) : before.connector,
      tasks: before.tasks.map((task) => (choice.includeTasks && isChosen(task) ? restarting(task) : task)),
    };
  }

  /** Restarts one task; `index` is a part of the path: any text may stand there. */
  async restartTask(name: string, index: string): Promise<void> {
    this.#existing(name, `Unknown connector: ${name}`);
    const missing = `Unknown task: ${name}-${index}`;
    const id: TaskId = { connector: name, index: Number(index) };
    if (!isTaskIndex(index) || !this.view.now().state.tasks.has(taskKey(id))) throw notFound(missing);
    await this.#carryOut({ kind: 'tasks.restart', name, tasks: [id] }, missing);
  }

  /** An instance has the generation of the connector's first task: both get another one together. */
  async #restartInstance(name: string, { onlyFailed }: { readonly onlyFailed: boolean }): Promise<void> {
    const { state, reports } = this.view.now();
    const instance = connectorStatus(state, reports, name)?.instance;
    if (instance === undefined || (onlyFailed && instance.state !== 'FAILED')) return;
    await this.#carryOut({ kind: 'tasks.restart', name, tasks: [{ connector: name, index: 0 }] }, `Unknown connector: ${name}`);
  }

  async #put(put: Put): Promise<PutResult> {
    const { name, mode } = put;
    checkConnectorName(name);
    const deadline = this.desk.deadline();
    for (let attempt = 1; ; attempt += 1) {
      const stored = this.view.now().state.connectors.get(name);
      checkConfigVersion(name, put.expected, stored?.configVersion);
      if (mode === 'create' && stored !== undefined) {
        throw new ConnectError(ConnectErrorCode.conflict, `Connector ${name} already exists`);
      }
      try {
        return await this.#putOver(put, stored, deadline);
      } catch (error) {
        const isConflict = isConnectError(error) && error.code === ConnectErrorCode.conflict;
        const hasChanged = this.view.now().state.connectors.get(name)?.configVersion !== stored?.configVersion;
        if (!isConflict || mode === 'create' || !hasChanged || attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Makes one attempt to store a configuration.
   *
   * @throws ConnectError with code `CONNECT_CONFLICT` when the change was made of a configuration that is not there any more.
   */
  async #putOver(put: Put, stored: ConnectorState | undefined, deadline: RequestDeadline): Promise<PutResult> {
    const { mode, name, targetState } = put;
    const before = stored && (await this.#opened(name, stored.config));
    const named = withName(name, put.make(before && hideSecrets(before.config, before.isSecret)));
    this.sealed.checkSent(named, stored?.config);
    const className = connectorClass(named);
    const isKnown = await this.secrets.of(named);
    const isSecretAtFirst = anySecret(isKnown, secretsMarkedIn(named), ...(before === undefined ? [] : [before.isSecret]));
    if (className === '') throw withoutClass(named, isSecretAtFirst);
    const isSameClass = stored !== undefined && connectorClass(stored.config) === className;
    const plugin = this.catalog.connector(className, isSameClass ? stored.type : undefined);
    const config = restoreHidden(named, before?.config, isKnown);
    const answer = await this.catalog.validate(plugin, config, deadline);
    const isSecret = anySecret(isSecretAtFirst, secretsOf(answer));
    if (answer.errorCount > 0) {
      throw new ConnectError(ConnectErrorCode.configInvalid, invalidConfigMessage(answer, config, isSecret));
    }
    const isConditional = stored !== undefined && (put.isChange || put.expected !== undefined);
    const command: ConnectorCommand = {
      kind: 'connector.put',
      mode,
      name,
      type: answer.type,
      config: this.sealed.seal(name, config, isSecret, stored?.config, put.isRotation),
      ...(targetState === undefined ? {} : { targetState }),
      ...(answer.warnings.length === 0 ? {} : { warnings: answer.warnings }),
      ...(isConditional ? { expectedVersion: stored.configVersion } : {}),
    };
    const missing = `Connector ${name} not found`;
    const hide = secretsRemover(config, isSecret);
    const outcome = await this.desk.carryOut(command, deadline, missing).catch((error: unknown) => {
      throw isConnectError(error)
        ? new ConnectError(error.code, hide(error.message), {
            retriable: error.retriable,
            cause: error,
          })
        : error;
    });
    for (const warning of answer.warnings) this.logger.warn(`Connector ${name}: ${hide(warning)}`);
    const { state } = this.view.now();
    const now = state.connectors.get(name);
    const opened = now === undefined ? { config, isSecret } : this.sealed.open(name, now.config);
    const shown = { name, type: answer.type, config: opened.config };
    const info = connectorInfoJson(shown, now ? currentTasks(state.tasks, now) : [], anySecret(isSecret, opened.isSecret));
    const version = now === undefined ? {} : { version: now.configVersion };
    return { created: outcome.created ?? mode === 'create', info, ...version };
  }

  async #opened(name: string, stored: Config): Promise<OpenedConfig> {
    const { config, isSecret } = this.sealed.open(name, stored);
    return { config, isSecret: anySecret(await this.secrets.of(stored), isSecret) };
  }

  #existing(name: string, missing: string): ConnectorState {
    const connector = this.view.now().state.connectors.get(name);
    if (connector === undefined) throw notFound(missing);
    return connector;
  }

  #carryOut(command: ConnectorCommand, missing: string): Promise<DoneOutcome> {
    return this.desk.carryOut(command, this.desk.deadline(), missing);
  }
}

function withoutClass(config: Config, isSecret: IsSecret): ConnectError {
  const shown = Object.entries(hideSecrets(config, isSecret)).map(([key, value]) => `${key}=${value}`);
  return new ConnectError(ConnectErrorCode.configInvalid, `Connector config {${shown.join(', ')}} contains no connector type`);
}

function withName(name: string, config: Config): Config {
  const given = config['name']?.trim();
  if (given !== undefined && given !== name) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `Connector name configuration (${given}) doesn't match connector name in the URL (${name})`,
    );
  }
  return { ...config, name };
}

/** Shows what restarts as it will be: trace and further restarts are those of the run that ends. */
function restarting<T extends { readonly state: string; readonly trace?: string; readonly restart?: unknown }>(
  status: T,
): Omit<T, 'trace' | 'restart'> {
  const restarted: T & { trace?: string; restart?: unknown } = { ...status, state: 'RESTARTING' };
  delete restarted.trace;
  delete restarted.restart;
  return restarted;
}
