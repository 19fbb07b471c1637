// Writes docs/reference from the specs in the built packages; with --check, fails when a page is not what it would write.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'docs/reference');

/** One spec a line: the page, its title, the built module and the name of the export. */
const specs = [
  ['common-settings.md', 'Settings of every connector', 'libs/runtime/dist/index.js', 'commonSettingsSpec'],
  ['source-settings.md', 'Settings of every source', 'libs/runtime/dist/index.js', 'sourceOnlySettingsSpec'],
  ['sink-settings.md', 'Settings of every sink', 'libs/runtime/dist/index.js', 'sinkOnlySettingsSpec'],
];

const { toMarkdown } = await load('libs/sdk/dist/index.js');

const pages = new Map([['connectors.md', await connectorsPage()]]);
for (const [page, title, module, name] of specs) {
  pages.set(page, `# ${title}\n\n${toMarkdown(exported(await load(module), module, name))}\n`);
}

pages.set('converters.md', await convertersPage());
pages.set('transforms.md', await transformsPage());
pages.set('settings.md', await settingsPage());
pages.set('metrics.md', await metricsPage());
pages.set('rocketmq-client.md', await apiPage('libs/rocketmq/typedoc.json', 'rocketmq-client.md'));

const stale = [];
for (const [page, text] of pages) {
  const path = join(target, page);
  const before = await readFile(path, 'utf8').catch(() => undefined);
  if (before !== text) stale.push(page);
}

if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`docs/reference is stale: ${stale.join(', ')}. Run: npm run docs:gen`);
    process.exitCode = 1;
  }
} else {
  await mkdir(target, { recursive: true });
  for (const page of stale) await writeFile(join(target, page), pages.get(page));
  console.log(stale.length === 0 ? 'docs/reference is up to date' : `written: ${stale.join(', ')}`);
}

