import { execFileSync } from 'node:child_process';
import { link, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigSecrets, PluginRegistry, type ResolvedTask } from '@sluice/runtime';
import type { ConfigProvider, SourceConnector } from '@sluice/sdk';
import { configProviders } from './built-in-providers.js';
import { openProviders } from './open-providers.js';
import { SecretWatch } from './secret-watch.js';

let folder: string;

function provider(className: string, params: Readonly<Record<string, string>> = {}, ownFiles: readonly string[] = []): ConfigProvider {
  const registry = new PluginRegistry();
  registry.add({ configProviders: configProviders(ownFiles) });
  const opened = openProviders([{ name: 'p', className, params }], registry.configProviders).get('p');
  if (opened === undefined) throw new Error('not opened');
  return opened;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'refused-'));
  await writeFile(join(folder, 'token'), 'value');
  await writeFile(join(folder, 'keys'), 'k1=c2VjcmV0\n');
  await link(join(folder, 'keys'), join(folder, 'other-name'));
});
afterAll(() => rm(folder, { recursive: true }));

const { signal } = new AbortController();

describe('the config providers of files', () => {
  it('read a folder that allowed.paths names with a slash at its end', async () => {
    const { values } = await provider('dir', { 'allowed.paths': `${folder}/` }).get(folder, ['token'], signal);
    expect(values).toEqual({ token: 'value' });
  });

  it('read a single file of a folder that allowed.paths names', async () => {
    const { values } = await provider('dir', { 'allowed.paths': join(folder, 'token') }).get(folder, ['token'], signal);
    expect(values).toEqual({ token: 'value' });
  });

  it('give what is there beside what is not: others use the same folder', async () => {
    const { values } = await provider('dir').get(folder, ['gone', 'token'], signal);
    expect(values).toEqual({ token: 'value' });
  });

  it('do not leave allowed.paths by a link', async () => {
    const other = await mkdtemp(join(tmpdir(), 'refused-other-'));
    await symlink(folder, join(other, 'link'));
    const reading = provider('dir', { 'allowed.paths': other }).get(join(other, 'link'), ['token'], signal);
    expect(await reading).toMatchObject({ values: {}, reasons: { token: expect.stringContaining('does not allow') } });
    await rm(other, { recursive: true });
  });

  it('do not read the variables of the process past the allow list of env', async () => {
    const isRead = await provider('dir')
      .get('/proc/self', ['environ'], signal)
      .then(
        ({ values }) => (values['environ'] ?? '').includes('PATH='),
        () => false,
      );
    expect(isRead).toBe(false);
  });

  it.each(['keys', 'other-name'])('do not read the credentials of the node itself as %s', async (key) => {
    const answer = await provider('dir', {}, [join(folder, 'keys')]).get(folder, [key], signal);
    expect(answer).toEqual({ values: {}, reasons: { [key]: `${join(folder, key)} has credentials of the node itself` } });
    const reading = provider('file', {}, [join(folder, 'keys')]).get(join(folder, key), ['k1'], signal);
    await expect(reading).rejects.toThrow('has credentials of the node itself');
  });

  it('read no endless file', async () => {
    const before = process.memoryUsage().rss;
    const limit = AbortSignal.timeout(300);
    await provider('file')
      .get('/dev/zero', ['x'], limit)
      .catch(() => undefined);
    expect((process.memoryUsage().rss - before) / 1024 / 1024).toBeLessThan(50);
  });

  it('keep no thread of the pool that reads files', async () => {
    const fifos = Array.from({ length: 4 }, (_, at) => join(folder, `fifo${at}`));
    execFileSync('mkfifo', fifos);
    const reads = fifos.map((each) =>
      provider('file')
        .get(each, ['x'], AbortSignal.timeout(200))
        .catch(() => undefined),
    );
    const late = new Promise((resolve) => setTimeout(resolve, 1_500, 'no file can be read'));
    const first = await Promise.race([readFile(join(folder, 'token'), 'utf8'), late]);
    await Promise.all(reads);
    expect(first).toBe('value');
  });
});

describe('the config provider of variables', () => {
  it('does not give the settings of the node itself', async () => {
    process.env['SLUICE_SECRET_KEY'] = 'value';
    const { values, reasons } = await provider('env').get('', ['SLUICE_SECRET_KEY'], signal);
    delete process.env['SLUICE_SECRET_KEY'];
    expect([values, reasons]).toEqual([{}, { SLUICE_SECRET_KEY: 'SLUICE_SECRET_KEY is a setting of the node itself' }]);
  });

  it('blames no reference for another one', async () => {
    process.env['REFUSED_SPEC_OK'] = 'fine';
    const env = provider('env', { 'allowlist.pattern': 'REFUSED_SPEC_.*' });
    const secrets = new ConfigSecrets({ providers: new Map([['env', env]]) });
    const { errors } = await secrets.resolve({ name: 'c', good: '${env:REFUSED_SPEC_OK}', bad: '${env:HOME}' });
    expect(errors.map(({ field }) => field)).toEqual(['bad']);
  });
});

