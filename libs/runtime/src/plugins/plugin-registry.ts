import { connectorClass, type PluginInfo } from '@sluice/core';
import type { DefinitionsAnswer, ValidateAnswer } from '@sluice/protocol';
import {
  type ConfigSpec,
  type Connector,
  ConnectError,
  ConnectErrorCode,
  describeSpec,
  type FieldError,
  isRetriable,
  parseConfig,
  RetriableError,
  type TaskConfig,
} from '@sluice/sdk';
import { commonSettingsSpec } from '../config/connector-settings.js';
import { converterByName, converterInfos } from '../converters/converter-plugins.js';
import { transformByName, transformInfos } from '../transforms/transform-plugins.js';
import { TASK_COUNT_SETTING } from '../config/loop-settings.js';
import { connectorSpec } from './connector-definition.js';
import { ConnectorChecks } from './connector-checks.js';
import type { SinkDivider } from './sink-divider.js';
import { failedCheck, validateConnector, withoutSecrets } from './validate-connector.js';

/** Reports that no connector has a name; the message lists those that are there, in Kafka Connect's words. */
export class UnknownPluginError extends ConnectError {
  constructor(
    readonly className: string,
    readonly available: readonly string[],
  ) {
    super(
      ConnectErrorCode.pluginNotFound,
      `Failed to find any class that implements Connector and which name matches ${className}, ` +
        `available connectors are: ${available.join(', ')}`,
    );
  }
}

/**
 * The connectors of a runner, and the answers to questions about them. A connector is found under its name, its aliases and the last
 * part of each, where no other connector has the same.
 */
export class PluginRegistry {
  readonly #byName = new Map<string, Connector>();

