// collect-app.mjs APP TARGET: copies what one app needs at run time to TARGET/app: the built code of it and of every package of
// ours that it depends on, and their package.json files. What they need of others is in node_modules, the same for all apps.
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
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
for (const { folder } of needed) {
  await cp(join(root, folder, 'package.json'), join(output, folder, 'package.json'));
  await cp(join(root, folder, 'dist'), join(output, folder, 'dist'), {
    recursive: true,
    filter: (path) => !/\.(d\.ts|tsbuildinfo|map)$/.test(path),
  });
}
await cp(join(root, 'LICENSE'), join(output, 'LICENSE'));
await cp(join(dirname(fileURLToPath(import.meta.url)), 'healthcheck.mjs'), join(output, 'healthcheck.mjs'));
await writeFile(join(output, 'main.mjs'), `await import('./apps/${app}/dist/main.js');\n`);
