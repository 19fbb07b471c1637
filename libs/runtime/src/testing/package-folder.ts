import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with plugin packages, for one spec. */
export class PackageFolder {
  private constructor(readonly root: string) {}

  static async make(): Promise<PackageFolder> {
    return new PackageFolder(await mkdtemp(join(tmpdir(), 'sluice-plugins-')));
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  path(path: string): string {
    return join(this.root, path);
  }

  async file(path: string, content: string): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), content);
  }

  async manifest(folder: string, changed: object = {}, sluice: object = {}): Promise<void> {
    const manifest = { version: '1.0.0', type: 'module', sluice: { plugins: './index.js', sdk: '0.1', ...sluice }, ...changed };
    await this.file(`${folder}/package.json`, JSON.stringify(manifest));
  }

  /** Makes a package whose module is this code. */
  async package(folder: string, code: string, manifest: object = {}): Promise<void> {
    await this.file(`${folder}/index.js`, code);
    await this.manifest(folder, manifest);
  }
}

/** The code of a connector. */
export function connectorCode(kind: string, name: string, version = '1.0.0', more = ''): string {
  return (
    `{ kind: '${kind}', name: '${name}', aliases: [], version: '${version}', doc: '', spec: {}, ` +
    `taskConfigs: (config) => [config], createTask: () => ({}), ${more} }`
  );
}

/** The code of a module with these connectors. */
export function connectorsCode(...connectors: readonly string[]): string {
  return `export const connectors = [${connectors.join()}];`;
}
