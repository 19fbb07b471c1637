import { rename } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode, type SourceConnector } from '@sluice/sdk';
import { connectorCode, connectorsCode, PackageFolder } from '../testing/package-folder.js';
import { SPLITTING } from '../testing/split-context.js';
import { PluginLoader } from './plugin-loader.js';
import { PluginRegistry } from './plugin-registry.js';

let place: PackageFolder;
let registry: PluginRegistry;
let loader: PluginLoader;
let lines: string[];
beforeEach(async () => {
  place = await PackageFolder.make();
  registry = new PluginRegistry();
  lines = [];
  const log = (text: string): void => {
    lines.push(text);
  };
  loader = new PluginLoader({ kind: 'source', registry, logger: { info: log, error: log } });
});
afterEach(() => place.remove());

const load = (): ReturnType<PluginLoader['load']> => loader.load([place.path('all')]);
const source = (name: string, version = '1.0.0'): string => connectorsCode(connectorCode('source', name, version));
const broken = (): readonly unknown[] => loader.infos().filter(({ kind }) => kind === 'package');

describe('the loader of plugins', () => {
  it('loads all kinds, of connectors those of the runner, and names a package that is wrong without harm to the others', async () => {
    const converter = "{ kind: 'converter', name: 'Upper', aliases: [], version: '2.0.0', doc: 'Upper.', spec: {}, create: () => ({}) }";
    await place.package('all/a', 'throw new Error("no luck");', { name: '@acme/a', version: '3.0.0' });
    await place.package(
      'all/b',
      `export const connectors = [${connectorCode('source', 'B')}, ${connectorCode('sink', 'BSink')}]; export const converters = [${converter}];`,
      { name: '@acme/b' },
    );
    await load();
    expect([registry.find('B')?.version, registry.find('BSink'), registry.converters.find('Upper')?.version]).toEqual([
      '1.0.0',
      undefined,
      '2.0.0',
    ]);
    expect(loader.infos()).toContainEqual({ kind: 'converter', name: 'Upper', aliases: [], version: '2.0.0', doc: 'Upper.' });
    const error = `The plugins in ${place.path('all/a/index.js')} cannot be loaded: no luck`;
    expect(broken()).toEqual([{ kind: 'package', name: '@acme/a', aliases: [], version: '3.0.0', error }]);
    expect(lines).toEqual([
      `The plugin package @acme/a 3.0.0 is left out: ${error}`,
      `Plugins of @acme/b 1.0.0 in ${place.path('all/b')}: B (source 1.0.0), Upper (converter 2.0.0)`,
    ]);
  });

  it('leaves out all of a package that claims what another has', async () => {
    await place.package('all/a', source('A'));
    await place.package('all/b', connectorsCode(connectorCode('source', 'New'), connectorCode('source', 'A')));
    await load();
    expect([registry.find('A') !== undefined, registry.find('New')]).toEqual([true, undefined]);
    expect(broken()).toMatchObject([{ name: 'b', error: expect.stringContaining('Two connectors are called A: A (source 1.0.0)') }]);
  });

  it('has several versions side by side, and takes one that comes later', async () => {
    await place.package('all/a-1', source('A', '1.0.0'));
    await load();
    await place.package('all/a-2', source('A', '2.0.0'));
    expect(registry.find('A')?.version).toBe('1.0.0');
    const news = await Promise.all([load(), load()]);
    expect(news.map((each) => each.map(({ folder }) => folder))).toEqual([[place.path('all/a-2')], []]);
    expect([registry.find('A'), registry.find('A', '[1.0,2.0)'), registry.find('A', '3.0.0')].map((each) => each?.version)).toEqual([
      '2.0.0',
      '1.0.0',
      undefined,
    ]);
    expect(lines).toHaveLength(2);
  });

  it('says once that a changed package needs another folder, and keeps what it has', async () => {
    await place.package('all/a', source('A'));
    await load();
    await place.package('all/a', source('A', '2.0.0'), { version: '2.0.0' });
    for (let times = 0; times < 2; times += 1) await load();
    expect(registry.find('A')?.version).toBe('1.0.0');
    const error = `${place.path('all/a')} has changed since it was loaded. Put the new version into another folder`;
    expect(broken()).toEqual([{ kind: 'package', name: 'a', aliases: [], version: '2.0.0', error }]);
    expect(lines.slice(1)).toEqual([`The plugin package a 2.0.0 is left out: ${error}`]);
    await rename(place.path('all/a'), place.path('all/a-2'));
    await load();
    expect([registry.find('A')?.version, broken()]).toEqual(['2.0.0', []]);
  });

  it('loads a package once what kept it from being read is put right', async () => {
    await place.manifest('all/a');
    await load();
    expect(broken()).toMatchObject([{ error: expect.stringContaining('ENOENT') }]);
    await place.package('all/a', source('A'));
    await load();
    expect([registry.find('A')?.version, broken()]).toEqual(['1.0.0', []]);
  });

  it('continues after a folder that could not be read', async () => {
    await expect(load()).rejects.toThrow('cannot be read');
    await place.package('all/a', source('A'));
    await load();
    expect(registry.find('A')?.version).toBe('1.0.0');
  });

  it('takes what another thread has loaded, and no more', async () => {
    await place.package('all/a', source('A'));
    await load();
    await place.package('all/b', source('B'));
    const other = new PluginRegistry();
    const second = new PluginLoader({ kind: 'source', registry: other, logger: { info: () => undefined, error: () => undefined } });
    await second.take(loader.loaded);
    await second.take(loader.loaded);
    expect([other.find('A')?.version, other.find('B'), second.loaded]).toEqual(['1.0.0', undefined, loader.loaded]);
  });

  it('keeps the methods and private fields of connectors that are objects of classes, also where the node prefers a converter', async () => {
    const made = `class Made {
      kind = 'source'; name = 'Made'; aliases = []; version = '1.0.0'; doc = 'Made.'; spec = {};
      #support = 'supported';
      taskConfigs() { return [{ support: this.#support }]; }
      createTask() { return { support: this.#support }; }
      createInstance() { return { support: this.#support }; }
      validate() { return [{ field: 'name', message: this.#support }]; }
      exactlyOnceSupport() { return this.#support; }
    }`;
    await place.package('all/a', `${made} export const connectors = [new Made()];`);
    registry = new PluginRegistry([], { preferred: { value: 'JsonConverter' } });
    loader = new PluginLoader({ kind: 'source', registry, logger: { info: () => undefined, error: () => undefined } });
    await load();
    const found = registry.find('Made') as SourceConnector;
    expect(found).toMatchObject({ name: 'Made', defaultConverters: { value: 'JsonConverter' } });
    expect([found.taskConfigs({}, 1, SPLITTING), found.createTask(), found.createInstance?.(), found.exactlyOnceSupport?.({})]).toEqual([
      [{ support: 'supported' }],
      { support: 'supported' },
      { support: 'supported' },
      'supported',
    ]);
    expect(found.validate?.({}, new AbortController().signal)).toEqual([{ field: 'name', message: 'supported' }]);
  });

  it('says of each package at once that it is there, before the next one is loaded', async () => {
    await place.package('all/a', source('A'));
    await place.package('all/b', source('B'));
    const seen: unknown[] = [];
    await loader.load([place.path('all')], ({ name }) => {
      seen.push([name, registry.find('A')?.name, registry.find('B')?.name, loader.loaded.length]);
    });
    expect(seen).toEqual([
      ['a', 'A', undefined, 1],
      ['b', 'A', 'B', 2],
    ]);
  });

  it('takes nothing that has changed since another thread loaded it, and names that where a plugin is missing', async () => {
    await place.package('all/a', source('A'));
    await load();
    await place.package('all/a', source('A', '2.0.0'), { version: '2.0.0' });
    const other = new PluginRegistry();
    const second = new PluginLoader({ kind: 'source', registry: other, logger: { info: () => undefined, error: () => undefined } });
    await second.take(loader.loaded);
    expect([other.find('A'), second.loaded]).toEqual([undefined, []]);
    const missing = new ConnectError(ConnectErrorCode.pluginNotFound, 'Failed to find A');
    const folder = place.path('all/a');
    expect(second.explained(missing)).toMatchObject({
      code: missing.code,
      message: `Failed to find A. Its thread has left out ${folder}: ${folder} has changed since the runner loaded it. Put the new version into another folder`,
      cause: missing,
    });
    const another = new Error('late');
    expect([second.explained(another), loader.explained(missing)]).toEqual([another, missing]);
  });
});
