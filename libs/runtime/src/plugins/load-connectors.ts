import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ConnectError, ConnectErrorCode, type Connector } from '@sluice/sdk';

/** A package with the connectors of one system. */
export interface ConnectorPackage {
  /** The name of its folder. */
  readonly folder: string;
  readonly connectors: readonly Connector[];
}

interface Manifest {
  readonly sluice?: { readonly connectors?: unknown; readonly connectorFolder?: unknown };
}

/**
 * Loads the connectors of one kind for a runner. The nearest package.json at or above the runner's main module names the folder of the
 * connector packages as `sluice.connectorFolder`. This is libs/connectors in the workspace, and a folder beside the bundle in an image.
 *
 * @param main the `import.meta.url` of the runner's main module
 * @throws ConnectError for a folder or a package that cannot be read; says which
 */
export async function connectorsOf<Kind extends Connector['kind']>(
  main: string,
  kind: Kind,
): Promise<readonly Extract<Connector, { kind: Kind }>[]> {
  const packages = await loadConnectors(await connectorFolderOf(fileURLToPath(main)));
  return packages
    .flatMap(({ connectors }) => connectors)
    .filter((connector): connector is Extract<Connector, { kind: Kind }> => connector.kind === kind);
}

/**
 * Loads every connector package of a folder, in the order of their names. A subfolder with a package.json is such a package; its
 * `sluice.connectors` names the built module that exports the array `connectors`.
 *
 * @throws ConnectError for a package that does not keep to that, or whose module cannot be loaded
 */
export async function loadConnectors(folder: string): Promise<readonly ConnectorPackage[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw invalid(`The folder of the connectors ${folder} cannot be read: ${messageOf(cause)}`, cause);
  });
  const packages: ConnectorPackage[] = [];
  for (const name of entries
    // What a link leads to need not be a folder; then it has no manifest.
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort()) {
    const manifest = await readManifest(join(folder, name, 'package.json'));
    // What a moved package leaves behind are built files without a manifest.
    if (manifest !== undefined) packages.push({ folder: name, connectors: await load(join(folder, name), manifest) });
  }
  return packages;
}

async function connectorFolderOf(main: string): Promise<string> {
  for (let folder = dirname(main); ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    const manifest = await readManifest(path);
    if (manifest !== undefined) {
      const given = manifest.sluice?.connectorFolder;
      if (typeof given === 'string' && given !== '') return resolve(folder, given);
      throw invalid(
        `${path}: sluice.connectorFolder is ${JSON.stringify(given)}; it must be the path of the folder of the connector packages`,
      );
    }
    if (folder === dirname(folder)) throw invalid(`No package.json is at or above ${main}`);
  }
}

async function load(folder: string, manifest: Manifest): Promise<readonly Connector[]> {
  const module = manifest.sluice?.connectors;
  if (typeof module !== 'string' || !/^\.\/.*\.m?js$/.test(module)) {
    throw invalid(
      `${join(folder, 'package.json')}: sluice.connectors is ${JSON.stringify(module)}; it must be the path of the built module, ` +
        'for example "./dist/index.js"',
    );
  }
  const path = join(folder, module);
  const loaded = (await import(pathToFileURL(path).href).catch((cause: unknown) => {
    throw invalid(`The connectors in ${path} cannot be loaded (npm run build builds them): ${messageOf(cause)}`, cause);
  })) as { readonly connectors?: unknown };
  const { connectors } = loaded;
  if (!Array.isArray(connectors) || connectors.length === 0) {
    throw invalid(`${path} must export an array called connectors with at least one connector`);
  }
  for (const [index, connector] of (connectors as readonly (Partial<Connector> | null)[]).entries()) {
    const wrong = wrongPart(connector);
    if (wrong !== undefined) throw invalid(`${path}: connectors[${index}].${wrong}`);
  }
  return connectors as readonly Connector[];
}

/** Says what a connector written without the compiler's help lacks; the runtime relies on the rest only when it is used. */
function wrongPart(connector: Partial<Connector> | null): string | undefined {
  const { kind, name, spec, aliases, createTask, taskConfigs } = connector ?? {};
  if (kind !== 'source' && kind !== 'sink') return `kind is ${JSON.stringify(kind)}; it must be "source" or "sink"`;
  if (typeof name !== 'string' || name === '') return `name is ${JSON.stringify(name)}; it must be a class name`;
  if (!Array.isArray(aliases)) return 'aliases must be an array of class names';
  if (typeof spec !== 'object' || (spec as object | null) === null) return 'spec must be an object of settings';
  if (typeof taskConfigs !== 'function') return 'taskConfigs must be a function';
  if (typeof createTask !== 'function') return 'createTask must be a function';
  return undefined;
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Manifest;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(`${path} cannot be read: ${messageOf(error)}`, error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function invalid(message: string, cause?: unknown): ConnectError {
  return new ConnectError(ConnectErrorCode.configInvalid, message, { cause });
}
