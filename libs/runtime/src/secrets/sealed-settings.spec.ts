import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isSealed, openSealed, sealedWith, sealValue } from '@sluice/protocol';
import { type ConfigProvider, isSecretName, type TaskConfig } from '@sluice/sdk';
import { ConfigSecrets } from './config-secrets.js';
import type { ValueCipher } from './resolved-config.js';

const keys = ['k1', 'k2'].map((id) => ({ id, bytes: randomBytes(32) }));
const keyNamed = (id: string): (typeof keys)[number] => {
  const key = keys.find((each) => each.id === id);
  if (key === undefined) throw new Error(`no key ${id}`);
  return key;
};
const cipher: ValueCipher = {
  canSeal: true,
  currentKey: 'k1',
  seal: (connector, setting, value, before, keyId = 'k1') => {
    const isKept = typeof before === 'string' && isSealed(before) && sealedWith(before) === keyId;
    if (isKept && cipher.open(connector, setting, before) === value) return before;
    return sealValue(value, keyNamed(keyId), { clusterId: 'c', connector, setting });
  },
  open: (connector, setting, sealed) => openSealed(sealed, (id) => keyNamed(id).bytes, { clusterId: 'c', connector, setting }),
};
const env: ConfigProvider = {
  get: (_, keys) => Promise.resolve({ values: Object.fromEntries(keys.map((each) => [each, `value-of-${each}`])) }),
};
const providers = new Map([['env', env]]);
const present: TaskConfig[] = [];
const secrets = new ConfigSecrets({ providers, cipher, presentTasks: () => present });
const password = 'hunter2!';
const stored = {
  name: 'c',
  password: cipher.seal('c', 'password', password),
  url: cipher.seal('c', 'url', 'db://u:swordfish@h/${env:DB}'),
  plain: 'x',
};

describe('settings with encrypted values', () => {
  it('are opened, and their references resolved', async () => {
    const resolved = await secrets.resolve(stored);
    expect(resolved.written).toEqual({ ...stored, password, url: 'db://u:swordfish@h/${env:DB}' });
    expect(resolved.valid()).toEqual({ ...stored, password, url: 'db://u:swordfish@h/value-of-DB' });
  });

  it.each([
    [
      'no keys',
      new ConfigSecrets({ providers }),
      /password has no value: it is encrypted, and this node has no keys \(secrets\.key\.file\)/,
      false,
    ],
    [
      'other keys',
      new ConfigSecrets({
        cipher: {
          ...cipher,
          open: (_, __, sealed) => openSealed(sealed, () => undefined, { clusterId: 'c', connector: 'c', setting: '' }),
        },
      }),
      /password has no value: it is encrypted with the key k1, which this node does not have/,
      true,
    ],
  ])('have an error by name on a node with %s', async (_, other, message, retriable) => {
    const resolved = await other.resolve({ name: 'c', password: stored.password });
    expect(() => resolved.valid()).toThrow(message);
    expect(() => resolved.valid()).toThrow(expect.objectContaining({ retriable }));
  });

  it('do not open as settings of another connector', async () => {
    const { errors } = await secrets.resolve({ ...stored, name: 'd' });
    expect(errors.map(({ field, isLasting }) => [field, isLasting])).toEqual([
      ['password', true],
      ['url', true],
    ]);
  });

  it('are stored as they were, and what tasks get of their secrets is encrypted', async () => {
    const resolved = await secrets.resolve(stored);
    const task = {
      ...resolved.config,
      'own.password': 'other-secret',
      'part.of.it': `user=${password}`,
      'in.base64': Buffer.from(`u:${password}`).toString('base64'),
      'in.url': 'https://u:x@h/',
      of: 'value-of-DB',
      'of.base64': Buffer.from('value-of-DB').toString('base64'),
      plain: 'y',
    };
    const restored = resolved.restore(task, 0, isSecretName);
    expect(restored).toMatchObject({ ...stored, plain: 'y', of: '${env:DB}' });
    const sealed = ['own.password', 'part.of.it', 'in.base64', 'in.url', 'of.base64'];
    expect(sealed.map((field) => sealedWith(restored[field] ?? ''))).toEqual(sealed.map(() => 'k1'));
    expect((await secrets.resolve(restored)).valid()).toEqual(task);
  });

  it('are encrypted where a text has a word that a reference stands for', async () => {
    const resolved = await secrets.resolve(stored);
    const task = { ...resolved.config, tables: 'value-of-DB.orders' };
    const restored = resolved.restore(task, 0, isSecretName);
    expect(sealedWith(restored['tables'] ?? '')).toBe('k1');
    expect((await secrets.resolve(restored)).config['tables']).toBe('value-of-DB.orders');
  });

  it('stay what the present tasks have where that is the same: nothing restarts for another nonce', async () => {
    const resolved = await secrets.resolve(stored);
    const task = { ...resolved.config, 'own.password': 'other-secret' };
    const first = resolved.restore(task, 0, isSecretName);
    present[0] = first;
    expect(resolved.restore(task, 0, isSecretName)).toEqual(first);
    expect(resolved.restore({ ...task, 'own.password': 'changed' }, 0, isSecretName)['own.password']).not.toBe(first['own.password']);
  });

  it('have the key of the settings of their connector, whichever key their runner has first', async () => {
    const under = async (keyId: string): Promise<TaskConfig> => {
      const resolved = await secrets.resolve({ name: 'c', password: cipher.seal('c', 'password', password, undefined, keyId) });
      const task = { ...resolved.config, 'own.password': 'other-secret' };
      return resolved.restore(task, 0, isSecretName);
    };
    present[0] = await under('k1');
    const rotated = await under('k2');
    expect([present[0], rotated].map((each) => sealedWith(each['own.password'] ?? ''))).toEqual(['k1', 'k2']);
    present[0] = rotated;
    expect((await under('k2'))['own.password']).toBe(rotated['own.password']);
    const without = (await secrets.resolve({ name: 'c' })).restore({ name: 'c', 'own.password': 'other-secret' }, 0, isSecretName);
    expect(sealedWith(without['own.password'] ?? '')).toBe('k1');
    present.length = 0;
  });
});
