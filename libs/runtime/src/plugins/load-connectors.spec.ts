import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectorsOf, loadConnectors } from './load-connectors.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-connectors-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function file(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

const manifest = JSON.stringify({ type: 'module', sluice: { connectors: './dist/index.js' } });
const connector = (kind: string, name: string): string =>
  `{ kind: '${kind}', name: '${name}', aliases: [], spec: {}, taskConfigs: (config) => [config], createTask: () => ({}) }`;

async function connectorPackage(folder: string, ...connectors: readonly string[]): Promise<void> {
  await file(`connectors/${folder}/package.json`, manifest);
  await file(`connectors/${folder}/dist/index.js`, `export const connectors = [${connectors.join()}];`);
}

const main = (): string => pathToFileURL(join(root, 'app/dist/role/main.mjs')).href;

describe('the connectors of a runner', () => {
  it('are those of its kind in the folder that its package names', async () => {
    await file('app/package.json', JSON.stringify({ sluice: { connectorFolder: '../connectors' } }));
    await connectorPackage('b', connector('source', 'BSource'), connector('sink', 'BSink'));
    await connectorPackage('a', connector('source', 'ASource'));
    expect((await connectorsOf(main(), 'source')).map(({ name }) => name)).toEqual(['ASource', 'BSource']);
    expect((await connectorsOf(main(), 'sink')).map(({ name }) => name)).toEqual(['BSink']);
  });

  it('need a package that names the folder', async () => {
    await file('app/package.json', '{}');
    await expect(connectorsOf(main(), 'source')).rejects.toThrow(
      `${join(root, 'app/package.json')}: sluice.connectorFolder is undefined; it must be the path of the folder`,
    );
  });

  it('need a folder that is there', async () => {
    await file('app/package.json', JSON.stringify({ sluice: { connectorFolder: './none' } }));
    await expect(connectorsOf(main(), 'source')).rejects.toThrow(`The folder of the connectors ${join(root, 'app/none')} cannot be read`);
  });
});

describe('the connector packages of a folder', () => {
  const load = (): ReturnType<typeof loadConnectors> => loadConnectors(join(root, 'connectors'));

  it('leaves out what has no package.json', async () => {
    await connectorPackage('a', connector('source', 'ASource'));
    await file('connectors/moved/dist/index.js', 'throw new Error("stale");');
    await file('connectors/tsconfig.json', '{}');
    expect((await load()).map(({ folder }) => folder)).toEqual(['a']);
  });

  it('takes a package that is linked into the folder', async () => {
    await connectorPackage('a', connector('source', 'ASource'));
    await file('elsewhere/b/package.json', manifest);
    await file('elsewhere/b/dist/index.js', `export const connectors = [${connector('sink', 'BSink')}];`);
    await symlink(join(root, 'elsewhere/b'), join(root, 'connectors/b'));
    await symlink(join(root, 'elsewhere/none'), join(root, 'connectors/c'));
    expect((await load()).map(({ folder }) => folder)).toEqual(['a', 'b']);
  });

  it.each([
    ['null', 'kind is undefined'],
    ["{ kind: 'source', name: 'A', aliases: [], spec: null }", 'spec must be an object'],
  ])('names the connector that is %s', async (text, problem) => {
    await connectorPackage('a', text);
    await expect(load()).rejects.toThrow(`${join(root, 'connectors/a/dist/index.js')}: connectors[0].${problem}`);
  });

  it('names a package that does not say where its connectors are', async () => {
    await file('connectors/a/package.json', JSON.stringify({ sluice: { connectors: 'dist' } }));
    await expect(load()).rejects.toThrow(
      `${join(root, 'connectors/a/package.json')}: sluice.connectors is "dist"; it must be the path of the built module`,
    );
  });

  it('names a module that is not built', async () => {
    await file('connectors/a/package.json', manifest);
    await expect(load()).rejects.toThrow(
      `The connectors in ${join(root, 'connectors/a/dist/index.js')} cannot be loaded (npm run build builds them)`,
    );
  });

  it.each([
    ['export const other = 1;', 'must export an array called connectors with at least one connector'],
    ['export const connectors = [];', 'must export an array called connectors with at least one connector'],
    [`export const connectors = [${connector('pump', 'A')}];`, 'connectors[0].kind is "pump"; it must be "source" or "sink"'],
    [`export const connectors = [${connector('sink', '')}];`, 'connectors[0].name is ""; it must be a class name'],
    [
      'export const connectors = [{ kind: "sink", name: "A", aliases: [], spec: {}, createTask() {} }];',
      'connectors[0].taskConfigs must be a function',
    ],
  ])('refuses a module with %s', async (code, message) => {
    await file('connectors/a/package.json', manifest);
    await file('connectors/a/dist/index.js', code);
    await expect(load()).rejects.toThrow(join(root, 'connectors/a/dist/index.js'));
    await expect(load()).rejects.toThrow(message);
  });

  it('names a package.json that is no JSON', async () => {
    await file('connectors/a/package.json', '{');
    await expect(load()).rejects.toThrow(`${join(root, 'connectors/a/package.json')} cannot be read`);
  });
});