/** The page that TypeDoc writes with the options of a package. */
async function apiPage(options, page) {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  try {
    const typedoc = await Application.bootstrapWithPlugins({
      options: join(root, options),
      out: folder,
      skipErrorChecking: true,
      logLevel: 'Error',
    });
    const project = await typedoc.convert();
    if (project === undefined) throw new Error(`TypeDoc could not read what ${options} names`);
    await typedoc.generateOutputs(project);
    return await readFile(join(folder, page), 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The metrics of each role, from the list that they are registered from. */
async function metricsPage() {
  const folder = 'libs/node/dist/metrics';
  const list = `${folder}/metric-definitions.js`;
  const process = `${folder}/process-metrics.js`;
  const specs = Object.entries(exported(await load(list), list, 'metricSpecs'));
  const ofProcess = await exported(await load(process), process, 'processMetrics')();
  const row = (...cells) => `| ${cells.join(' | ')} |`;
  const own = specs.map(([name, { type, labels, roles, help, buckets }]) => {
    const limits = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`;
    const where = roles.length === 4 ? 'all' : roles.join(', ');
    return row(`\`${name}\``, type, codeList(labels), where, help + limits);
  });
  return [
    '# Metrics',
    '',
    'Written by `npm run docs:gen` from the list that the roles register. Every role answers `GET /metrics` on its HTTP port, in the text format of Prometheus.',
    '[How to use them](../operations/metrics.md).',
    '',
    row('Metric', 'Type', 'Labels', 'Roles', 'Description'),
    row('---', '---', '---', '---', '---'),
    ...own,
    '',
    '## Of the process',
    '',
    'On all roles, as `prom-client` makes them.',
    '',
    row('Metric', 'Type', 'Description'),
    row('---', '---', '---'),
    ...ofProcess.map(({ name, type, help }) => row(`\`${name}\``, type, help)),
    '',
  ].join('\n');
}

/** The converters that every runner has, from the list that connectors choose them from. */
async function convertersPage() {
  const { CONVERTER_PLUGINS } = await load('libs/converters/dist/index.js');
  const sections = CONVERTER_PLUGINS.flatMap(({ name, doc, aliases, spec }) => [
    `## ${name}`,
    '',
    `${doc} Other names: ${codeList(aliases)}.`,
    '',
    ...(Object.keys(spec).length === 0 ? ['It has no settings.'] : [toMarkdown(spec)]),
    '',
  ]);
  return [
    '# Converters',
    '',
    'Written by `npm run docs:gen` from the specs of the converters. A connector names its converters in `key.converter`, `value.converter` and',
    '`header.converter`. The settings of a converter have its place and a dot in front, as in `value.converter.schemas.enable`.',
    '`value.converter.plugin.version` chooses one of several versions. [Packages](../writing-a-connector.md#packages-of-plugins) bring further converters.',
    '',
    ...sections,
  ].join('\n');
}

/** The transforms and predicates that every runner has. */
async function transformsPage() {
  const { TRANSFORM_PLUGINS, PREDICATE_PLUGINS } = await load('libs/transforms/dist/index.js');
  const prose = await readFile(join(root, 'libs/transforms/docs/transforms.md'), 'utf8');
  const sectionOf = ({ names, doc, aliases, spec }) => [
    `### ${names.join(', ')}`,
    '',
    aliases.length === 0 ? doc : `${doc} Other names: ${codeList(aliases)}.`,
    '',
    ...(Object.keys(spec).length === 0 ? ['It has no settings.'] : [toMarkdown(spec)]),
    '',
  ];
  return [
    '# Transforms and predicates',
    '',
    'Written by `npm run docs:gen` from the specs of the transforms. A connector lists aliases in `transforms` and names the class of each in',
    '`transforms.<alias>.type`. A source applies them before the converters, a sink behind them. `transforms.<alias>.predicate` names an alias in',
    '`predicates`: the transform is then applied to the records that the predicate is true for, or false for with `transforms.<alias>.negate=true`.',
    '`transforms.<alias>.plugin.version` chooses one of several versions. [Packages](../writing-a-connector.md#packages-of-plugins) bring further ones.',
    '',
    'A record that a transform drops is counted (`filtered` in `sluice_connector_records_dropped_total`); its position or offset advances. A',
    'record that a transform cannot take is bad as one that cannot be converted: `errors.tolerance` decides.',
    '',
    '```properties',
    'transforms=dropTombstones',
    'transforms.dropTombstones.type=Filter',
    'transforms.dropTombstones.predicate=isTombstone',
    'predicates=isTombstone',
    'predicates.isTombstone.type=RecordIsTombstone',
    '```',
    '',
    prose.trim(),
    '',
    '## Transforms',
    '',
    ...withBothParts(TRANSFORM_PLUGINS).flatMap(sectionOf),
    '## Predicates',
    '',
    ...withBothParts(PREDICATE_PLUGINS).flatMap(sectionOf),
  ].join('\n');
}

/** Plugins with all their names; one for keys and one for values, which differ in nothing else, are one entry. */
function withBothParts(plugins) {
  const entries = new Map();
  for (const { name, aliases, ...plugin } of plugins) {
    const base = name.replace(/\$(Key|Value)$/, '');
    const entry = entries.get(base) ?? { ...plugin, names: [], aliases: [] };
    entry.names.push(name);
    entry.aliases.push(...aliases);
    entries.set(base, entry);
  }
  return [...entries.values()];
}

/** The settings of nodes, and what becomes of Apache RocketMQ Connect's keys. */
async function settingsPage() {
  const folder = 'libs/node/dist/settings';
  const { settingsSpec, variableOf } = await load(`${folder}/setting-definitions.js`);
  const { originalKeys } = await load(`${folder}/original-keys.js`);
  const originalsOf = (setting) => Object.entries(originalKeys).flatMap(([key, { honouredAs }]) => (honouredAs === setting ? [key] : []));
  const sections = new Map();
  for (const [name, field] of Object.entries(settingsSpec)) {
    const title = field.roles === undefined ? 'Every role' : `Only ${field.roles.join(' and ')}`;
    const section = sections.get(title) ?? {};
    section[name] = { ...field, aliases: [variableOf(name), ...originalsOf(name)] };
    sections.set(title, section);
  }
  const keys = Object.entries(originalKeys).map(([key, fate]) => `| \`${key}\` | ${fateText(fate)} |`);
  return [
    '# Settings of nodes',
    '',
    'Written by `npm run docs:gen` from the spec of the settings. The first name is the one in a file; the names in brackets are its environment variable and',
    'the keys of Apache RocketMQ Connect that mean the same. [Configuration](../operations/settings.md) says where settings are written and in which order they take effect.',
    '',
    ...[...sections].flatMap(([title, spec]) => [`## ${title}`, '', toMarkdown(spec), '']),
    '## Keys of Apache RocketMQ Connect',
    '',
    'A `connect.conf` can be used as it is. Ignored keys are named in the log at the start; with a refused one, or one that is not in this table, a node does not start.',
    '',
    '| Key | What becomes of it |',
    '| --- | --- |',
    ...keys,
    '',
  ].join('\n');
}

function fateText(fate) {
  if (fate.honouredAs !== undefined) return `\`${fate.honouredAs}\`${fate.note === undefined ? '' : `; ${fate.note}`}`;
  return fate.ignored === undefined ? `**refused**: ${fate.refused}` : `ignored: ${fate.ignored}`;
}

async function connectorsPage() {
  const { findPackages, loadPackage, PluginRegistry } = await load('libs/runtime/dist/index.js');
  const packages = await findPackages(join(root, 'libs/connectors'));
  const sets = await Promise.all(packages.map(async (each) => ({ folder: each.folder, ...(await loadPackage(each)) })));
  const found = sets.flatMap(({ folder, connectors }) => connectors.map((connector) => ({ folder, connector })));
  // Refuses two connectors of one name.
  new PluginRegistry(found.map(({ connector }) => connector));
  const list = found.map(
    ({ connector }) => `| [${connector.name}](#${connector.name.toLowerCase()}) | ${connector.kind} | ${connector.doc} |`,
  );
  const head = [
    '# Connectors',
    '',
    'Written by `npm run docs:gen` from the specs of the connectors. A setting can be written under any of its names. The settings that every connector has',
    'are in [common settings](common-settings.md), [converters](converters.md), [transforms](transforms.md), [source settings](source-settings.md) and [sink settings](sink-settings.md).',
    '',
    '| Connector | Kind | |',
    '| --- | --- | --- |',
    ...list,
  ];
  const sections = await Promise.all(found.map(({ folder, connector }) => connectorSection(folder, connector)));
  return `${head.join('\n')}\n\n${sections.join('\n')}`;
}

async function connectorSection(folder, connector) {
  const lines = [
    `## ${connector.name}`,
    '',
    `${connector.doc} Version ${connector.version}.`,
    '',
    `\`connector.class\`: \`${connector.name}\`${connector.aliases.length > 0 ? `, or as in other systems ${codeList(connector.aliases)}` : ''}.`,
    '',
    toMarkdown(connector.spec),
    '',
  ];
  const converters = Object.entries(connector.defaultConverters ?? {}).map(([part, name]) => `${part} \`${name}\``);
  if (converters.length > 0) lines.push(`Converters unless configured: ${converters.join(', ')}.`, '');
  if (connector.kind === 'source') {
    const support = connector.exactlyOnceSupport === undefined ? 'refused' : 'accepted where the settings allow exactly once';
    lines.push(`\`exactly.once.support=required\` is ${support}.`, '');
  }
  const prose = await readFile(join(folder, 'docs', `${connector.name}.md`), 'utf8');
  lines.push(prose.trim(), '');
  for (const [name, text] of await examplesOf(folder, connector)) lines.push(`Example \`${name}\`:`, '', '```json', text.trim(), '```', '');
  return lines.join('\n');
}

/** The examples of a package that are for the connector, by their `connector.class`. */
async function examplesOf(folder, { name, aliases }) {
  const path = join(folder, 'examples');
  const files = (await readdir(path).catch(() => [])).filter((file) => file.endsWith('.json')).sort();
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(join(path, file), 'utf8')]));
  return texts.filter(([, text]) => [name, ...aliases].includes(JSON.parse(text).config['connector.class']));
}

function codeList(names) {
  return names.map((name) => `\`${name}\``).join(', ');
}

function exported(module, path, name) {
  const value = module[name];
  if (value === undefined) throw new Error(`${path} exports no ${name}`);
  return value;
}

async function load(path) {
  try {
    return await import(join(root, path));
  } catch (error) {
    throw new Error(`${path} cannot be loaded, run npm run build first: ${error.message}`, { cause: error });
  }
}
