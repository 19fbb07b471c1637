import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type ConfigProvider, isSecretName } from '@sluice/sdk';
import { ConfigSecrets } from './config-secrets.js';

const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/db': { password: 'hunter2!', user: 'admin', note: 'a ${env:USER} $${x}' },
  '/db-prod': { password: 'prod-secret' },
};
const asked: string[] = [];
const file: ConfigProvider = {
  get: (path, keys) => {
    asked.push(`${path} ${keys.join()}`);
    const values = files[path];
    return values === undefined ? Promise.reject(new Error(`${path} does not exist`)) : Promise.resolve({ values });
  },
};
const env: ConfigProvider = {
  get: (path, keys) =>
    Promise.resolve({ values: Object.fromEntries(keys.map((key) => [key, path + ({ STAGE: 'prod', ON: 'true' }[key] ?? key)])) }),
};
const providers = new Map([
  ['file', file],
  ['env', env],
]);
const secrets = new ConfigSecrets({ providers });
const name = { name: 'c' };

afterEach(() => {
  asked.length = 0;
});

describe('a configuration with references', () => {
  it.each([
    ['${file:/db:password}', 'hunter2!'],
    ['jdbc:${file:/db:user}:${file:/db:password}@h', 'jdbc:admin:hunter2!@h'],
    ['${file:/db-${env:STAGE}:password}', 'prod-secret'],
    ['${env:${env:STAGE}}', 'prod'],
    ['$${file:/db:password}', '${file:/db:password}'],
    ['$1 ${topic} $${topic}', '$1 ${topic} ${topic}'],
    ['${file:/db:note}', 'a ${env:USER} $${x}'],
  ])('has %s resolved', async (given, value) => {
    const resolved = await secrets.resolve({ ...name, given });
    expect(resolved.valid()).toEqual({ ...name, given: value });
  });

  it('has each path asked for once', async () => {
    await secrets.resolve({ a: '${file:/db:password}${file:/db:user}', b: '${file:/db:password}', c: '${file:/db-prod:password}' });
    expect(asked.sort()).toEqual(['/db password,user', '/db-prod password']);
  });

  it.each([
    ['${file:/none:a}', '${file:/none:a} cannot be resolved: /none does not exist.', true],
    ['${file:/db:none}', '${file:/db:none} cannot be resolved: it has no value.', true],
    ['x${vault:a:b}', '${vault:a:b} cannot be resolved: this runner has no config provider vault, it has file, env;', false],
    ['${file:/db:password', '${file: cannot be resolved: has no closing brace.', false],
    ['${env:${file:/none:a}}', '${env:${file:/none:a}} cannot be resolved: /none does not exist.', true],
  ])('says why %s has no value', async (given, reason, retriable) => {
    const resolved = await secrets.resolve({ ...name, ok: '${file:/db:user}', given });
    expect(resolved.errors).toEqual([
      { field: 'given', message: expect.stringContaining(`Configuration given: the reference ${reason}`), isLasting: !retriable },
    ]);
    expect(resolved.config).toMatchObject({ ok: 'admin', given });
    expect(() => resolved.valid()).toThrow(expect.objectContaining({ retriable }));
  });

  it.each(['name', 'connector.class', 'placement.zone', 'transforms.a.type', 'value.converter', 'restart.max.attempts', 'plugin.version'])(
    'cannot have one as %s, which others read',
    async (field) => {
      const { errors } = await secrets.resolve({ [field]: '${env:STAGE}' });
      expect(errors).toEqual([expect.objectContaining({ field, message: expect.stringContaining('cannot be a reference') })]);
    },
  );

  it('has an error where a provider does not answer in time, and waits no longer', async () => {
    jest.useFakeTimers();
    const silent: ConfigProvider = { get: () => new Promise(() => undefined) };
    const resolving = new ConfigSecrets({ providers: new Map([['silent', silent]]) }).resolve({ a: '${silent:b}' });
    await jest.advanceTimersByTimeAsync(3_000);
    expect((await resolving).errors).toEqual([
      { field: 'a', message: expect.stringContaining('Not done within 3000 ms'), isLasting: false },
    ]);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});

describe('the settings of a task', () => {
  const stored = {
    ...name,
    url: 'db://${file:/db:user}:${file:/db:password}@h',
    password: '${file:/db:password}',
    on: '${env:ON}',
    format: '$${t}',
  };

  it('get their references back', async () => {
    const resolved = await secrets.resolve(stored);
    const task = {
      ...resolved.config,
      part: 'hunter2!@1',
      again: 'hunter2!',
      plain: 'x',
      on2: 'true',
      literal: '${file:/db:user}',
      shape: '${t}',
    };
    expect(resolved.restore(task, 0, isSecretName)).toEqual({
      ...stored,
      part: '${file:/db:password}@1',
      again: '${file:/db:password}',
      plain: 'x',
      on2: 'true',
      literal: '$${file:/db:user}',
      shape: '${t}',
    });
    expect((await secrets.resolve(resolved.restore(task, 0, isSecretName))).config).toEqual(task);
  });

  it('are refused where they hold a value in a form that no reference stands for', async () => {
    const resolved = await secrets.resolve(stored);
    const auth = Buffer.from('admin:hunter2!').toString('base64');
    expect(() => resolved.restore({ ...resolved.config, auth }, 0, isSecretName)).toThrow(
      /a setting auth that holds the value of a reference in another form/,
    );
  });
});

describe('the present values of references', () => {
  const constant: ConfigProvider = { ...env, isConstant: true };
  const holding: ConfigProvider = {
    get: (path, keys) => file.get(path, keys, new AbortController().signal).then(({ values }) => ({ values, ttlMs: 5 })),
  };
  const watching = new ConfigSecrets({ providers: new Map([...providers, ['constant', constant], ['holding', holding]]) });
  const { signal } = new AbortController();

  it('are those of providers whose values may change, with the time that they hold', async () => {
    const sources = ['${file:/db:user}', '${constant:STAGE}', '${holding:/db:user}', '${file:/none:a}', '${constant:${file:/db:user}}'];
    const current = await watching.current(sources, signal);
    expect(current.get('${file:/db:user}')).toEqual({ value: 'admin' });
    expect(current.get('${holding:/db:user}')).toEqual({ value: 'admin', ttlMs: 5 });
    expect(current.get('${constant:${file:/db:user}}')).toEqual({ value: 'admin' });
    expect([current.has('${constant:STAGE}'), current.has('${file:/none:a}')]).toEqual([false, false]);
  });

  it('are asked for in parts where there are many', async () => {
    const sources = Array.from({ length: 1000 }, (_, index) => `\${env:KEY_${index}}`);
    expect((await watching.current(sources, signal)).size).toBe(1000);
  });
});
