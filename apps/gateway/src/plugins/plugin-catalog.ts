import type { ValidateAnswer } from '@sluice/protocol';
import { type Config, type ConnectorType, isConnectorInfo, memberKey, type PluginInfo, runnerRole } from '@sluice/core';
import { ConnectError, ConnectErrorCode, type FieldDescription, isConnectError } from '@sluice/sdk';
import type { RequestDeadline } from '../http/request-deadline.js';
import { ControlPlaneUnavailableError, type PluginQuestions, findPlugin } from '../ports/gateway-ports.js';
import type { SealedConfigs } from '../secrets/sealed-configs.js';
import type { ClusterView } from '../view/cluster-view.js';
import { withoutPlacement, withPlacement } from './placement-settings.js';

/** Finds the plugins that live runners have, and asks about them. */
export class PluginCatalog {
  constructor(
    private readonly questions: PluginQuestions,
    private readonly view: ClusterView,
    private readonly sealed: Pick<SealedConfigs, 'sealQuestion'>,
  ) {}

  /** Lists each plugin once per version, connectors first, then by name. */
  list(): readonly PluginInfo[] {
    this.view.now();
    const distinct = new Map(
      this.questions.list().map((plugin) => [JSON.stringify([plugin.kind, plugin.name, plugin.version, plugin.error]), plugin]),
    );
    return [...distinct.values()].sort(
      (left, right) =>
        Number(isConnectorInfo(right)) - Number(isConnectorInfo(left)) ||
        compare(left.name, right.name) ||
        compare(left.version, right.version),
    );
  }

  /**
   * Finds the connector of that name or alias.
   *
   * @param type - what the connector is already known to be
   * @throws ConnectError with code `CONNECT_PLUGIN_NOT_FOUND` when the runners that are there do not have it.
   * @throws ControlPlaneUnavailableError when no runner is there that could.
   */
  connector(className: string, type?: ConnectorType): PluginInfo {
    const connectors = this.list().filter(isConnectorInfo);
    const found = findPlugin(connectors, className);
    if (found !== undefined) return found;
    const missing = this.#missingRunners(type);
    const available = connectors.map((plugin) => `${plugin.name} (${plugin.kind} ${plugin.version})`).join(', ');
    const hint = missing.length === 0 ? '' : `; no ${missing.join(' and no ')} is live`;
    throw new ConnectError(
      ConnectErrorCode.pluginNotFound,
      `Failed to find any class that implements Connector and which name matches ${className}, available connectors are: ${available}${hint}`,
    );
  }

  /** Checks a configuration with the plugin's own code. @throws like `connector`; with code `CONNECT_TIMEOUT` when the runner is late. */
  async validate(plugin: PluginInfo, config: Config, deadline: RequestDeadline): Promise<ValidateAnswer> {
    const stage = `waiting for a runner to validate the configuration with ${plugin.name}`;
    const question = this.questions.validate(plugin.name, this.sealed.sealQuestion(withoutPlacement(config)));
    const answer = await this.#answered(deadline.within(question, stage));
    return withPlacement(answer, config);
  }

  /**
   * Describes the settings of a plugin.
   *
   * @throws ConnectError with code `CONNECT_NOT_FOUND` when the runners that are there do not have it.
   * @throws ControlPlaneUnavailableError when no runner is there.
   */
  async definitions(className: string, version: string | undefined, deadline: RequestDeadline): Promise<readonly FieldDescription[]> {
    const plugin = findPlugin(
      this.list().filter(({ error }) => error === undefined),
      className,
    );
    if (plugin === undefined) {
      this.#missingRunners();
      throw new ConnectError(ConnectErrorCode.notFound, `Unknown plugin ${className}.`);
    }
    const stage = `waiting for a runner to describe ${plugin.name}`;
    return this.#answered(deadline.within(this.questions.definitions(plugin.name, version, plugin.kind), stage));
  }

  /** Blames no runner for its silence while the log is unavailable, for the question went there too. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      const lost = this.view.lostContact();
      const isSilence = error instanceof ControlPlaneUnavailableError || (isConnectError(error) && error.code === ConnectErrorCode.timeout);
      if (lost === undefined || !isSilence) throw error;
      throw new ControlPlaneUnavailableError(`${lost.message} Nothing was changed.`, { cause: error });
    }
  }

  /** Lists the kinds of runners that are not there. @throws ControlPlaneUnavailableError when none of those asked for is. */
  #missingRunners(type?: ConnectorType): readonly string[] {
    const { state, reports } = this.view.now();
    const wanted = (type === undefined ? (['source', 'sink'] as const) : [type]).map(runnerRole);
    const live = new Set<string>();
    for (const member of state.members.values()) {
      if (reports.get(memberKey(member))?.leaving === false) live.add(member.role);
    }
    const missing = wanted.filter((role) => !live.has(role));
    if (missing.length === wanted.length) {
      throw new ControlPlaneUnavailableError(
        `No ${wanted.join(' and no ')} is live, so no connector class can be looked up or validated; nothing was changed.`,
      );
    }
    return missing;
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
