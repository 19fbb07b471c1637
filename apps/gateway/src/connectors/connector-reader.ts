import { type ClusterState, type Config, type ConnectorState, connectorStatus, currentTasks, taskConfig, taskStatus } from '@sluice/core';
import { ConnectError, ConnectErrorCode, hideEmbedded, type IsSecret, secretsRemover } from '@sluice/sdk';
import type { SealedConfigs } from '../secrets/sealed-configs.js';
import { anySecret, hideSecrets, type SecretSettings } from '../secrets/secret-settings.js';
import type { GatewaySettings } from '../settings/gateway-settings.js';
import type { ClusterView } from '../view/cluster-view.js';
import {
  connectorInfoJson,
  type ConnectorInfoJson,
  connectorStatusJson,
  lostContactJson,
  type ConnectorStatusJson,
  type RunStatusJson,
  taskInfoJson,
  type TaskInfoJson,
  taskStatusJson,
  type TaskStatusJson,
  topicsNamedBy,
} from './connector-answers.js';

export type ExpandedConnectors = Readonly<Record<string, { status?: ConnectorStatusJson; info?: ConnectorInfoJson }>>;

/** Answers from the view of the cluster; changes nothing. Methods throw ControlPlaneUnavailableError while there is no view. */
export class ConnectorReader {
  constructor(
    private readonly view: ClusterView,
    private readonly secrets: SecretSettings,
    private readonly sealed: SealedConfigs,
    private readonly settings: Pick<GatewaySettings, 'completedAs'>,
  ) {}

  names(): readonly string[] {
    return [...this.view.now().state.connectors.keys()].sort();
  }

  async expanded(expansions: ReadonlySet<string>): Promise<ExpandedConnectors> {
    // The configurations that are answered are those whose secrets are asked for.
    const { state, reports } = this.view.now();
    const names = [...state.connectors.keys()].sort();
    const secretsOf = await this.secrets.ofAll([...state.connectors.values()].map(({ config }) => config));
    const lost = lostContactJson(this.view.lostContact());
    const entries = names.flatMap((name) => {
      const connector = state.connectors.get(name);
      const isKnown = connector && secretsOf.get(connector.config);
      if (connector === undefined || isKnown === undefined) return [];
      const { config, ...opened } = this.sealed.open(name, connector.config);
      const isSecret = anySecret(isKnown, opened.isSecret);
      const status = expansions.has('status') ? connectorStatus(state, reports, name) : undefined;
      const tasks = currentTasks(state.tasks, connector);
      const info = expansions.has('info') ? connectorInfoJson({ ...connector, config }, tasks, isSecret) : undefined;
      const expansion = {
        ...(status === undefined ? {} : { status: { ...this.#statusJson(status, config, isSecret), ...lost } }),
        ...(info === undefined ? {} : { info }),
      };
      return [[name, expansion] as const];
    });
    return Object.fromEntries(entries);
  }

  async info(name: string): Promise<ConnectorInfoJson> {
    const { connector, config, state, isSecret } = await this.#open(name);
    return connectorInfoJson({ ...connector, config }, currentTasks(state.tasks, connector), isSecret);
  }

  /** Answers the configuration with its version, secrets hidden. */
  async config(name: string): Promise<{ readonly config: Config; readonly version: number }> {
    const { connector, config, isSecret } = await this.#open(name);
    return { config: hideSecrets(config, isSecret), version: connector.configVersion };
  }

  async tasks(name: string): Promise<readonly TaskInfoJson[]> {
    const { connector, config: ofConnector, state, isSecret } = await this.#open(name);
    const hide = secretsRemover(ofConnector, isSecret);
    return currentTasks(state.tasks, connector).map((task) => {
      const stored = taskConfig(connector, task);
      const { config, ...opened } = this.sealed.open(name, stored);
      // A task may get a URL whose login is hidden, with another secret of its connector behind it.
      const holdsMore: IsSecret = (setting) => {
        const shown = hideEmbedded(config[setting] ?? '');
        return config[setting] !== stored[setting] && hide(shown) !== shown;
      };
      return taskInfoJson(task.id, config, anySecret(isSecret, opened.isSecret, holdsMore));
    });
  }

  topics(name: string): Readonly<Record<string, { readonly topics: readonly string[] }>> {
    const { state } = this.view.now();
    const connector = state.connectors.get(name);
    if (connector === undefined) throw notFound(`Connector ${name} not found`);
    const configs = [connector.config, ...currentTasks(state.tasks, connector).map((task) => taskConfig(connector, task))];
    return Object.fromEntries([[name, { topics: topicsNamedBy(configs) }]]);
  }

  async status(name: string): Promise<ConnectorStatusJson> {
    const missing = `No status found for connector ${name}`;
    const { config, isSecret } = await this.#open(name, missing);
    const { state, reports } = this.view.now();
    const status = connectorStatus(state, reports, name);
    if (status === undefined) throw notFound(missing);
    const lost = lostContactJson(this.view.lostContact());
    return { ...this.#statusJson(status, config, isSecret), ...lost };
  }

  /** Answers the status of one task; `index` is a part of the path: any text may stand there. */
  async taskStatus(name: string, index: string): Promise<TaskStatusJson> {
    const missing = `No status found for task ${name}-${index}`;
    const { config, isSecret } = await this.#open(name, missing);
    const { state, reports } = this.view.now();
    const status = isTaskIndex(index) ? taskStatus(state, reports, { connector: name, index: Number(index) }) : undefined;
    if (status === undefined) throw notFound(missing);
    const lost = lostContactJson(this.view.lostContact());
    return { ...this.#shown(taskStatusJson(status, config, isSecret)), ...lost };
  }

  #statusJson(...status: Parameters<typeof connectorStatusJson>): ConnectorStatusJson {
    const { connector, tasks, ...rest } = connectorStatusJson(...status);
    return { ...rest, connector: this.#shown(connector), tasks: tasks.map((task) => this.#shown(task)) };
  }

  /** Some tools refuse a state that Kafka Connect does not have: `gateway.completed.as` names one for them. */
  #shown<Status extends RunStatusJson>(status: Status): Status {
    return status.state === 'COMPLETED' ? { ...status, state: this.settings.completedAs } : status;
  }

  async #open(
    name: string,
    missing = `Connector ${name} not found`,
  ): Promise<{ connector: ConnectorState; config: Config; state: ClusterState; isSecret: IsSecret }> {
    const { state } = this.view.now();
    const connector = state.connectors.get(name);
    if (connector === undefined) throw notFound(missing);
    const isKnown = await this.secrets.of(connector.config);
    const { config, isSecret } = this.sealed.open(name, connector.config);
    return { connector, config, state, isSecret: anySecret(isKnown, isSecret) };
  }
}

export function isTaskIndex(text: string): boolean {
  return /^\d{1,9}$/.test(text) && String(Number(text)) === text;
}

export function notFound(message: string): ConnectError {
  return new ConnectError(ConnectErrorCode.notFound, message);
}
