import { type Config, type PluginInfo, connectorClass } from '@sluice/core';
import {
  ConnectError,
  ConnectErrorCode,
  HIDDEN_VALUE,
  hideEmbedded,
  holdsMark,
  type IsSecret,
  isSecretName,
  secretsAmong,
} from '@sluice/sdk';
import { withinTime } from '@sluice/time';
import { findPlugin, type PluginQuestions } from '../ports/gateway-ports.js';

interface Known {
  /** Those that the runners had, in any order that does not change. */
  readonly versions: string;
  readonly isSecret: IsSecret;
  /** Converters that are taken where a configuration names none, by setting. */
  readonly defaults: ReadonlyMap<string, string>;
}

/** A plugin whose settings stand behind a prefix in the configuration of a connector. */
interface Stage {
  readonly className: string;
  readonly prefix: string;
}

const MAX_KNOWN_CLASSES = 1000;
const RETRY_AFTER_MS = 5000;
const CONVERTERS = ['key.converter', 'value.converter', 'header.converter'];
const BY_NAMES: Omit<Known, 'versions'> = { isSecret: isSecretName, defaults: new Map() };

/**
 * Remembers which settings of each plugin are secret, as the plugin itself defines it. Answers never wait long for a runner: while
 * none can be asked, names decide.
 */
export class SecretSettings {
  readonly #known = new Map<string, Known>();
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

  async #ofPlugin(className: string, version: string | undefined, listed: readonly PluginInfo[]): Promise<Omit<Known, 'versions'>> {
    const key = JSON.stringify([className, version]);
    const plugin = findPlugin(listed, className);
    const versions = plugin === undefined ? '' : versionsOf(listed, plugin);
    const known = this.#known.get(key);
    const isCurrent = known !== undefined && (plugin === undefined || versions === known.versions);
    if (plugin !== undefined && !isCurrent && performance.now() >= (this.#retryAt.get(key) ?? 0)) {
      const late = (): Error => new Error(`No runner has described ${className} yet`);
      await withinTime(this.#ask(key, plugin, version, versions), this.options.waitMs, late).catch(() => undefined);
    }
    return this.#known.get(key) ?? BY_NAMES;
  }

  #ask(key: string, plugin: PluginInfo, version: string | undefined, versions: string): Promise<void> {
    const pending = this.#asked.get(key);
    if (pending !== undefined) return pending;
    const asking = this.plugins
      .definitions(plugin.name, version)
      .then((definitions) => {
        if (this.#known.size >= MAX_KNOWN_CLASSES) this.#known.clear();
        const defaults = definitions.flatMap(({ name, defaultValue }) =>
          CONVERTERS.includes(name) && defaultValue !== null ? [[name, defaultValue] as const] : [],
        );
        this.#known.set(key, { versions, isSecret: secretsAmong(definitions), defaults: new Map(defaults) });
        this.#retryAt.delete(key);
      })
      .catch(() => {
        if (this.#retryAt.size >= MAX_KNOWN_CLASSES) this.#retryAt.clear();
        this.#retryAt.set(key, performance.now() + RETRY_AFTER_MS);
      })
      .finally(() => this.#asked.delete(key));
    this.#asked.set(key, asking);
    return asking;
  }
}

function versionsOf(listed: readonly PluginInfo[], { kind, name }: PluginInfo): string {
  const versions = listed.filter((each) => each.kind === kind && each.name === name).map(({ version }) => version);
  return [...new Set(versions)].sort().join();
}

/** Finds the plugins that a configuration names beside its connector, and gives settings to. */
function stagesOf(config: Config, defaults: ReadonlyMap<string, string>): readonly Stage[] {
  const names = Object.keys(config);
  const stages: Stage[] = [];
  for (const setting of CONVERTERS) {
    const className = config[setting]?.trim() ?? defaults.get(setting);
    if (className !== undefined) stages.push({ className, prefix: `${setting}.` });
  }
  for (const name of names) {
    const [, prefix] = /^((?:transforms|predicates)\..+\.)(?:type|class)$/.exec(name) ?? [];
    if (prefix !== undefined) stages.push({ className: config[name]?.trim() ?? '', prefix });
  }
  return stages.filter(
    ({ prefix }) => names.filter((name) => name.startsWith(prefix)).length > (CONVERTERS.includes(prefix.slice(0, -1)) ? 0 : 1),
  );
}

/** Replaces secret values, and secrets inside other values. */
export function hideSecrets(config: Config, isSecret: IsSecret): Config {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, isSecret(name) && value !== '' ? HIDDEN_VALUE : hideEmbedded(value)]),
  );
}

/**
 * Replaces the marks that hide secrets by the stored values, so that a client can send back a configuration that it has read. A mark has this
 * meaning under any name: what was hidden depends on what was known of the class then. A URL with a mark must be the stored one: the secret of
 * one host never goes to another.
 *
 * @throws ConnectError with code `CONNECT_REQUEST_INVALID` naming the settings that have no stored value, or another around the mark. Where the class changes, all marked ones:
 *   another class may not call the value secret.
 */
export function restoreHidden(sent: Config, stored: Config | undefined): Config {
  const marked = Object.keys(sent).filter((name) => holdsMark(sent[name] ?? ''));
  if (marked.length === 0) return sent;
  const isSameClass = stored === undefined || connectorClass(stored) === connectorClass(sent);
  const lost = marked.filter((name) => !isSameClass || stored?.[name] === undefined);
  if (lost.length > 0) {
    const why = isSameClass ? 'no value is stored' : 'connector.class changes';
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given for ${lost.join(', ')} stands for a stored value, but ${why}: give the value itself.`,
    );
  }
  const changed = marked.filter((name) => {
    const given = sent[name];
    return given !== HIDDEN_VALUE && given !== hideEmbedded(stored?.[name] ?? '');
  });
  if (changed.length > 0) {
    throw new ConnectError(
      ConnectErrorCode.requestInvalid,
      `${HIDDEN_VALUE} given inside ${changed.join(', ')} stands for a stored secret, but the value around it changes: give the whole value.`,
    );
  }
  return { ...sent, ...Object.fromEntries(marked.map((name) => [name, stored?.[name] ?? ''])) };
}
