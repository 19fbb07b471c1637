// Finds the connector packages for the build: libs/connectors/tsconfig.json references each, and a runner's bundle has each as an entry.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Names of the folders below libs/connectors that are packages, sorted. */
export function connectorFolders(root) {
  const folder = join(root, 'libs/connectors');
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'package.json')))
    .sort();
}

/** The connector packages: folder, name, version, and what their package.json says of the built module and the sdk. */
export function connectorPackages(root) {
  return connectorFolders(root).map((folder) => {
    const path = join(root, 'libs/connectors', folder, 'package.json');
    const { name, version, sluice } = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof sluice?.plugins !== 'string') throw new Error(`${path} has no sluice.plugins`);
    return { folder, name, version, module: sluice.plugins, sdk: sluice.sdk };
  });
}

/** Writes the references where they differ from the folders. Returns whether they did; with `check` it only looks. */
export function writeReferences(root, { check = false } = {}) {
  const path = join(root, 'libs/connectors/tsconfig.json');
  const references = connectorFolders(root).map((name) => ({ path: name }));
  const text = `${JSON.stringify({ files: [], references }, undefined, 2)}\n`;
  const isStale = !existsSync(path) || readFileSync(path, 'utf8') !== text;
  if (isStale && !check) writeFileSync(path, text);
  return isStale;
}
