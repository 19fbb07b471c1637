import type { ConnectorType, PluginInfo } from '@sluice/core';
import { ConnectError, ConnectErrorCode, isConnectError } from '@sluice/sdk';
import { messageOf } from './plugin-exports.js';
import { findPackages, loadPackage, loadUnchanged, type PluginPackage } from './plugin-packages.js';
import type { PluginRegistry, PluginSet } from './plugin-registry.js';

export interface PluginLoaderOptions {
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

/** Loads plugin packages into a registry. One that is wrong is reported, and harms no other. */
export class PluginLoader {
  /** By folder. */
  readonly #known = new Map<string, Known>();
  readonly #loaded: PluginPackage[] = [];
  #broken: readonly PluginInfo[] = [];
  #loading: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: PluginLoaderOptions) {}

  /** All plugins that are there, and each package that is left out, with the reason. */
  infos(): readonly PluginInfo[] {
    return [...this.options.registry.pluginInfos(), ...this.#broken];
  }

  /** The packages whose plugins are there, in the order in which they came. */
  get loaded(): readonly PluginPackage[] {
    return this.#loaded;
  }

  /** Adds to an error that a plugin is not there why packages are left out, which may be the reason. Returns other errors as they are. */
  explained(error: unknown): unknown {
    if (!isConnectError(error) || error.code !== ConnectErrorCode.pluginNotFound) return error;
    const problems = [...this.#known].flatMap(([folder, known]) => (known.error === undefined ? [] : [`${folder}: ${known.error}`]));
    if (problems.length === 0) return error;
    return new ConnectError(error.code, `${error.message}. Its thread has left out ${problems.join('; ')}`, { cause: error });
  }

  /**
   * Loads the packages that have come into folders since the last call.
   *
   * @param onLoaded called with each that is new, in the turn in which its plugins are there: the next package may take long
   * @returns those that are new
   * @throws ConnectError for a folder that cannot be read
   */
  load(folders: readonly string[], onLoaded: (found: PluginPackage) => void = () => undefined): Promise<readonly PluginPackage[]> {
    return this.#inTurn(async () => {
      const found: PluginPackage[] = [];
      for (const folder of folders) found.push(...(await findPackages(folder)));
      const before = this.#loaded.length;
      for (const each of found) await this.#take(each, loadPackage, onLoaded);
      this.#broken = found.flatMap(({ folder, name, version }) => {
        const error = this.#known.get(folder)?.error;
        return error === undefined ? [] : [{ kind: 'package', name, aliases: [], version, error } as const];
      });
      return this.#loaded.slice(before);
    });
  }

  /** Loads packages that another thread has loaded; one that has changed since is left out. */
  take(packages: readonly PluginPackage[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const each of packages) await this.#take(each, loadUnchanged);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#loading.catch(() => undefined).then(work);
    this.#loading = result;
    return result;
  }

  async #take(
    found: PluginPackage,
    load: (found: PluginPackage) => Promise<PluginSet>,
    onLoaded: (found: PluginPackage) => void = () => undefined,
  ): Promise<void> {
    const { folder, name, version, stamp } = found;
    const known = this.#known.get(folder);
    if (known?.stamp === stamp) return;
    const { logger } = this.options;
    const isImported = known?.isImported === true || found.module !== undefined;
    try {
      if (known?.isImported === true) throw new Error(`${folder} has changed since it was loaded. Put the new version into another folder`);
      const brought = this.#add(await load(found));
      this.#known.set(folder, { stamp, isImported });
      this.#loaded.push(found);
      onLoaded(found);
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
    return [own.connectors, own.converters, own.transforms, own.predicates, own.configProviders].flatMap((list) =>
      list.map((plugin) => `${plugin.name} (${plugin.kind} ${plugin.version})`),
    );
  }
}
