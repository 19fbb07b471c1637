import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

/** Code of a source, a converter and a transform of one version, which all mark what passes them. */
const codeOf = (version: string): string => `
const common = { aliases: [], version: '${version}', doc: 'Of version ${version}.' };
const field = { type: 'string', importance: 'high', doc: 'A setting.' };
const idle = (signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 50);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
const createTask = () => {
  let config;
  let isSent = false;
  return {
    start: async (context) => {
      config = context.config;
      isSent = context.position({ note: config.note }) !== undefined;
    },
    poll: async (signal) => {
      if (isSent) {
        await idle(signal);
        return [];
      }
      isSent = true;
      const value = config.note + ': source ${version}';
      return [{ topic: config.topic, value, schema: { type: 'string' }, partition: { note: config.note }, position: { sent: 1 } }];
    },
    stop: async () => {},
  };
};
export const connectors = [
  { ...common, kind: 'source', name: 'NoteSource', spec: { topic: field, note: field }, taskConfigs: (config) => [config], createTask },
];
export const converters = [
  {
    ...common,
    kind: 'converter',
    name: 'MarkConverter',
    spec: { pin: { type: 'password', importance: 'low', doc: 'Opens.', optional: true } },
    create: () => ({
      toBytes: (value) => (value === null ? null : Buffer.from(value + ', converter ${version}')),
      fromBytes: (bytes) => ({ value: bytes === null ? null : bytes.toString() }),
    }),
  },
];
export const transforms = [
  { ...common, kind: 'transform', name: 'Mark', spec: {}, create: () => ({ apply: (record) => ({ ...record, value: record.value + ', transform ${version}' }) }) },
];
`;

interface Plugin {
  readonly class: string;
  readonly type: string;
  readonly version: string;
  readonly error?: string;
}

