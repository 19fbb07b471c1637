// npm run new:connector -- NAME: makes libs/connectors/NAME, a package with a source and a sink that build, pass the contract suites and have their
// page in the documentation. The author then replaces the client of the other system.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { connectorFolders, writeReferences } from './connector-projects.mjs';
import { root, run, setUp, stamp } from './setup.mjs';

const usage = `usage: npm run new:connector -- NAME

  Makes the package libs/connectors/NAME with a source and a sink.
  NAME is the system's: small letters, digits and single hyphens, from a letter, at most 40 characters, for example redis or object-store.`;

const template = join(root, 'scripts/connector-template');

/** What is wrong with a name, or undefined. */
function problemOf(name) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    return 'allowed are small letters, digits and single hyphens, from a letter, at most 40 characters';
  }
  const ending = /(^|-)(source|sink|connector)$/.exec(name)?.[2];
  if (ending !== undefined) return `name the system: one package holds its source and its sink, so "${ending}" is left out`;
  if (name.includes('sample')) return 'the template is called "sample"; no other name may hold that word';
  if (existsSync(join(root, 'libs/connectors', name))) return `libs/connectors/${name} exists`;
  for (const className of [`${pascal(name)}Source`, `${pascal(name)}Sink`]) {
    const owner = ownerOf(className);
    if (owner !== undefined) return `libs/connectors/${owner} has a connector called ${className} already`;
  }
  return undefined;
}

/** The connector package whose code claims a class name or alias. */
function ownerOf(className) {
  const folder = join(root, 'libs/connectors');
  return connectorFolders(root).find((name) =>
    readdirSync(join(folder, name, 'src'), { recursive: true })
      .filter((file) => file.endsWith('.connector.ts'))
      .some((file) => readFileSync(join(folder, name, 'src', file), 'utf8').includes(`'${className}'`)),
  );
}

function pascal(name) {
  return name
    .split('-')
    .map((word) => word[0].toUpperCase() + word.slice(1))
    .join('');
}

/** The text of the template with every form of the name of its system replaced. */
function named(text, name) {
  return text
    .replaceAll('Sample', pascal(name))
    .replaceAll(/\bsample(?=[A-Z])/g, name[0] + pascal(name).slice(1))
    .replaceAll('sample', name);
}

async function copyTemplate(name, target) {
  await cp(template, target, { recursive: true, filter: (path) => !['dist', 'node_modules'].includes(basename(path)) });
  for (const entry of await readdir(target, { recursive: true })) {
    const path = join(target, entry);
    if (!(await stat(path)).isFile()) continue;
    await writeFile(path, named(await readFile(path, 'utf8'), name));
    await rename(path, join(dirname(path), named(basename(path), name)));
  }
}

/** Has the lock file and node_modules know the package, as npm install would: it needs nothing that is not installed. */
async function register(name) {
  const lock = join(root, 'package-lock.json');
  const digest = async () =>
    createHash('sha256')
      .update(await readFile(lock))
      .digest('hex');
  const isInstalled = existsSync(stamp) && (await readFile(stamp, 'utf8')) === (await digest());
  await run('npm', [
    ...['install', '--package-lock-only', '--offline', '--ignore-scripts'],
    ...['--no-audit', '--no-fund', '--loglevel=error'],
  ]);
  if (isInstalled) await writeFile(stamp, await digest());
  const link = join(root, 'node_modules/@sluice', `connector-${name}`);
  await mkdir(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(`../../libs/connectors/${name}`, link);
}

const [name = '', ...rest] = process.argv.slice(2);
if (name === '--help') {
  console.log(usage);
  process.exit(0);
}
const problem = rest.length > 0 ? `one name is allowed, ${rest.length + 1} are given` : problemOf(name);
if (problem !== undefined) {
  console.error(`NAME: ${JSON.stringify(name)} given; ${problem}\n\n${usage}`);
  process.exit(2);
}
const target = join(root, 'libs/connectors', name);
try {
  await setUp();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
try {
  await copyTemplate(name, target);
  await run(process.execPath, [join(root, 'node_modules/prettier/bin/prettier.cjs'), '--write', '--log-level=warn', target]);
  writeReferences(root);
  await register(name);
} catch (error) {
  await rm(target, { recursive: true, force: true });
  writeReferences(root);
  console.error(`libs/connectors/${name} was not made: ${error.message}`);
  process.exit(1);
}
try {
  await run('npm', ['run', '--silent', 'build']);
  await run('npm', ['run', '--silent', 'docs:gen']);
} catch (error) {
  console.error(`libs/connectors/${name} is there, but ${error.message}`);
  process.exit(1);
}
console.log(`Made libs/connectors/${name}. Next:
  npm run test:unit -- libs/connectors/${name}   runs its contract suites
  libs/connectors/${name}/src/${name}-client.ts   is to be replaced by the driver of the system
  docs/writing-a-connector.md   says what the runtime expects of a connector`);
