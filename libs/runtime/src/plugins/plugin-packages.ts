import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { allowsVersion, isVersion, parseCompatibleRange } from '@sluice/core';
import { ConnectError, ConnectErrorCode, SDK_VERSION } from '@sluice/sdk';
import { withinTime } from '@sluice/time';
import { messageOf, pluginsOf } from './plugin-exports.js';
import type { PluginSet } from './plugin-registry.js';

/** Longest time that the module of a package may take to load, in milliseconds. */
const IMPORT_TIMEOUT_MS = 30_000;

/** A folder with a package.json that names plugins. */
export interface PluginPackage {
  readonly folder: string;
  /** Of its package.json, else the name of its folder. */
  readonly name: string;
  /** Of its package.json; empty where that has none. */
  readonly version: string;
  /** Differs where what it holds was changed: the text of its package.json, and size and time of its module. */
  readonly stamp: string;
  /** The built module; absent where `problem` says why. */
  readonly module?: string;
  /** Why it cannot be loaded. */
  readonly problem?: ConnectError;
}

interface Manifest {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly sluice?: { readonly plugins?: unknown; readonly sdk?: unknown; readonly connectorFolder?: unknown };
}

/**
 * Finds the folder of the packages that a runner was built with. The nearest package.json at or above its main module names it as
 * `sluice.connectorFolder`. This is libs/connectors in the workspace, and a folder beside the bundle in an image.
 *
 * @param main the `import.meta.url` of the runner's main module
 * @throws ConnectError where no package.json says it
 */
export async function builtInFolder(main: string): Promise<string> {
  const path = fileURLToPath(main);
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const text = await readManifest(file);
    if (text !== undefined) {
      const given = parseManifest(file, text).sluice?.connectorFolder;
      if (typeof given === 'string' && given !== '') return resolve(folder, given);
      throw invalid(
        `${file}: sluice.connectorFolder is ${JSON.stringify(given)}; it must be the path of the folder of the connector packages`,
      );
    }
    if (folder === dirname(folder)) throw invalid(`No package.json is at or above ${path}`);
  }
}

/**
 * Finds the plugin packages of a folder, in the order of their names; those in folders such as `@acme` too. Packages whose package.json has no
 * `sluice`, and folders whose names begin with a dot, are none.
 *
 * @throws ConnectError for a folder that cannot be read
 */
export async function findPackages(folder: string): Promise<readonly PluginPackage[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw invalid(`The folder of plugins ${folder} cannot be read: ${messageOf(cause)}`, cause);
  });
  const found: PluginPackage[] = [];
  for (const entry of [...entries].sort((left, right) => (left.name < right.name ? -1 : 1))) {
    const { name } = entry;
    const path = join(folder, name);
    const isFolder = entry.isDirectory();
    if (name.startsWith('.')) continue;
    if (isFolder && name.startsWith('@')) found.push(...(await findPackages(path)));
    // What a link leads to need not be a folder; then it has no manifest. Nor has what a moved package leaves behind: built files.
    else if (isFolder || entry.isSymbolicLink()) found.push(...(await packageAt(path, name)));
  }
  return found;
}

/**
 * Loads the plugins of a package.
 *
 * @param timeoutMs how long its module may take
 * @throws ConnectError saying what is wrong with the package
 */
export async function loadPackage(found: PluginPackage, timeoutMs = IMPORT_TIMEOUT_MS): Promise<PluginSet> {
  const { module, problem } = found;
  if (module === undefined) throw problem ?? invalid(`${found.folder} names no module`);
  const late = (): Error => new Error(`it took longer than ${timeoutMs} ms`);
  const exports: unknown = await withinTime(import(pathToFileURL(module).href) as Promise<unknown>, timeoutMs, late).catch(
    (cause: unknown) => {
      throw invalid(`The plugins in ${module} cannot be loaded: ${messageOf(cause)}`, cause);
    },
  );
  return pluginsOf(module, exports);
}

/** Loads the plugins of a package that was found some time ago. @throws as {@link loadPackage} does, and where it has changed since */
export async function loadUnchanged(found: PluginPackage): Promise<PluginSet> {
  const { folder, stamp } = found;
  const [now] = await packageAt(folder, basename(folder));
  if (now?.stamp !== stamp) throw invalid(`${folder} has changed since the runner loaded it. Put the new version into another folder`);
  return loadPackage(found);
}

async function packageAt(folder: string, folderName: string): Promise<readonly PluginPackage[]> {
  const file = join(folder, 'package.json');
  let text: string | undefined;
  let manifest: Manifest;
  try {
    text = await readManifest(file);
    if (text === undefined) return [];
    manifest = parseManifest(file, text);
  } catch (error) {
    return [{ folder, name: folderName, version: '', stamp: text ?? '', problem: error as ConnectError }];
  }
  const { name, version, sluice } = manifest;
  if (sluice === undefined) return [];
  const said = {
    folder,
    name: typeof name === 'string' && name !== '' ? name : folderName,
    version: typeof version === 'string' ? version : '',
  };
  try {
    const module = moduleOf(folder, file, manifest);
    const { size, mtimeMs } = await stat(module).catch((cause: unknown) => {
      throw invalid(`The plugins in ${module} cannot be loaded: ${messageOf(cause)}`, cause);
    });
    return [{ ...said, stamp: `${text} ${size} ${mtimeMs}`, module }];
  } catch (error) {
    return [{ ...said, stamp: text, problem: error as ConnectError }];
  }
}

function moduleOf(folder: string, file: string, { version, sluice }: Manifest): string {
  const { plugins, sdk } = sluice ?? {};
  if (typeof plugins !== 'string' || !/^\.\/.*\.m?js$/.test(plugins)) {
    throw invalid(
      `${file}: sluice.plugins is ${JSON.stringify(plugins)}; it must be the path of the built module, for example "./dist/index.js"`,
    );
  }
  if (typeof version !== 'string' || !isVersion(version)) {
    throw invalid(`${file}: version is ${JSON.stringify(version)}; it must be a semantic version such as 1.2.0`);
  }
  const range = typeof sdk === 'string' ? parseCompatibleRange(sdk) : undefined;
  if (range === undefined) {
    throw invalid(
      `${file}: sluice.sdk is ${JSON.stringify(sdk)}; it must be the version of @sluice/sdk that the package was built for, ` +
        `for example "${SDK_VERSION}", or a range such as "[0.1,2.0)"`,
    );
  }
  if (!allowsVersion(range, SDK_VERSION)) {
    throw invalid(
      `${file}: sluice.sdk is ${JSON.stringify(sdk)}; this runner has version ${SDK_VERSION} of @sluice/sdk, which does not fit`,
    );
  }
  return join(folder, plugins);
}

async function readManifest(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(`${path} cannot be read: ${messageOf(error)}`, error);
  }
}

function parseManifest(path: string, text: string): Manifest {
  try {
    const manifest: unknown = JSON.parse(text);
    if (typeof manifest === 'object' && manifest !== null) return manifest;
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}`, error);
  }
  throw invalid(`${path} cannot be read: it holds no object`);
}

function invalid(message: string, cause?: unknown): ConnectError {
  return new ConnectError(ConnectErrorCode.configInvalid, message, { cause });
}
