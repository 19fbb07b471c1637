import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

const jest = (path: string): ReturnType<WorkspaceCopy['run']> =>
  copy.run('npm', ['run', '--silent', 'test:unit', '--', path]);

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
      expect(tested.output).toContain('16 passed, 0 failed');
      expect(tested.code).toBe(0);

      const page = await readFile(copy.path('docs/reference/connectors.md'), 'utf8');
      for (const part of [
        '| [ObjectStoreSource]',
        '## ObjectStoreSource',
        '## ObjectStoreSink',
        '"topics": "object-store"',
      ]) {
        expect(page).toContain(part);
      }

      const bundle = copy.path('.sluice/source-runner');
      const bundled = await copy.run(process.execPath, ['docker/bundle-app.mjs', 'source-runner', bundle]);
      expect(bundled).toEqual({ code: 0, output: '' });
      for (const main of ['apps/source-runner/dist/main.js', '.sluice/source-runner/app/dist/role/main.mjs']) {
        const found = await copy.run(process.execPath, ['--input-type=module', '-e', printSourcesOf(main)]);
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
});

/** Code that prints the names of the sources that a runner with this main module has. */
function printSourcesOf(main: string): string {
  return `
    const { connectorsOf } = await import(${JSON.stringify(`file://${copy.path('libs/runtime/dist/index.js')}`)});
    const sources = await connectorsOf(${JSON.stringify(`file://${copy.path(main)}`)}, 'source');
    console.log(sources.map(({ name }) => name).join());`;
}
