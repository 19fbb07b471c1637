import { connectorClass, type DesiredTask, type PluginInfo } from '@sluice/core';
import type { DefinitionsAnswer, ValidateAnswer } from '@sluice/protocol';
import {
  ConfigError,
  type ConfigProviderPlugin,
  type ConfigSpec,
  type Connector,
  ConnectError,
  ConnectErrorCode,
  type ConverterPlugin,
  describeSpec,
  type FieldError,
  isRetriable,
  parseConfig,
  type PredicatePlugin,
  type ResolvedValue,
  RetriableError,
  secretsAmong,
  type SinkConnector,
  type SplitContext,
  type TaskConfig,
  type TransformPlugin,
} from '@sluice/sdk';
import { versionErrors } from '../catalog/plugin-choice.js';
import { PluginTable } from '../catalog/plugin-table.js';
import { commonSettingsSpec } from '../config/connector-settings.js';
import { TASK_COUNT_SETTING } from '../config/loop-settings.js';
import { BUILT_IN_CONVERTERS, type DefaultConverters } from '../converters/converter-choice.js';
import { BUILT_IN_PREDICATES, BUILT_IN_TRANSFORMS } from '../transforms/transform-plugins.js';
import { ConfigSecrets } from '../secrets/config-secrets.js';
import type { ResolvedConfig } from '../secrets/resolved-config.js';
import type { ResolvedTask } from '../secrets/resolved-task.js';
import { connectorSpec, defineConnector, type StageTables } from './connector-definition.js';
import { ConnectorChecks } from './connector-checks.js';
import type { SinkDivider } from './sink-divider.js';
import { translateSettings, type Translation } from './translate-settings.js';
import { failedCheck, secretsHider, validateConnector } from './validate-connector.js';

const VERSION_SETTING = 'connector.plugin.version';

export interface PluginRegistryOptions {
  /** Converters that the node prefers to those that its connectors do. */
  readonly preferred?: DefaultConverters;
  readonly checks?: Pick<ConnectorChecks, 'run'>;
  /** Resolves the references of configurations; by default no config provider is known. */
  readonly secrets?: Pick<ConfigSecrets, 'resolve' | 'resolveAll'>;
}

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

/** Plugins of all kinds, as one package brings them. */
export interface PluginSet {
  readonly connectors: readonly Connector[];
  readonly converters: readonly ConverterPlugin[];
  readonly transforms: readonly TransformPlugin[];
  readonly predicates: readonly PredicatePlugin[];
  readonly configProviders: readonly ConfigProviderPlugin[];
}

/**
 * The plugins of a runner, and the answers to questions about them. It only grows: a version that is there stays the same.
 */
export class PluginRegistry implements StageTables {
  #connectors = new PluginTable<Connector>('connectors');
  #converters = BUILT_IN_CONVERTERS;
  #transforms = BUILT_IN_TRANSFORMS;
  #predicates = BUILT_IN_PREDICATES;
  #configProviders = new PluginTable<ConfigProviderPlugin>('config providers');
  readonly #preferred: DefaultConverters;
  readonly #checks: Pick<ConnectorChecks, 'run'>;
  readonly #secrets: Pick<ConfigSecrets, 'resolve' | 'resolveAll'>;

  /** @throws as {@link add} does */
  constructor(connectors: readonly Connector[] = [], options: PluginRegistryOptions = {}) {
    const { preferred = {}, checks = new ConnectorChecks(), secrets = new ConfigSecrets() } = options;
    this.#preferred = preferred;
    this.#checks = checks;
    this.#secrets = secrets;
    this.add({ connectors });
  }

  get converters(): PluginTable<ConverterPlugin> {
    return this.#converters;
  }
  get transforms(): PluginTable<TransformPlugin> {
    return this.#transforms;
  }
  get predicates(): PluginTable<PredicatePlugin> {
    return this.#predicates;
  }
  get configProviders(): PluginTable<ConfigProviderPlugin> {
    return this.#configProviders;
  }