  /** Throws a `ConnectError` when two connectors claim the same name or alias. */
  constructor(
    private readonly connectors: readonly Connector[],
    private readonly checks: Pick<ConnectorChecks, 'run'> = new ConnectorChecks(),
  ) {
    for (const connector of connectors) {
      for (const name of new Set([connector.name, ...connector.aliases])) {
        const other = this.#byName.get(name);
        if (other !== undefined) throw claimedTwice(name, other, connector);
        this.#byName.set(name, connector);
      }
    }
    for (const [name, connector] of simpleNames(connectors)) {
      if (!this.#byName.has(name)) this.#byName.set(name, connector);
    }
  }

  find(className: string): Connector | undefined {
    return this.#byName.get(className);
  }

  /** @throws UnknownPluginError */
  connector(className: string): Connector {
    const connector = this.find(className);
    if (connector !== undefined) return connector;
    throw new UnknownPluginError(
      className,
      this.connectors.map(({ name, kind, version }) => `${name} (${kind} ${version})`),
    );
  }

  /** The connectors with every name that they are found under, and what works on their records. */
  pluginInfos(): readonly PluginInfo[] {
    const names = [...this.#byName];
    const connectors = this.connectors.map((connector) => ({
      kind: connector.kind,
      name: connector.name,
      aliases: names.filter(([name, each]) => each === connector && name !== connector.name).map(([name]) => name),
      version: connector.version,
    }));
    return [...connectors, ...converterInfos(), ...transformInfos()];
  }

  /**
   * Checks settings without changing anything. A name that nothing defines is a warning, and a connector that cannot check its settings, or
   * not in time, is an error. Secret values are hidden.
   *
   * @throws UnknownPluginError
   */
  async validate(className: string, config: TaskConfig): Promise<ValidateAnswer> {
    const named = connectorClass(config) === '' ? { ...config, 'connector.class': className } : config;
    return validateConnector(this.connector(className), named, (connector, settings) =>
      this.checks.run(connector, settings).catch((error: unknown) => failedCheck(connector, error)),
    );
  }

  /** The settings of a plugin. @throws UnknownPluginError */
  definitions(className: string): DefinitionsAnswer {
    const other = this.find(className) === undefined ? (converterByName(className) ?? transformByName(className)) : undefined;
    return { fields: describeSpec(other?.spec ?? connectorSpec(this.connector(className))) };
  }

  /**
   * The full settings of each task: the connector's, and over them what it gives the task. Rejects only with an error marked `retriable`: then the
   * same question may be answered later.
   *
   * @param divider divides the queues of a sink; without one its tasks begin with those that the rule gives them
   */
  async taskConfigs(
    config: TaskConfig,
    divider?: SinkDivider,
  ): Promise<{ readonly tasks: readonly TaskConfig[] } | { readonly error: string }> {
    const connector = this.find(connectorClass(config));
    try {
      return { tasks: await this.#split(this.connector(connectorClass(config)), config, divider) };
    } catch (error) {
      const text = withoutSecrets(error instanceof Error ? error.message : String(error), connector, config);
      if (isRetriable(error)) throw new RetriableError(text, { cause: error });
      return { error: text };
    }
  }

  async #split(connector: Connector, config: TaskConfig, divider?: SinkDivider): Promise<readonly TaskConfig[]> {
    const { errorCount, fields } = await validateConnector(connector, config, (each, settings) => this.#finalErrors(each, settings));
    const tasksMax = parseConfig({ 'tasks.max': commonSettingsSpec['tasks.max'] }, config, { unknownKeys: 'ignore' });
    if (errorCount > 0 || !tasksMax.ok) {
      const lines = fields.flatMap(({ state }) => state.errors);
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `Connector configuration is invalid and contains the following ${errorCount} error(s):\n${lines.join('\n')}`,
      );
    }
    const most = tasksMax.value['tasks.max'];
    const tasks = await connector.taskConfigs(config, most);
    const name = config['name'] ?? '';
    if (tasks.length > most) {
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `The connector ${name} has generated ${tasks.length} tasks, which is greater than ${most}, the maximum number of ` +
          'tasks it is configured to create. This behaviour should be considered a bug and is disallowed.',
      );
    }
    if (tasks.length === 0) {
      throw new ConnectError(ConnectErrorCode.configInvalid, `The connector ${name} has generated no task.`);
    }
    // Sink tasks divide queues among them, so each has to know how many there are; a source divides its work itself.
    const share = connector.kind === 'sink' ? { [TASK_COUNT_SETTING]: String(tasks.length) } : {};
    const shares = connector.kind === 'sink' ? await divider?.settingsOf(config, tasks.length) : undefined;
    const spec = connectorSpec(connector);
    return tasks.map((task, index) => ({ ...taskSettings(spec, config, task), ...share, ...shares?.[index] }));
  }

  /** Says what is wrong with settings for good. @throws an error marked `retriable` when they cannot be checked now */
  #finalErrors(connector: Connector, config: TaskConfig): Promise<readonly FieldError[]> {
    return this.checks.run(connector, config).catch((error: unknown) => {
      if (isRetriable(error)) throw error;
      return failedCheck(connector, error);
    });
  }
}

/** What the task was given counts, also where the connector's settings have the same under another name. */
function taskSettings(spec: ConfigSpec, config: TaskConfig, task: TaskConfig): TaskConfig {
  const replaced = new Set<string>();
  for (const [name, { aliases }] of Object.entries(spec)) {
    const names = [name, ...(aliases ?? [])];
    if (names.some((each) => Object.hasOwn(task, each))) for (const each of names) replaced.add(each);
  }
  return { ...Object.fromEntries(Object.entries(config).filter(([name]) => !replaced.has(name))), ...task };
}

/** Returns the last parts of names and aliases, without those that more than one connector has. */
function simpleNames(connectors: readonly Connector[]): ReadonlyMap<string, Connector> {
  const found = new Map<string, Connector>();
  const ambiguous = new Set<string>();
  for (const connector of connectors) {
    for (const name of [connector.name, ...connector.aliases]) {
      const simple = name.slice(name.lastIndexOf('.') + 1);
      const other = found.get(simple);
      if (other !== undefined && other !== connector) ambiguous.add(simple);
      found.set(simple, connector);
    }
  }
  for (const name of ambiguous) found.delete(name);
  return found;
}

function claimedTwice(name: string, first: Connector, second: Connector): ConnectError {
  return new ConnectError(
    ConnectErrorCode.conflict,
    `Two connectors are called ${name}: ${first.name} (${first.kind} ${first.version}) and ` +
      `${second.name} (${second.kind} ${second.version}); each name and alias may be used once.`,
  );
}
