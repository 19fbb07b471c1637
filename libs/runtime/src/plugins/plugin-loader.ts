import type { ConnectorType, PluginInfo } from '@sluice/core';
import { messageOf } from './plugin-exports.js';
import { findPackages, loadPackage, type PluginPackage } from './plugin-packages.js';
import type { PluginRegistry, PluginSet } from './plugin-registry.js';

export interface PluginLoaderOptions {
  /** Where packages are looked for, those that come first are taken where two claim one name. */
  readonly folders: readonly string[];
  /** The connectors that are taken. */
  readonly kind: ConnectorType;
  readonly registry: PluginRegistry;
  readonly logger: { info(text: string): void; error(text: string): void };
}

interface Known {
  readonly stamp: string;
  /** Its module was asked for: Node keeps what it loaded, or that it could not, for the life of a thread. */
  readonly isImported: boolean;
  readonly error?: string;
}

/** Loads plugin packages from folders. One that is wrong is reported, and harms no other. */
export class PluginLoader {
  /** By folder. */
  readonly #known = new Map<string, Known>();
  #broken: readonly PluginInfo[] = [];
  #loading: Promise<void> = Promise.resolve();

  constructor(private readonly options: PluginLoaderOptions) {}

  /** All plugins that are there, and each package that is left out, with the reason. */
  infos(): readonly PluginInfo[] {
    return [...this.options.registry.pluginInfos(), ...this.#broken];
  }

  /**
   * Loads the packages that have come since the last call.
   *
   * @throws ConnectError for a folder that cannot be read
   */
  load(): Promise<void> {
    this.#loading = this.#loading.catch(() => undefined).then(() => this.#load());
    return this.#loading;
  }

  async #load(): Promise<void> {
    const found: PluginPackage[] = [];
    for (const folder of this.options.folders) found.push(...(await findPackages(folder)));
    for (const each of found) await this.#take(each);
    this.#broken = found.flatMap(({ folder, name, version }) => {
      const error = this.#known.get(folder)?.error;
      return error === undefined ? [] : [{ kind: 'package', name, aliases: [], version, error } as const];
    });
  }

  async #take(found: PluginPackage): Promise<void> {
    const { folder, name, version, stamp } = found;
    const known = this.#known.get(folder);
    if (known?.stamp === stamp) return;
    const { logger } = this.options;
    const isImported = known?.isImported === true || found.module !== undefined;
    try {
      if (known?.isImported === true) throw new Error(`${folder} has changed since it was loaded. Put the new version into another folder`);
      const brought = this.#add(await loadPackage(found));
      this.#known.set(folder, { stamp, isImported });
      logger.info(`Plugins of ${name} ${version} in ${folder}: ${brought.join(', ') || 'none for this runner'}`);
    } catch (error) {
      this.#known.set(folder, { stamp, isImported, error: messageOf(error) });
      logger.error(`The plugin package ${name}${version === '' ? '' : ` ${version}`} is left out: ${messageOf(error)}`);
    }
  }

  /** Returns what the package brings. */
  #add(plugins: PluginSet): readonly string[] {
    const { registry, kind } = this.options;
    const own = { ...plugins, connectors: plugins.connectors.filter((connector) => connector.kind === kind) };
    registry.add(own);
    return [own.connectors, own.converters, own.transforms, own.predicates].flatMap((list) =>
      list.map((plugin) => `${plugin.name} (${plugin.kind} ${plugin.version})`),
    );
  }
}