describe('the watch over secrets', () => {
  const task: ResolvedTask = {
    id: { connector: 'a', index: 0 },
    generation: 1,
    type: 'source',
    config: {},
    paused: false,
    committed: false,
  };

  function watchOf(secrets: ConfigSecrets, renewed: string[], clock: { nowMs: number }): SecretWatch {
    return new SecretWatch({
      secrets,
      held: () => new Set(['a-0']),
      renew: (key) => renewed.push(key),
      logger: { info: () => undefined, debug: () => undefined },
      nowMs: () => clock.nowMs,
      intervalMs: 10_000,
    });
  }
  const source: SourceConnector = {
    kind: 'source',
    name: 'S',
    aliases: [],
    version: '1.0.0',
    doc: 'S.',
    spec: {},
    taskConfigs: () => [{}],
    createTask: () => {
      throw new Error('not needed');
    },
  };
  const config = { name: 'a', 'connector.class': 'S', topic: 't', pin: '${v:PIN}' };

  it('asks nobody before the time is over for which the value of the start holds', async () => {
    let asked = 0;
    const vault: ConfigProvider = { get: () => Promise.resolve({ values: { PIN: `lease-${(asked += 1)}` }, ttlMs: 3_600_000 }) };
    const secrets = new ConfigSecrets({ providers: new Map([['v', vault]]) });
    const registry = new PluginRegistry([source], { secrets });
    const renewed: string[] = [];
    const clock = { nowMs: 0 };
    const watch = watchOf(secrets, renewed, clock);
    watch.note(task, await registry.resolveTask({ ...task, config }, signal));
    clock.nowMs += 10_000;
    await watch.look();
    expect([asked, renewed]).toEqual([1, []]);
  });

  it('does not restart a task without end whose provider makes another value for each question', async () => {
    let asked = 0;
    const vault: ConfigProvider = { get: () => Promise.resolve({ values: { PIN: `lease-${(asked += 1)}` } }) };
    const secrets = new ConfigSecrets({ providers: new Map([['v', vault]]) });
    const registry = new PluginRegistry([source], { secrets });
    const renewed: string[] = [];
    const clock = { nowMs: 0 };
    const watch = watchOf(secrets, renewed, clock);
    for (let minute = 0; minute < 6; minute += 1) {
      watch.note(task, await registry.resolveTask({ ...task, config }, signal));
      clock.nowMs += 10_000;
      await watch.look();
    }
    expect(renewed.length).toBeLessThan(6);
  });

  it('sees a value that changes while a task starts', async () => {
    const answers = ['old', 'new'];
    const vault: ConfigProvider = { get: () => Promise.resolve({ values: { PIN: answers.shift() ?? 'new' } }) };
    const secrets = new ConfigSecrets({ providers: new Map([['v', vault]]) });
    const registry = new PluginRegistry([source], { secrets });
    const renewed: string[] = [];
    const clock = { nowMs: 0 };
    const watch = watchOf(secrets, renewed, clock);
    const resolved = await registry.resolveTask({ ...task, config, connectorConfig: config }, signal);
    expect([resolved.config['pin'], resolved.connectorConfig?.['pin']]).toEqual(['old', 'old']);
    watch.note(task, resolved);
    for (let look = 0; look < 3; look += 1) {
      clock.nowMs += 10_000;
      await watch.look();
    }
    expect(renewed).toEqual(['a-0']);
  });

  it('asks again where a provider answers a time that is no number', async () => {
    let value = 'one';
    const vault: ConfigProvider = { get: () => Promise.resolve({ values: { PIN: value }, ttlMs: Number.NaN }) };
    const secrets = new ConfigSecrets({ providers: new Map([['v', vault]]) });
    const registry = new PluginRegistry([source], { secrets });
    const renewed: string[] = [];
    const clock = { nowMs: 0 };
    const watch = watchOf(secrets, renewed, clock);
    watch.note(task, await registry.resolveTask({ ...task, config }, signal));
    for (let look = 0; look < 3; look += 1) {
      clock.nowMs += 10_000;
      await watch.look();
      value = 'two';
    }
    expect(renewed).toEqual(['a-0']);
  });

  it('sees the change of one secret while another one of the same folder is gone', async () => {
    await writeFile(join(folder, 'one'), '1');
    await writeFile(join(folder, 'two'), '2');
    const secrets = new ConfigSecrets({ providers: new Map([['dir', provider('dir')]]) });
    const registry = new PluginRegistry([source], { secrets });
    const renewed: string[] = [];
    const clock = { nowMs: 0 };
    const watch = new SecretWatch({
      secrets,
      held: () => new Set(['a-0', 'b-0']),
      renew: (key) => renewed.push(key),
      logger: { info: () => undefined, debug: () => undefined },
      nowMs: () => clock.nowMs,
      intervalMs: 10_000,
    });
    for (const [connector, key] of [
      ['a', 'one'],
      ['b', 'two'],
    ] as const) {
      const each = { ...task, id: { connector, index: 0 }, config: { ...config, name: connector, pin: `\${dir:${folder}:${key}}` } };
      watch.note(each, await registry.resolveTask(each, signal));
    }
    await rm(join(folder, 'one'));
    await writeFile(join(folder, 'two'), 'rotated');
    for (let look = 0; look < 3; look += 1) {
      clock.nowMs += 10_000;
      await watch.look();
    }
    expect(renewed).toEqual(['b-0']);
  });
});
