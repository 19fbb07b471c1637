import { allowsVersion, type Config, connectorClass, parseVersionRange, type PluginInfo } from '@sluice/core';
import { isSealed } from '@sluice/protocol';
import {
  ConnectError,
  ConnectErrorCode,
  HIDDEN_VALUE,
  hideEmbedded,
  holdsMark,
  isReference,
  type IsSecret,
  isSecretName,
  secretsAmong,
} from '@sluice/sdk';
import { withinTime } from '@sluice/time';
import type { PluginQuestions } from '../ports/gateway-ports.js';

/** What one version of a plugin says, or several together. */
interface Known {
  readonly isSecret: IsSecret;
  /** Converters that are taken where a configuration names none, each with its setting. */
  readonly defaults: readonly (readonly [setting: string, className: string])[];
}

/** A plugin whose settings stand behind a prefix in the configuration of a connector. */
interface Stage {
  readonly className: string;
  readonly prefix: string;
}

const MAX_KNOWN_PLUGINS = 1000;
const RETRY_AFTER_MS = 5000;
const CONVERTERS = ['key.converter', 'value.converter', 'header.converter'];
/** Names the class of a transform or predicate. */
const STEP = /^((?:transforms|predicates)\..+\.)(?:type|class)$/;
const BY_NAMES: Known = { isSecret: isSecretName, defaults: [] };

/**
 * Remembers which settings of each plugin are secret, as the plugin itself defines it. Answers never wait long for a runner: while
 * none can be asked, names decide.
 */
export class SecretSettings {
  /** By kind, name and version of a plugin. */
  readonly #known = new Map<string, Known>();
  /** By class and version as configurations have them: the plugins that were found last. */
  readonly #found = new Map<string, readonly PluginInfo[]>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #retryAt = new Map<string, number>();

  constructor(
    private readonly plugins: PluginQuestions,
    private readonly options: { readonly waitMs: number },
  ) {}

