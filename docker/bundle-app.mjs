// bundle-app.mjs APP TARGET: puts the built code of one app, with nearly all that it imports, into a few files in TARGET/app/dist/role. Of the
// time that a role takes to get ready, finding and reading two thousand modules would be the greater part. An app whose package.json names a folder
// of connector packages gets those into TARGET/app/connectors, each with a package.json that the runner finds it by, as in the workspace.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { connectorPackages } from '../scripts/connector-projects.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [app = '', target = ''] = process.argv.slice(2);
const output = join(target, 'app');
const manifest = JSON.parse(await readFile(join(root, 'apps', app, 'package.json'), 'utf8'));
const connectors = manifest.sluice?.connectorFolder === undefined ? [] : connectorPackages(root);
const fromNode = createRequire(join(root, 'libs/node/package.json'));

/** Loaded from node_modules: Nest's decorators need it before any other module, which holds for an import that stays one. */
const external = ['reflect-metadata'];

/**
 * Loaded from node_modules too, as the CommonJS that they are. Our code resolves gRPC and Protobuf from the place of the client that brings them.
 * Nest takes names from `import()` of the validation packages; a bundle would keep only the default export. An import would have Node search all
 * their code for the names that they export; here they are listed.
 */
const required = /^(rocketmq-client-nodejs|class-transformer|class-validator)(\/|$)/;
const commonJs = {
  name: 'common-js',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: required }, ({ path }) => ({ path, namespace: 'common-js' }));
    onLoad({ filter: /.*/, namespace: 'common-js' }, ({ path }) => {
      const names = Object.keys(fromNode(path)).filter((name) => name !== 'default');
      const contents = [
        "import { createRequire } from 'node:module';",
        `const loaded = createRequire(import.meta.url)('${path}');`,
        `export default loaded;`,
        `export const { ${names.join()} } = loaded;`,
      ].join('\n');
      return { contents };
    });
  },
};

/** Packages that other packages use where they are installed, such as Nest's transports: those that are not there stay imports. */
const absentPeers = {
  name: 'absent-peers',
  setup({ onResolve, resolve }) {
    const seen = Symbol('seen');
    onResolve({ filter: /^[^./]/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === seen || !importer.includes('/node_modules/')) return undefined;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: seen });
      return found.errors.length === 0 ? found : { path, external: true };
    });
  },
};

const { metafile } = await build({
  entryPoints: [
    { in: join(root, 'apps', app, 'dist/main.js'), out: 'dist/role/main' },
    ...connectors.map(({ folder, module }) => ({
      in: join(root, 'libs/connectors', folder, module),
      out: outOf(folder, module),
    })),
  ],
  outdir: output,
  // The metrics read the version two folders above the code.
  chunkNames: 'dist/role/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // Nest names what it makes, and errors say what they are, by the names of classes.
  keepNames: true,
  external,
  plugins: [commonJs, absentPeers],
  // What is not an ES module calls `require` for modules of Node.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
/** The exporter of traces brings detectors of the host, which nobody calls. */
const uncalled = /node_modules\/@opentelemetry\/resources\/.*\/machine-id\//;
const nameless = Object.values(metafile.outputs).filter(
  ({ entryPoint = '', exports }) => entryPoint.includes('node_modules/') && exports.join() === 'default' && !uncalled.test(entryPoint),
);
if (nameless.length > 0) {
  const entries = nameless.map(({ entryPoint }) => entryPoint).join(', ');
  throw new Error(`import() finds no names in the bundle of what is no ES module, make it external: ${entries}`);
}

await writeManifest(output, {
  name: manifest.name,
  version: manifest.version,
  ...(connectors.length > 0 ? { sluice: { connectorFolder: './connectors' } } : {}),
});
for (const { folder, name, version, module, sdk } of connectors) {
  const sluice = { plugins: `./${parse(module).name}.mjs`, sdk };
  await writeManifest(join(output, 'connectors', folder), { name, version, sluice });
}
for (const [from, name] of [
  ['LICENSE', 'LICENSE'],
  ['docker/healthcheck.mjs', 'healthcheck.mjs'],
]) {
  await cp(join(root, from), join(output, name));
}

/** Where the module of a connector package goes, without its extension. */
function outOf(folder, module) {
  return join('connectors', folder, parse(module).name);
}

async function writeManifest(folder, fields) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...fields, type: 'module' }));
}
