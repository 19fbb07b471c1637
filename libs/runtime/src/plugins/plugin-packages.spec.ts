import { symlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connectorCode, connectorsCode, PackageFolder } from '../testing/package-folder.js';
import { builtInFolder, findPackages, loadPackage } from './plugin-packages.js';
import type { PluginSet } from './plugin-registry.js';

let place: PackageFolder;
beforeEach(async () => {
  place = await PackageFolder.make();
});
afterEach(() => place.remove());

const main = (): string => pathToFileURL(place.path('app/dist/role/main.mjs')).href;

describe('the folder of the packages that a runner was built with', () => {
  it('is the one that its package names', async () => {
    await place.file('app/package.json', JSON.stringify({ sluice: { connectorFolder: '../connectors' } }));
    expect(await builtInFolder(main())).toBe(place.path('connectors'));
  });

  it('has to be named', async () => {
    await place.file('app/package.json', '{}');
    await expect(builtInFolder(main())).rejects.toThrow(
      `${place.path('app/package.json')}: sluice.connectorFolder is undefined; it must be the path of the folder`,
    );
  });
});

describe('the packages of a folder', () => {
  const names = async (): Promise<readonly string[]> => (await findPackages(place.path('all'))).map(({ folder }) => basename(folder));
  const source = connectorsCode(connectorCode('source', 'A'));

  it('are those with a package.json that names plugins, in the order of their names, those of a scope too', async () => {
    for (const folder of ['b', '@acme/c', 'a']) await place.package(`all/${folder}`, source);
    await place.file('all/moved/index.js', 'throw new Error("stale");');
    await place.file('all/driver/package.json', '{ "name": "driver" }');
    await place.package('all/.b-being-copied', source);
    await place.file('all/tsconfig.json', '{}');
    expect(await names()).toEqual(['c', 'a', 'b']);
  });

  it('may be linked into it', async () => {
    await place.package('all/a', source);
    await place.package('elsewhere/b', source);
    await symlink(place.path('elsewhere/b'), place.path('all/b'));
    await symlink(place.path('elsewhere/none'), place.path('all/c'));
    await symlink(place.path('elsewhere/none'), place.path('all/@d'));
    expect(await names()).toEqual(['a', 'b']);
  });

  it('need a folder that is there', async () => {
    await expect(names()).rejects.toThrow(/^The folder of plugins \/.* cannot be read: .*ENOENT/);
  });

  it('have the name and version of their package.json, and another stamp once one of both files is changed', async () => {
    await place.package('all/a', source, { name: '@acme/a', version: '1.2.3' });
    const [before] = await findPackages(place.path('all'));
    expect(before).toMatchObject({ name: '@acme/a', version: '1.2.3', module: place.path('all/a/index.js') });
    expect((await findPackages(place.path('all')))[0]?.stamp).toBe(before?.stamp);
    await place.file('all/a/index.js', `${source} `);
    expect((await findPackages(place.path('all')))[0]?.stamp).not.toBe(before?.stamp);
  });
});

