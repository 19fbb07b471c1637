import { allowsVersion, isVersion, parseVersionRange, preferVersion, type PluginInfo } from '@sluice/core';
import { ConnectError, ConnectErrorCode, type PluginDescription } from '@sluice/sdk';

/** A plugin of any kind. */
export type Plugin = PluginDescription & { readonly kind: PluginInfo['kind'] };

/**
 * The plugins of a runner that take the same place, in all their versions. One is found under its name, its aliases and the last part of each, where
 * no other plugin has the same or one keeps it. It never changes.
 */
export class PluginTable<P extends Plugin> {
  readonly #plugins: readonly P[];
  /** The preferred version first. */
  readonly #byName: ReadonlyMap<string, readonly P[]>;

  /**
   * @param noun what the plugins are, in the plural, for errors
   * @param kept names that stand for a plugin already, whatever others have the same last part
   * @throws ConnectError when two plugins claim the same name or alias, or a plugin has one version twice
   */
  constructor(
    readonly noun: string,
    plugins: readonly P[] = [],
    private readonly kept: ReadonlyMap<string, P> = new Map(),
  ) {
    const byName = new Map<string, P[]>();
    for (const plugin of plugins) {
      if (!isVersion(plugin.version)) throw badVersion(plugin);
      for (const name of new Set([plugin.name, ...plugin.aliases])) {
        const others = byName.get(name) ?? [];
        const owner = kept.get(name);
        const claimant =
          owner !== undefined && !isSame(owner, plugin)
            ? owner
            : others.find((other) => !isSame(other, plugin) || other.version === plugin.version);
        if (claimant !== undefined) throw claimedTwice(noun, name, claimant, plugin);
        byName.set(name, [...others, plugin]);
      }
    }
    for (const [name, versions] of simpleNames(plugins, kept)) if (!byName.has(name)) byName.set(name, [...versions]);
    for (const versions of byName.values()) versions.sort((left, right) => preferVersion(left.version, right.version));
    this.#plugins = plugins;
    this.#byName = byName;
  }

  /** Returns a table with more plugins. @throws as the constructor does */
  with(more: readonly P[]): PluginTable<P> {
    return more.length === 0 ? this : new PluginTable(this.noun, [...this.#plugins, ...more], this.kept);
  }

  /** Returns a table whose names stand for the same plugins in all tables that come from it. */
  withKeptNames(): PluginTable<P> {
    const kept = [...this.#byName].flatMap(([name, [plugin]]) => (plugin === undefined ? [] : [[name, plugin] as const]));
    return new PluginTable(this.noun, this.#plugins, new Map(kept));
  }

  /** Returns the newest version of a plugin that a range allows, by Kafka Connect's notation; without a range the newest one. */
  find(className: string, range?: string): P | undefined {
    const versions = this.versions(className);
    if (range === undefined) return versions[0];
    const allowed = parseVersionRange(range);
    return allowed && versions.find(({ version }) => allowsVersion(allowed, version));
  }

  /** Returns all versions of a plugin, the preferred one first. */
  versions(className: string): readonly P[] {
    return this.#byName.get(className) ?? [];
  }

  /** Returns the names of the plugins, each once, with their kinds and versions. */
  describe(): readonly string[] {
    return this.#plugins.map(({ name, kind, version }) => `${name} (${kind} ${version})`);
  }

  names(): readonly string[] {
    return [...new Set(this.#plugins.map(({ name }) => name))];
  }

  /** Describes the plugins, each with every name that it is found under. */
  infos(): readonly PluginInfo[] {
    return this.#plugins.map((plugin) => {
      const { kind, name, version, doc } = plugin;
      const aliases = [...this.#byName].filter(([alias, versions]) => alias !== name && versions.includes(plugin)).map(([alias]) => alias);
      return { kind, name, aliases, version, doc };
    });
  }
}

/** Whether two are versions of one plugin. */
function isSame(left: Plugin, right: Plugin): boolean {
  return left.name === right.name && left.kind === right.kind;
}

/** Returns the last parts of names and aliases, without those that more than one plugin has and none keeps. */
function simpleNames<P extends Plugin>(plugins: readonly P[], kept: ReadonlyMap<string, P>): ReadonlyMap<string, ReadonlySet<P>> {
  const found = new Map<string, Set<P>>();
  const ambiguous = new Set<string>();
  for (const plugin of plugins) {
    for (const name of [plugin.name, ...plugin.aliases]) {
      const simple = name.slice(name.lastIndexOf('.') + 1);
      const owner = kept.get(simple);
      if (owner !== undefined && !isSame(owner, plugin)) continue;
      const others = found.get(simple) ?? new Set<P>();
      if ([...others].some((other) => !isSame(other, plugin))) ambiguous.add(simple);
      found.set(simple, others.add(plugin));
    }
  }
  for (const name of ambiguous) found.delete(name);
  return found;
}

function badVersion({ name, version }: Plugin): ConnectError {
  const given = JSON.stringify(version);
  return new ConnectError(ConnectErrorCode.configInvalid, `${name} has the version ${given}; it must be a semantic version such as 1.2.0`);
}

function claimedTwice(noun: string, name: string, first: Plugin, second: Plugin): ConnectError {
  return new ConnectError(
    ConnectErrorCode.conflict,
    `Two ${noun} are called ${name}: ${first.name} (${first.kind} ${first.version}) and ` +
      `${second.name} (${second.kind} ${second.version}); each name and alias may be used once.`,
  );
}
