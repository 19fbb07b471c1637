import { describe, expect, it } from '@jest/globals';
import { type ConfigProvider, isSecretName, RetriableError, type SourceConnector, type TaskConfig } from '@sluice/sdk';
import { describerOf } from '../host/error-trace.js';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { SPLITTING } from '../testing/split-context.js';
import { ConfigSecrets } from './config-secrets.js';

const values: Record<string, string> = {};
let isOut = false;
const vault: ConfigProvider = {
  get: (_, keys) =>
    isOut
      ? Promise.reject(new Error('the vault answered 503'))
      : Promise.resolve({ values: Object.fromEntries(keys.flatMap((key) => (values[key] === undefined ? [] : [[key, values[key]]]))) }),
};
const file: ConfigProvider = { get: (path) => Promise.reject(new Error(`${path} does not exist`)) };
const providers = new Map([
  ['v', vault],
  ['file', file],
]);
const secrets = new ConfigSecrets({ providers });
const source: SourceConnector = {
  kind: 'source',
  name: 'ListSource',
  aliases: [],
  version: '1.0.0',
  doc: 'Lists.',
  spec: {
    lists: { type: 'list', importance: 'high', doc: 'Lists.', optional: true },
    pin: { type: 'password', importance: 'low', doc: 'Opens.', optional: true },
  },
  taskConfigs: (config, most) => Array.from({ length: most }, (_, part) => ({ ...config, lists: String(part) })),
  createTask: () => {
    throw new Error('not needed');
  },
};
const registry = new PluginRegistry([source], { secrets });
const good = { name: 'c', 'connector.class': 'ListSource', topic: 't' };

describe('references', () => {
  it('without a value for a moment do not fail the split of a connector for good', async () => {
    values['PIN'] = 's3cret-pin';
    isOut = true;
    const answer = await registry.taskConfigs({ ...good, pin: '${v:PIN}' }, SPLITTING).catch((error: unknown) => error);
    isOut = false;
    // For an `error` the leader has the tasks failed, which nothing repeats.
    expect(answer).toBeInstanceOf(RetriableError);
  });

  it.each(['tasks.max', 'max.tasks'])('as %s are refused: the leader reads it', async (field) => {
    values['N'] = '3';
    const config = { ...good, [field]: '${v:N}' };
    const { errorCount } = await registry.validate('ListSource', config);
    expect(errorCount).toBe(1);
  });

  it('inside others do not show their values in the status of a task', async () => {
    values['TOKEN'] = 's3cret-token';
    const config = { ...good, pin: '${file:/vault/${v:TOKEN}/x:key}' };
    const task = { id: { connector: 'c', index: 0 }, generation: 1, type: 'source', paused: false, committed: false, config } as const;
    const error: unknown = await registry.resolveTask(task, new AbortController().signal).catch((each: unknown) => each);
    // What HostedTask does: it has no resolved task yet.
    expect(describerOf(task, registry)(error)).not.toContain('s3cret-token');
  });

  it('do not replace words of a task setting that only look like a value', async () => {
    values['USER'] = 'app';
    const stored = { ...good, user: '${v:USER}' };
    const resolved = await secrets.resolve(stored);
    const task = { ...resolved.config, tables: 'app.orders,apples' };
    const restored = resolved.restore(task, 0, isSecretName);
    values['USER'] = 'app_v2';
    // After the rotation the task would read tables that do not exist: app_v2.orders, app_v2les.
    expect((await secrets.resolve(restored)).config['tables']).toBe('app.orders,apples');
  });

  it('are not mixed up where two of them have the same value for now', async () => {
    Object.assign(values, { ADMIN: 'first-password', READER: 'first-password' });
    const resolved = await secrets.resolve({ ...good, 'admin.password': '${v:ADMIN}', 'reader.password': '${v:READER}' });
    const task: TaskConfig = { ...good, 'pool.password': resolved.config['reader.password'] ?? '' };
    // Whichever is chosen may be the wrong one after a rotation.
    expect(() => resolved.restore(task, 0, isSecretName)).toThrow(/setting pool\.password that holds .* one that several have/);
    const own = resolved.restore({ ...resolved.config, 'reader.password': 'first-password', x: 'y' }, 0, isSecretName);
    expect(own['reader.password']).toBe('${v:READER}');
  });

  it('to files that end with a line feed leave other settings alone', async () => {
    values['FILE'] = 'app\n';
    const resolved = await secrets.resolve({ ...good, user: '${v:FILE}' });
    expect(() => resolved.restore({ ...resolved.config, tables: 'app.orders' }, 0, isSecretName)).not.toThrow();
  });

  it('have their values kept out of task settings that hold a part of them', async () => {
    values['HOSTS'] = 'u1:s3cret-a@h1:1,u2:s3cret-b@h2:2';
    const resolved = await secrets.resolve({ ...good, hosts: '${v:HOSTS}', 'api.keys': '${v:KEYS}' });
    values['KEYS'] = 's3cret-c,s3cret-d';
    const again = await secrets.resolve({ ...good, hosts: '${v:HOSTS}', 'api.keys': '${v:KEYS}' });
    let text = '';
    try {
      text = JSON.stringify(again.restore({ ...again.config, hosts: 'u1:s3cret-a@h1:1', 'api.keys': 's3cret-c' }, 0, isSecretName));
    } catch {
      // Refused is fine.
    }
    expect(resolved.errors).toHaveLength(1);
    expect(text).not.toContain('s3cret');
  });

  it('of settings of the control plane that a connector gives its tasks hold no secret', async () => {
    values['PIN'] = 's3cret-pin';
    const resolved = await secrets.resolve({ ...good, pin: '${v:PIN}' });
    for (const field of ['sluice.dsn', 'placement.note']) {
      expect(() => resolved.restore({ ...good, [field]: 'u:s3cret-pin' }, 0, (name) => name === 'pin')).toThrow(
        `a setting ${field} that holds`,
      );
    }
  });

  it('that 50 tasks use, each with ten inside it, are still looked at', async () => {
    Object.assign(values, Object.fromEntries(Array.from({ length: 600 }, (_, at) => [`K${at}`, `${at}`])));
    const inner = (at: number): string => Array.from({ length: 10 }, (_, each) => `\${v:K${at * 10 + each}}`).join('');
    const sources = Array.from({ length: 50 }, (_, at) => `\${v:X${inner(at)}}`);
    for (const at of sources.keys()) values[`X${Array.from({ length: 10 }, (_, each) => `${at * 10 + each}`).join('')}`] = 'value';
    const one = await secrets.resolve({ ...good, a: sources[0] ?? '' });
    expect(one.errors).toEqual([]);
    const current = await secrets.current(sources, new AbortController().signal);
    expect(current.get(sources[0] ?? '')?.value).toBe('value');
  });
});

describe('the settings of a task', () => {
  it('are restored without a computation per occurrence and value: the lease of all tasks waits', async () => {
    const names = Array.from({ length: 10 }, (_, at) => `P${at}`);
    for (const each of names) values[each] = each === 'P0' ? 'sales' : `some-password-${each}`;
    const resolved = await secrets.resolve({ ...good, ...Object.fromEntries(names.map((each) => [each, `\${v:${each}}`])) });
    const tables = Array.from({ length: 2_000 }, (_, at) => `sales.t${at}`).join();
    const before = process.cpuUsage();
    resolved.restore({ ...resolved.config, tables }, 0, isSecretName);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(100);
  });
});