describe.each(['1', '2'])('packages of plugins, with task.threads=%s', (threads) => {
  let cluster: SluiceCluster;

  const writePackage = (folder: string, version: string, sdk = '0.1'): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'index.js'), codeOf(version));
    const manifest = { name: '@acme/notes', version, type: 'module', sluice: { plugins: './index.js', sdk } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  };

  const log = (): string => cluster.role('plugged').log.slice(-3000);

  const untilListed = (what: string, condition: (plugins: readonly Plugin[]) => boolean): Promise<readonly Plugin[]> => {
    let plugins: readonly Plugin[] = [];
    return until(
      `the gateway lists ${what}`,
      async () => {
        plugins = (await cluster.request('GET', '/connector-plugins?connectorsOnly=false')).body as readonly Plugin[];
        return condition(plugins) ? plugins : undefined;
      },
      120_000,
      () => JSON.stringify(plugins) + log(),
    );
  };

  const has = (plugins: readonly Plugin[], name: string, version: string): boolean =>
    plugins.some((plugin) => plugin.class === name && plugin.version === version);

  const configOf = (note: string, versions: object): object => ({
    'connector.class': 'NoteSource',
    topic: cluster.topic(note),
    note,
    'value.converter': 'MarkConverter',
    'value.converter.pin': 'hunter2',
    transforms: 'mark',
    'transforms.mark.type': 'Mark',
    ...versions,
  });

  /** What a sink finds in the topic of a note. */
  const noteOf = async (note: string): Promise<string> => {
    const file = cluster.path(`${note}.txt`);
    const config = { 'connector.class': 'FileStreamSink', file, topics: cluster.topic(note), 'value.converter': 'StringConverter' };
    expect((await cluster.request('PUT', `/connectors/${note}-out/config`, config)).status).toBe(201);
    return until(`${note} arrives`, () => existsSync(file) && (readFileSync(file, 'utf8').trim() || undefined), 120_000, log);
  };

  const runningTask = (name: string): Promise<{ readonly version: string; readonly generation: number }> =>
    until(
      `${name} runs`,
      async () => {
        const { body } = await cluster.request('GET', `/connectors/${name}/status`);
        const { connector, tasks } = body as {
          readonly connector: { readonly version?: string };
          readonly tasks: readonly { readonly state: string; readonly version: string; readonly generation: number }[];
        };
        const [task] = tasks;
        return task?.state === 'RUNNING' && connector.version === task.version && task;
      },
      120_000,
      log,
    );

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    for (const version of ['1.0.0', '2.0.0']) writePackage(cluster.path(`plugins/notes-${version}`), version);
    writePackage(cluster.path('plugins/notes-future'), '7.0.0', '7.0');
    expect(await cluster.role('source-runner-1').kill('SIGTERM')).toBe(0);
    cluster.add('source-runner', 'plugged', { SLUICE_PLUGIN_PATH: cluster.path('plugins'), SLUICE_TASK_THREADS: threads }).start();
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  it('run in two versions at the same time, and one for another sdk is named and harms nobody', async () => {
    const plugins = await untilListed('both versions', (each) => has(each, 'NoteSource', '1.0.0') && has(each, 'NoteSource', '2.0.0'));
    expect(plugins).toContainEqual({ class: 'MarkConverter', type: 'converter', version: '2.0.0', doc: 'Of version 2.0.0.' });
    expect(plugins).toContainEqual({ class: 'Mark', type: 'transformation', version: '1.0.0', doc: 'Of version 1.0.0.' });
    expect(plugins.filter(({ type }) => type === 'package')).toMatchObject([
      { class: '@acme/notes', version: '7.0.0', error: expect.stringContaining('sluice.sdk is "7.0"; this runner has version') },
    ]);
    const older = {
      'connector.plugin.version': '1.0.0',
      'value.converter.plugin.version': '[1.0,2.0)',
      'transforms.mark.plugin.version': '1.0.0',
    };
    for (const [name, versions] of [['old', older] as const, ['new', {}] as const]) {
      const created = await cluster.request('PUT', `/connectors/${name}/config`, configOf(name, versions));
      expect([created.status, JSON.stringify(created.body)]).toEqual([201, expect.not.stringContaining('hunter2')]);
    }
    expect((await runningTask('old')).version).toBe('1.0.0');
    expect((await runningTask('new')).version).toBe('2.0.0');
    expect(await noteOf('old')).toBe('old: source 1.0.0, transform 1.0.0, converter 1.0.0');
    expect(await noteOf('new')).toBe('new: source 2.0.0, transform 2.0.0, converter 2.0.0');
  }, 300_000);

  it('are refused in a version that is not there, which names those that are', async () => {
    const { status, body } = await cluster.request(
      'PUT',
      '/connectors/wrong/config',
      configOf('wrong', { 'connector.plugin.version': '3.0.0' }),
    );
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(
      'Invalid value 3.0.0 for configuration connector.plugin.version: NoteSource has no such version. Available versions are: 2.0.0, 1.0.0.',
    );
  });

  it('load while the runner works, and tasks that run stay what they are', async () => {
    const before = await runningTask('new');
    writePackage(cluster.path('notes-3'), '3.0.0');
    renameSync(cluster.path('notes-3'), cluster.path('plugins/notes-3'));
    await untilListed('the third version', (each) => has(each, 'NoteSource', '3.0.0'));
    const versions = { 'connector.plugin.version': '[3.0,)', 'transforms.mark.plugin.version': '2.0.0' };
    expect((await cluster.request('PUT', '/connectors/third/config', configOf('third', versions))).status).toBe(201);
    expect((await runningTask('third')).version).toBe('3.0.0');
    expect(await noteOf('third')).toBe('third: source 3.0.0, transform 2.0.0, converter 3.0.0');
    expect(await runningTask('new')).toMatchObject({ version: '2.0.0', generation: before.generation });
  }, 300_000);

  it('need another folder for each version', async () => {
    writePackage(cluster.path('plugins/notes-1.0.0'), '4.0.0');
    const plugins = await untilListed('the package that was changed', (each) => has(each, '@acme/notes', '4.0.0'));
    expect(plugins.find(({ version }) => version === '4.0.0')?.error).toMatch(
      /has changed since it was loaded. Put the new version into another/,
    );
    expect((await runningTask('old')).version).toBe('1.0.0');
  }, 200_000);
});