describe('a package', () => {
  const load = async (): Promise<PluginSet> => {
    const [found] = await findPackages(place.path('all'));
    return loadPackage(found!, 500);
  };
  const file = (name: string): string => place.path(`all/a/${name}`);
  const plugin = (kind: string): string =>
    `{ kind: '${kind}', name: 'A', aliases: [], version: '1.0.0', doc: '', spec: {}, create: () => ({}) }`;
  const withField = (field: string): string => connectorsCode(connectorCode('sink', 'A', '1.0.0', `spec: { pin: ${field} }`));

  it('brings plugins of all kinds', async () => {
    const lists = ['converter', 'transform', 'predicate'].map((kind) => `export const ${kind}s = [${plugin(kind)}];`);
    await place.package('all/a', [connectorsCode(connectorCode('sink', 'A')), ...lists].join('\n'));
    const set = await load();
    expect([set.connectors, set.converters, set.transforms, set.predicates].map(([each]) => each?.kind)).toEqual([
      'sink',
      'converter',
      'transform',
      'predicate',
    ]);
  });

  it.each<[string, object, object, string]>([
    ['no module', {}, { plugins: 'dist' }, 'sluice.plugins is "dist"; it must be the path of the built module'],
    ['no version', { version: '1' }, {}, 'version is "1"; it must be a semantic version such as 1.2.0'],
    ['no version of the sdk', {}, { sdk: 1 }, 'sluice.sdk is 1; it must be the version of @sluice/sdk that the package was built for'],
    ['a range that is none', {}, { sdk: '>=1' }, 'sluice.sdk is ">=1"; it must be the version'],
    [
      'another version of the sdk',
      {},
      { sdk: '7.1' },
      'sluice.sdk is "7.1"; this runner has version 0.1.0 of @sluice/sdk, which does not fit',
    ],
  ])('is refused with %s', async (_what, manifest, sluice, problem) => {
    await place.package('all/a', connectorsCode(connectorCode('source', 'A')));
    await place.manifest('all/a', manifest, sluice);
    await expect(load()).rejects.toThrow(`${file('package.json')}: ${problem}`);
  });

  it('is refused where its package.json is no JSON, or its module is not there', async () => {
    await place.file('all/a/package.json', '{');
    await expect(load()).rejects.toThrow(`${file('package.json')} cannot be read`);
    await place.file('all/a/package.json', '7');
    await expect(load()).rejects.toThrow(`${file('package.json')} cannot be read: it holds no object`);
    await place.manifest('all/a');
    await expect(load()).rejects.toThrow(/^The plugins in \/.* cannot be loaded: .*ENOENT/);
  });

  it('is given up where its module does not end to load', async () => {
    await place.package('all/a', 'await new Promise(() => undefined); export const connectors = [];');
    await expect(load()).rejects.toThrow(`The plugins in ${file('index.js')} cannot be loaded: it took longer than 500 ms`);
  });

  it.each([
    ['throw new Error("broken at the top");', 'cannot be loaded: broken at the top'],
    [
      'export const other = 1;',
      'must export an array with at least one plugin, called connectors, converters, transforms, predicates or configProviders',
    ],
    ['export const connectors = [];', 'must export an array with at least one plugin'],
    ['export const converters = {};', 'converters must be an array of plugins'],
    [connectorsCode('null'), 'connectors[0].kind is undefined; it must be "source" or "sink"'],
    [connectorsCode(connectorCode('pump', 'A')), 'connectors[0].kind is "pump"; it must be "source" or "sink"'],
    [connectorsCode(connectorCode('sink', '')), 'connectors[0].name is ""; it must be a class name'],
    [connectorsCode(connectorCode('sink', 'A', '1')), 'connectors[0].version is "1"; it must be a semantic version'],
    [connectorsCode(connectorCode('sink', 'A', '1.0.0', 'aliases: [1]')), 'connectors[0].aliases must be an array of class names'],
    [connectorsCode(connectorCode('sink', 'A', '1.0.0', 'spec: null')), 'connectors[0].spec must be an object of settings'],
    [withField('null'), 'connectors[0].spec["pin"] must be an object that describes a setting'],
    [withField("{ type: 'text' }"), 'connectors[0].spec["pin"].type is "text"; it must be string, int,'],
    [withField("{ type: 'string', doc: 'Pin.' }"), 'connectors[0].spec["pin"].importance is undefined; it must be high, medium, low'],
    [withField("{ type: 'string', importance: 'low', doc: 7 }"), 'connectors[0].spec["pin"].doc must be a text'],
    [withField("{ type: 'string', importance: 'low', aliases: 'p' }"), 'connectors[0].spec["pin"].aliases must be an array of texts'],
    [withField("{ type: 'list', importance: 'low', default: 'p' }"), 'connectors[0].spec["pin"].default must be an array of texts'],
    [withField("{ type: 'string', importance: 'low', pattern: '(' }"), 'connectors[0].spec["pin"].pattern must be a regular expression'],
    [withField("{ get type() { throw new Error('odd'); } }"), 'connectors[0].spec cannot be read: odd'],
    [connectorsCode(connectorCode('sink', 'A', '1.0.0', 'taskConfigs: 1')), 'connectors[0].taskConfigs must be a function'],
    [`export const transforms = [${plugin('converter')}];`, 'transforms[0].kind is "converter"; it must be "transform"'],
    [`export const predicates = [{ ...${plugin('predicate')}, create: 1 }];`, 'predicates[0].create must be a function'],
  ])('is refused with the module %j', async (code, message) => {
    await place.package('all/a', code);
    await expect(load()).rejects.toThrow(file('index.js'));
    await expect(load()).rejects.toThrow(message);
  });
});