  /**
   * Shows the secret settings of a configuration: of its connector, and of its converters, transforms and predicates.
   *
   * @param listed what the runners list
   */
  async of(config: Config, listed = this.plugins.list()): Promise<IsSecret> {
    const own = await this.#ofPlugin(connectorClass(config), config['connector.plugin.version'], listed);
    const stages = await Promise.all(
      stagesOf(config, own.defaults).map(async ({ className, prefix }) => ({
        prefix,
        isSecret: (await this.#ofPlugin(className, config[`${prefix}plugin.version`], listed)).isSecret,
      })),
    );
    return (name) =>
      own.isSecret(name) || stages.some(({ prefix, isSecret }) => name.startsWith(prefix) && isSecret(name.slice(prefix.length)));
  }

  /** The same for many configurations. */
  async ofAll(configs: readonly Config[]): Promise<ReadonlyMap<Config, IsSecret>> {
    const listed = this.plugins.list();
    return new Map(await Promise.all(configs.map(async (config) => [config, await this.of(config, listed)] as const)));
  }

  /** Hides what any plugin of the name calls secret, in any version that may run: runners need not have the same ones. */
  async #ofPlugin(className: string, version: string | undefined, listed: readonly PluginInfo[]): Promise<Known> {
    const named = JSON.stringify([className, version]);
    const found = pluginsOf(listed, className, version);
    await Promise.all(found.map((plugin) => this.#learn(plugin)));
    const isAllKnown = found.length > 0 && found.every((plugin) => this.#known.has(keyOf(plugin)));
    // What was known before still says the most until the runners have described what is there now.
    const plugins = isAllKnown ? found : distinct([...(this.#found.get(named) ?? []), ...found]);
    if (this.#found.size >= MAX_KNOWN_PLUGINS) this.#found.clear();
    this.#found.set(named, plugins);
    return together(plugins.map((plugin) => this.#known.get(keyOf(plugin)) ?? BY_NAMES));
  }

  async #learn(plugin: PluginInfo): Promise<void> {
    const key = keyOf(plugin);
    if (this.#known.has(key) || performance.now() < (this.#retryAt.get(key) ?? 0)) return;
    const late = (): Error => new Error(`No runner has described ${plugin.name} yet`);
    await withinTime(this.#ask(key, plugin), this.options.waitMs, late).catch(() => undefined);
  }

  #ask(key: string, { name, version, kind }: PluginInfo): Promise<void> {
    const pending = this.#asked.get(key);
    if (pending !== undefined) return pending;
    const asking = this.plugins
      .definitions(name, version, kind)
      .then((definitions) => {
        if (this.#known.size >= MAX_KNOWN_PLUGINS) this.#known.clear();
        const defaults = definitions.flatMap(({ name: setting, defaultValue }) =>
          CONVERTERS.includes(setting) && defaultValue !== null ? [[setting, defaultValue] as const] : [],
        );
        this.#known.set(key, { isSecret: secretsAmong(definitions), defaults });
        this.#retryAt.delete(key);
      })
      .catch(() => {
        if (this.#retryAt.size >= MAX_KNOWN_PLUGINS) this.#retryAt.clear();
        this.#retryAt.set(key, performance.now() + RETRY_AFTER_MS);
      })
      .finally(() => this.#asked.delete(key));
    this.#asked.set(key, asking);
    return asking;
  }
}

function keyOf({ kind, name, version }: PluginInfo): string {
  return JSON.stringify([kind, name, version]);
}

function distinct(plugins: readonly PluginInfo[]): readonly PluginInfo[] {
  return [...new Map(plugins.map((plugin) => [keyOf(plugin), plugin])).values()];
}

/** Finds the plugins of a name or alias, each once: in the versions that are meant, and in all where none of those is there. */
function pluginsOf(listed: readonly PluginInfo[], className: string, version: string | undefined): readonly PluginInfo[] {
  const named = listed.filter(({ name, aliases, error }) => error === undefined && (name === className || aliases.includes(className)));
  const all = distinct(named);
  const range = version === undefined ? undefined : parseVersionRange(version);
  const meant = range === undefined ? [] : all.filter((plugin) => allowsVersion(range, plugin.version));
  return meant.length > 0 ? meant : all;
}

function together(known: readonly Known[]): Known {
  if (known.length === 0) return BY_NAMES;
  return { isSecret: (name) => known.some(({ isSecret }) => isSecret(name)), defaults: known.flatMap(({ defaults }) => defaults) };
}

/** Finds the plugins that a configuration names beside its connector, and gives settings to. */
function stagesOf(config: Config, defaults: Known['defaults']): readonly Stage[] {
  const names = Object.keys(config);
  const stages: Stage[] = [];
  for (const setting of CONVERTERS) {
    const given = config[setting]?.trim();
    const classNames = given === undefined ? defaults.filter(([of]) => of === setting).map(([, className]) => className) : [given];
    for (const className of new Set(classNames)) stages.push({ className, prefix: `${setting}.` });
  }
  for (const name of names) {
    const [, prefix] = STEP.exec(name) ?? [];
    if (prefix !== undefined) stages.push({ className: config[name]?.trim() ?? '', prefix });
  }
  return stages.filter(({ prefix }) => names.filter((name) => name.startsWith(prefix)).length > (isConverterPrefix(prefix) ? 0 : 1));
}

/** Replaces secret values, and secrets inside other values. References to config providers are shown: they are no secrets. */
export function hideSecrets(config: Config, isSecret: IsSecret): Config {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      isSealed(value) || (isSecret(name) && value !== '' && !isReference(value)) ? HIDDEN_VALUE : hideEmbedded(value),
    ]),
  );
}

/** Makes the rule that calls a setting secret where any of several does. */
export function anySecret(...rules: readonly IsSecret[]): IsSecret {
  return (name) => rules.some((isSecret) => isSecret(name));
}

/** Makes the rule for settings whose whole value is given as the mark: their stored values were secret for whoever has shown them. */
export function secretsMarkedIn(sent: Config): IsSecret {
  return (name) => sent[name] === HIDDEN_VALUE;
}

/**
 * Replaces the marks that hide secrets by the stored values, so that a client can send back a configuration that it has read. A mark has this
 * meaning under any name: what was hidden depends on what was known of the class then. A URL with a mark must be the stored one: the secret of
 * one host never goes to another. Nor does that of one plugin. A mark stands for nothing where the class of the connector changes,
 * or that of the converter, transform or predicate that has the setting. The same holds for a version that does not call the setting secret.
 *
 * @param isSecret what is secret in the configuration that was sent
 * @throws ConnectError with code `CONNECT_REQUEST_INVALID` naming the settings that have no stored value, another plugin, or another value around
 *   the mark.
 */
export function restoreHidden(sent: Config, stored: Config | undefined, isSecret: IsSecret): Config {
  const marked = Object.keys(sent).filter((name) => holdsMark(sent[name] ?? ''));
  if (marked.length === 0) return sent;
  const lost = marked.filter((name) => stored?.[name] === undefined);
  if (lost.length > 0) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given for ${lost.join(', ')} stands for a stored value, but no value is stored: give the value itself.`,
    );
  }
  const moved = marked.flatMap((name) => {
    const change = changeOfPlugin(name, sent, stored ?? {}, isSecret);
    return change === undefined ? [] : [{ name, change }];
  });
  if (moved.length > 0) {
    const changes = [...new Set(moved.map(({ change }) => change))].join(', ');
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `The value stored for ${moved.map(({ name }) => name).join(', ')} is secret and cannot be kept, since ${changes} changes: give the value itself.`,
    );
  }
  const changed = marked.filter((name) => {
    const given = sent[name];
    const value = stored?.[name] ?? '';
    return given !== HIDDEN_VALUE && (isSealed(value) || given !== hideEmbedded(value));
  });
  if (changed.length > 0) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given inside ${changed.join(', ')} stands for a stored secret, but the value around it changes: give the whole value.`,
    );
  }
  return { ...sent, ...Object.fromEntries(marked.map((name) => [name, stored?.[name] ?? ''])) };
}

/** Finds the setting by which a marked setting comes to another plugin, or to another version that would show it. */
function changeOfPlugin(name: string, sent: Config, stored: Config, isSecret: IsSecret): string | undefined {
  if (connectorClass(sent) !== connectorClass(stored)) return 'connector.class';
  const prefixes = [...new Set([...prefixesOf(name, sent), ...prefixesOf(name, stored)])];
  const differs = (setting: string): boolean => sent[setting]?.trim() !== stored[setting]?.trim();
  const classes = prefixes.flatMap((prefix) => (isConverterPrefix(prefix) ? [prefix.slice(0, -1)] : [`${prefix}type`, `${prefix}class`]));
  const versions = ['connector.plugin.version', ...prefixes.map((prefix) => `${prefix}plugin.version`)];
  const isShown = sent[name] === HIDDEN_VALUE && !isSecret(name);
  return classes.find(differs) ?? (isShown ? versions.find(differs) : undefined);
}

/** Lists the prefixes of the converters, transforms and predicates that a setting may belong to. */
function prefixesOf(name: string, config: Config): readonly string[] {
  const ofSteps = Object.keys(config).flatMap((setting) => STEP.exec(setting)?.[1] ?? []);
  return [...CONVERTERS.map((setting) => `${setting}.`), ...ofSteps].filter((prefix) => name.startsWith(prefix));
}

function isConverterPrefix(prefix: string): boolean {
  return CONVERTERS.includes(prefix.slice(0, -1));
}
