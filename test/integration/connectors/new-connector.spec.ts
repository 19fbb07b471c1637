import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connector, SinkConnector, SourceConnector } from '@sluice/sdk';
import { repositoryRoot, until } from '../../support/sluice-cluster.js';
import { DataPlane } from '../runtime/data-plane.js';
import { WorkspaceCopy } from './workspace-copy.js';

const name = 'object-store';
const limitMs = 300_000;
let copy: WorkspaceCopy;

beforeAll(async () => {
  copy = await WorkspaceCopy.make();
}, limitMs);
afterAll(() => copy.remove());

const newConnector = (...args: readonly string[]): ReturnType<WorkspaceCopy['run']> =>
  copy.run('npm', ['run', '--silent', 'new:connector', '--', ...args]);

const jest = (path: string): ReturnType<WorkspaceCopy['run']> => copy.run('npm', ['run', '--silent', 'test:unit', '--', path]);

describe('npm run new:connector', () => {
  it.each([
    [[], 'NAME: "" given; allowed are small letters'],
    [['Redis'], 'NAME: "Redis" given; allowed are small letters'],
    [['../redis'], 'NAME: "../redis" given; allowed are small letters'],
    [['-redis'], 'NAME: "-redis" given; allowed are small letters'],
    [['a'.repeat(41)], 'at most 40 characters'],
    [['redis-sink'], 'so "sink" is left out'],
    [['redis', 'mongo'], 'one name is allowed, 2 are given'],
    [['datagen-source'], 'so "source" is left out'],
    [['sample-store'], 'the template is called "sample"'],
    [['file-stream'], 'has a connector called FileStreamSource already'],
  ])('refuses %j and makes nothing', async (args, message) => {
    const before = await readdir(copy.path('libs/connectors'));
    const { code, output } = await newConnector(...args);
    expect(output).toContain(message);
    expect(code).toBe(2);
    expect(await readdir(copy.path('libs/connectors'))).toEqual(before);
  });

  it(
    'makes a package that builds, passes the contract suites, has its page and is found by the runners',
    async () => {
      const made = await newConnector(name);
      expect(made.output).toContain(`Made libs/connectors/${name}`);
      expect(made.code).toBe(0);

      const tested = await jest(`libs/connectors/${name}`);
      // The suites grow.
      const [, passed] = /(\d+) passed, 0 failed/.exec(tested.output) ?? [];
      expect(Number(passed)).toBeGreaterThan(20);
      expect(tested.code).toBe(0);

      const page = await readFile(copy.path('docs/reference/connectors.md'), 'utf8');
      for (const part of ['| [ObjectStoreSource]', '## ObjectStoreSource', '## ObjectStoreSink', '"topics": "object-store"']) {
        expect(page).toContain(part);
      }

      const bundle = copy.path('.sluice/source-runner');
      const bundled = await copy.run(process.execPath, ['docker/bundle-app.mjs', 'source-runner', bundle]);
      expect(bundled).toEqual({ code: 0, output: '' });
      for (const main of ['apps/source-runner/dist/main.js', '.sluice/source-runner/app/dist/role/main.mjs']) {
        const found = await copy.run(process.execPath, ['--input-type=module', '-e', printConnectorsOf(main)]);
        expect(found.output).toContain('ObjectStoreSource');
      }
    },
    limitMs,
  );

  it(
    'leaves nothing stale: list of projects, documentation and lock file know the package',
    async () => {
      for (const script of [['build', '--', '--check'], ['docs:check']]) {
        expect(await copy.run('npm', ['run', '--silent', ...script])).toEqual({ code: 0, output: '' });
      }
      const prettier = ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn'];
      const format = await copy.run(process.execPath, [...prettier, `libs/connectors/${name}`]);
      expect(format).toEqual({ code: 0, output: '' });
      const lock = JSON.parse(await readFile(copy.path('package-lock.json'), 'utf8')) as { packages: object };
      expect(lock.packages).toHaveProperty([`libs/connectors/${name}`, 'name'], `@sluice/connector-${name}`);
      expect((await newConnector(name)).output).toContain(`libs/connectors/${name} exists`);
    },
    limitMs,
  );

  it('makes the code that docs/writing-a-connector.md shows', async () => {
    const files = await readdir(copy.path('libs/connectors', name, 'src'), { recursive: true });
    const texts = await Promise.all(
      files.filter((file) => file.endsWith('.ts')).map((file) => readFile(copy.path('libs/connectors', name, 'src', file), 'utf8')),
    );
    // What is no code of a connector stands in a spec.
    texts.push(await readFile(`${repositoryRoot}/libs/sdk/src/schema/schema-builder.spec.ts`, 'utf8'));
    const guide = await readFile(copy.path('docs/writing-a-connector.md'), 'utf8');
    const shown = [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
    expect(shown.length).toBeGreaterThan(5);
    // A part of a file stands in the guide without the indentation that it has there.
    const flat = (text: string): string => text.replaceAll(/^ +/gm, '');
    for (const code of shown) expect(texts.map(flat).join('')).toContain(flat(code));
  });

  it('makes tasks that move entries through a topic of a real RocketMQ', async () => {
    const module = pathToFileURL(copy.path('libs/connectors', name, 'dist/index.js')).href;
    const { connectors } = (await import(module)) as { readonly connectors: readonly Connector[] };
    const source = connectors.find((each): each is SourceConnector => each.kind === 'source')!;
    const sink = connectors.find((each): each is SinkConnector => each.kind === 'sink')!;
    const plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
    try {
      const topic = await plane.topic(1);
      const [from, to] = [join(copy.root, 'from.jsonl'), join(copy.root, 'to.jsonl')];
      const entries = ['one', 'two', '', 'vier ü'].map((entry) => `${JSON.stringify(entry)}\n`).join('');
      await writeFile(from, entries);
      const reading = await plane.source(source.createTask(), { config: { path: from, topic } });
      const writing = await plane.sink(sink.createTask(), topic, { path: to });
      await until('all entries arrive', async () => (await readFile(to, 'utf8')) === entries);
      expect(await reading.loop.stop()).toEqual({ kind: 'stopped', clean: true });
      await writing.loop.stop();
    } finally {
      await plane.close();
    }
  });
});

/** Code that prints the names of the connectors that a runner with this main module has. */
function printConnectorsOf(main: string): string {
  return `
    const { builtInFolder, findPackages, loadPackage } = await import(${JSON.stringify(`file://${copy.path('libs/runtime/dist/index.js')}`)});
    const packages = await findPackages(await builtInFolder(${JSON.stringify(`file://${copy.path(main)}`)}));
    const sets = await Promise.all(packages.map((each) => loadPackage(each)));
    console.log(sets.flatMap(({ connectors }) => connectors.map(({ name }) => name)).join());`;
}
