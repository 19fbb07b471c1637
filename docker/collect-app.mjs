// collect-app.mjs APP TARGET: copies what one app needs at run time to TARGET/app: the built code of it and of every package of
// ours that it depends on, their package.json files and the lock file, so that `npm ci` there installs just the rest.
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [app = '', target = ''] = process.argv.slice(2);
const output = join(target, 'app');

async function packageOf(folder) {
  return { folder, ...JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) };
}

async function ourPackages() {
  const folders = [];
  for (const parent of ['apps', 'libs', 'libs/connectors']) {
    for (const entry of await readdir(join(root, parent), { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== 'connectors') folders.push(`${parent}/${entry.name}`);
    }
  }
  return new Map((await Promise.all(folders.map(packageOf))).map((found) => [found.name, found]));
}

const packages = await ourPackages();
const start = [...packages.values()].find(({ folder }) => folder === `apps/${app}`);
if (start === undefined) throw new Error(`APP is "${app}", allowed are the folders of apps`);
const needed = new Set([start]);
for (const { dependencies = {} } of needed) {
  for (const name of Object.keys(dependencies)) if (packages.has(name)) needed.add(packages.get(name));
}
for (const { folder } of packages.values()) {
  // `npm ci` compares all workspaces with the lock file, so every package.json is there; only the needed code is.
  await mkdir(join(output, folder), { recursive: true });
  await cp(join(root, folder, 'package.json'), join(output, folder, 'package.json'));
}
for (const { folder } of needed) {
  await cp(join(root, folder, 'dist'), join(output, folder, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|tsbuildinfo|map)$/.test(path),
  });
}
for (const file of ['package.json', 'package-lock.json', 'LICENSE']) await cp(join(root, file), join(output, file));
await mkdir(join(output, 'test'), { recursive: true });
await cp(join(root, 'test/package.json'), join(output, 'test/package.json'));
await cp(join(dirname(fileURLToPath(import.meta.url)), 'healthcheck.mjs'), join(output, 'healthcheck.mjs'));
await writeFile(join(output, 'main.mjs'), `await import('./apps/${app}/dist/main.js');\n`);
