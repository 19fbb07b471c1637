// collect-manifests.mjs TARGET: copies what npm needs to install packages to TARGET. Of the tools it keeps those that compile: an image is built
// without linters and test runners.
import { cp, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [target = ''] = process.argv.slice(2);
const compilers = ['@typescript/native', '@types/node', 'esbuild'];
const manifests = ['package.json', 'package-lock.json', '.npmrc'];

for (const path of await readdir(root, { recursive: true })) {
  if (manifests.includes(basename(path))) await cp(join(root, path), join(target, path));
}
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
manifest.devDependencies = Object.fromEntries(compilers.map((name) => [name, manifest.devDependencies[name]]));
await writeFile(join(target, 'package.json'), JSON.stringify(manifest, undefined, 2));