  /**
   * Adds plugins beside those that are there: all of them, or none.
   *
   * @throws ConnectError when one claims a name that another plugin has, or comes in a version that is there
   */
  add({ connectors = [], converters = [], transforms = [], predicates = [], configProviders = [] }: Partial<PluginSet>): void {
    const preferred = this.#preferred;
    const own =
      Object.keys(preferred).length === 0
        ? connectors
        : connectors.map((connector) => withConverters(connector, { ...connector.defaultConverters, ...preferred }));
    const tables = [
      this.#connectors.with(own),
      this.#converters.with(converters),
      this.#transforms.with(transforms),
      this.#predicates.with(predicates),
      this.#configProviders.with(configProviders),
    ] as const;
    [this.#connectors, this.#converters, this.#transforms, this.#predicates, this.#configProviders] = tables;
  }

  /**
   * Has every name stand for the same plugin from now on: tasks use it. Plugins that come later with the same last part are found by their full
   * names alone, and one that is called so is refused.
   */
  keepNames(): void {
    this.#connectors = this.#connectors.withKeptNames();
    this.#converters = this.#converters.withKeptNames();
    this.#transforms = this.#transforms.withKeptNames();
    this.#predicates = this.#predicates.withKeptNames();
    this.#configProviders = this.#configProviders.withKeptNames();
  }

  find(className: string, version?: string): Connector | undefined {
    return this.#connectors.find(className, version);
  }

  /** @throws UnknownPluginError, or ConnectError when no version of it is allowed */
  connector(className: string, version?: string): Connector {
    const connector = this.find(className, version);
    if (connector !== undefined) return connector;
    const [problem] = this.#versionErrors(className, version);
    if (problem !== undefined) throw new ConnectError(ConnectErrorCode.pluginNotFound, problem.message);
    throw new UnknownPluginError(className, this.#connectors.describe());
  }

  /** Returns the connector that a configuration names. @throws as {@link connector} does */
  connectorOf(config: TaskConfig): Connector {
    return this.connector(connectorClass(config), versionIn(config));
  }

  /** Returns the version of the connector that a configuration means now; `undefined` where there is none. */
  versionOf(config: TaskConfig): string | undefined {
    return this.find(connectorClass(config), versionIn(config))?.version;
  }

  /** Returns a task that means the same version of its connector wherever it is made: a thread may not have the same versions. */
  pinned<T extends { readonly config: TaskConfig }>(task: T): T {
    const version = this.versionOf(task.config);
    return version === undefined ? task : { ...task, config: { ...task.config, [VERSION_SETTING]: version } };
  }

  /** The plugins with every name that they are found under. */
  pluginInfos(): readonly PluginInfo[] {
    const tables = [this.#connectors, this.#converters, this.#transforms, this.#predicates, this.#configProviders];
    return tables.flatMap((table) => table.infos());
  }

  /**
   * Checks settings without changing anything. A name that nothing defines is a warning, and a connector that cannot check its settings, or
   * not in time, is an error. Secret values are hidden, and references are checked with their values but answered as they are.
   *
   * @throws UnknownPluginError
   */
  async validate(className: string, config: TaskConfig): Promise<ValidateAnswer> {
    const version = versionIn(config);
    const found = this.find(className, version);
    const connector = found ?? this.connector(className);
    const named = connectorClass(config) === '' ? { ...config, 'connector.class': className } : config;
    const { resolved, errors, notes } = translateSettings(connector, await this.#secrets.resolve(named));
    const known = found === undefined ? this.#versionErrors(className, version) : [];
    return validateConnector(connector, resolved, {
      tables: this,
      known: [...known, ...errors],
      notes,
      check: (connector, settings) => this.#checks.run(connector, settings).catch((error: unknown) => failedCheck(connector, error)),
    });
  }

  /**
   * Describes the settings of a plugin.
   *
   * @param kind what it is; of several that have the name, a connector is preferred where this is absent
   * @throws as {@link connector} does
   */
  definitions(className: string, version?: string, kind?: string): DefinitionsAnswer {
    const tables = [this.#converters, this.#transforms, this.#predicates, this.#configProviders];
    const stages = tables.map((table) => table.find(className, version));
    const stage = stages.find((each) => each !== undefined && (kind ?? each.kind) === each.kind);
    const isConnector = kind === undefined ? this.#connectors.versions(className).length > 0 : kind === 'source' || kind === 'sink';
    if (stage !== undefined && !isConnector) return { fields: describeSpec(stage.spec) };
    if (kind !== undefined && !isConnector) throw new UnknownPluginError(className, this.#connectors.describe());
    return { fields: describeSpec(connectorSpec(this.connector(className, version))) };
  }

  /**
   * Returns a function that takes the values of secret settings out of texts.
   *
   * @param resolved what config providers gave for references of these settings
   */
  secretsHider(config: TaskConfig, resolved: readonly ResolvedValue[] = []): (text: string) => string {
    const className = connectorClass(config);
    return secretsHider(this.find(className, versionIn(config)) ?? this.find(className), { config, resolved }, this);
  }

  /**
   * Resolves the references of a task's settings, and of its connector's.
   *
   * @throws ConnectError that names each setting without a value; `retriable` where it may have one later
   */
  async resolveTask(task: DesiredTask, signal: AbortSignal): Promise<ResolvedTask> {
    const { config, connectorConfig } = task;
    // One call: a value that changes between two would be another one in each.
    const [own, ofConnector] = await this.#secrets.resolveAll([config, connectorConfig ?? {}], signal);
    const translated = (resolved: ResolvedConfig): TaskConfig => this.#translatedValid(resolved);
    return {
      ...task,
      config: translated(own),
      ...(connectorConfig === undefined ? {} : { connectorConfig: translated(ofConnector) }),
      resolved: own.values,
    };
  }

  /**
   * The full settings of each task: the connector's, and over them what it gives the task, with references in place of their values. Rejects only with an error marked `retriable`: then the
   * same question may be answered later.
   *
   * @param context what the connector gets beside its settings
   * @param divider divides the queues of a sink; without one its tasks begin with those that the rule gives them
   */
  async taskConfigs(
    config: TaskConfig,
    context: SplitContext,
    divider?: SinkDivider,
  ): Promise<{ readonly tasks: readonly TaskConfig[] } | { readonly error: string }> {
    const translation = translateSettings(this.#connectorFor(config), await this.#secrets.resolve(config));
    const { resolved } = translation;
    try {
      const tasks = await this.#split(this.connectorOf(config), translation, context, divider);
      const isSecret = secretsAmong(describeSpec(defineConnector(this.connectorOf(config), resolved.config, this).spec));
      return { tasks: tasks.map((task, index) => resolved.restore(task, index, isSecret)) };
    } catch (error) {
      const text = this.secretsHider(resolved.config, resolved.values)(error instanceof Error ? error.message : String(error));
      // Once nobody waits, a call that was ended says nothing about the settings.
      if (isRetriable(error) || context.signal.aborted) throw new RetriableError(text, { cause: error });
      return { error: text };
    }
  }

  async #split(
    connector: Connector,
    { resolved, errors }: Translation,
    context: SplitContext,
    divider?: SinkDivider,
  ): Promise<readonly TaskConfig[]> {
    const { config, errors: unresolved } = resolved;
    // What has no value for the moment says nothing about the settings.
    if (unresolved.every(({ isLasting }) => !isLasting)) resolved.valid();
    const { errorCount, fields } = await validateConnector(connector, resolved, {
      tables: this,
      known: errors,
      check: (each, settings) => this.#finalErrors(each, settings),
    });
    const tasksMax = parseConfig({ 'tasks.max': commonSettingsSpec['tasks.max'] }, config, { unknownKeys: 'ignore' });
    if (errorCount > 0 || !tasksMax.ok) {
      const lines = fields.flatMap(({ state }) => state.errors);
      throw new ConnectError(
        ConnectErrorCode.configInvalid,
        `Connector configuration is invalid and contains the following ${errorCount} error(s):\n${lines.join('\n')}`,
      );
    }
    const most = tasksMax.value['tasks.max'];
    const tasks = await connector.taskConfigs(config, most, context);
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
    const count = connector.kind === 'sink' ? { [TASK_COUNT_SETTING]: String(tasks.length) } : {};
    const moved = connector.kind === 'sink' ? await divider?.settingsOf(config, tasks.length) : undefined;
    const spec = connectorSpec(connector);
    return tasks.map((task, index) => ({ ...taskSettings(spec, config, task), ...count, ...moved?.[index] }));
  }

  #connectorFor(config: TaskConfig): Connector | undefined {
    return this.find(connectorClass(config), versionIn(config));
  }

  /** @throws ConfigError for settings that the connector cannot translate, and as {@link ResolvedConfig.valid} does */
  #translatedValid(resolved: ResolvedConfig): TaskConfig {
    resolved.valid();
    const translation = translateSettings(this.#connectorFor(resolved.config), resolved);
    if (translation.errors.length > 0) throw new ConfigError('The configuration of the connector', translation.errors);
    return translation.resolved.config;
  }

  /** Says what is wrong with settings for good. @throws an error marked `retriable` when they cannot be checked now */
  #finalErrors(connector: Connector, config: TaskConfig): Promise<readonly FieldError[]> {
    return this.#checks.run(connector, config).catch((error: unknown) => {
      if (isRetriable(error)) throw error;
      return failedCheck(connector, error);
    });
  }

  #versionErrors(className: string, version: string | undefined): readonly FieldError[] {
    return this.#connectors.versions(className).length === 0
      ? []
      : versionErrors(this.#connectors, className, VERSION_SETTING, version ?? '');
  }
}

/** Calls each method on the connector itself: one that is an object of a class has them, and its private fields, nowhere else. */
function withConverters(connector: Connector, defaultConverters: Connector['defaultConverters'] & object): Connector {
  const { name, aliases, version, doc, spec, records, translateSettings: translate, validate, createInstance } = connector;
  const common = {
    name,
    aliases,
    version,
    doc,
    spec,
    defaultConverters,
    taskConfigs: connector.taskConfigs.bind(connector),
    ...(records === undefined ? {} : { records }),
    ...(translate === undefined ? {} : { translateSettings: translate.bind(connector) }),
    ...(validate === undefined ? {} : { validate: validate.bind(connector) }),
    ...(createInstance === undefined ? {} : { createInstance: createInstance.bind(connector) }),
  } satisfies Record<
    Exclude<
      keyof SinkConnector,
      'kind' | 'createTask' | 'records' | 'translateSettings' | 'validate' | 'createInstance' | 'hasRepeatablePut'
    >,
    unknown
  >;
  if (connector.kind === 'sink') {
    const { hasRepeatablePut = false } = connector;
    return { ...common, kind: 'sink', hasRepeatablePut, createTask: connector.createTask.bind(connector) };
  }
  const { exactlyOnceSupport } = connector;
  return {
    ...common,
    kind: 'source',
    createTask: connector.createTask.bind(connector),
    ...(exactlyOnceSupport === undefined ? {} : { exactlyOnceSupport: exactlyOnceSupport.bind(connector) }),
  };
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

function versionIn(config: TaskConfig): string | undefined {
  const given = config[VERSION_SETTING]?.trim();
  return given === '' ? undefined : given;
}
