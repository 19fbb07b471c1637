import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PluginRegistry } from '@sluice/runtime';
import type { ConfigProvider } from '@sluice/sdk';
import { configProviders } from './built-in-providers.js';
import { openProviders } from './open-providers.js';

const KAFKA = 'org.apache.kafka.common.config.provider';
const { signal } = new AbortController();
let folder: string;

function table() {
  const registry = new PluginRegistry();
  registry.add({ configProviders: configProviders() });
  return registry.configProviders;
}

function provider(className: string, params: Readonly<Record<string, string>> = {}): ConfigProvider {
  const opened = openProviders([{ name: 'p', className, params }], table()).get('p');
  if (opened === undefined) throw new Error('not opened');
  return opened;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'providers-'));
  await writeFile(join(folder, 'db.properties'), '# a comment\npassword = p\\u00e4ss \\\n   word\nuser:first\nuser=last\n');
  await writeFile(join(folder, 'large'), 'x'.repeat(1024 * 1024 + 1));
  await writeFile(join(folder, 'plain'), ' as it is\n');
  process.env['PROVIDER_SPEC_A'] = 'value';
});
afterAll(async () => {
  delete process.env['PROVIDER_SPEC_A'];
  await rm(folder, { recursive: true });
});

describe('the config provider of variables', () => {
  it.each(['env', 'EnvVarConfigProvider', `${KAFKA}.EnvVarConfigProvider`])('is found as %s', async (className) => {
    expect(await provider(className).get('', ['PROVIDER_SPEC_A', 'PROVIDER_SPEC_NONE', '__proto__'], signal)).toEqual({
      values: { PROVIDER_SPEC_A: 'value' },
    });
  });

  it('reads only what it may', async () => {
    const limited = provider('env', { 'allowlist.pattern': 'PROVIDER_.*' });
    expect((await limited.get('', ['PROVIDER_SPEC_A'], signal)).values).toEqual({ PROVIDER_SPEC_A: 'value' });
    expect(await limited.get('', ['A_PROVIDER_SPEC_A'], signal)).toEqual({
      values: {},
      reasons: { A_PROVIDER_SPEC_A: expect.stringContaining('does not allow A_PROVIDER_SPEC_A') },
    });
    await expect(limited.get('a', ['b'], signal)).rejects.toThrow('one colon');
  });
});

describe('the config provider of properties files', () => {
  it.each(['file', `${KAFKA}.FileConfigProvider`])('reads keys, as %s', async (className) => {
    const path = join(folder, 'db.properties');
    expect(await provider(className).get(path, ['password', 'user', 'none'], signal)).toEqual({
      values: { password: 'päss word', user: 'last' },
    });
  });

  it.each([
    ['a/b', 'a/b is no absolute path'],
    ['', 'it has no path'],
    ['/none/x', '/none/x does not exist'],
  ])('says what is wrong with the path %s', async (path, message) => {
    await expect(provider('file').get(path, ['a'], signal)).rejects.toThrow(message);
  });

  it('reads no large file', async () => {
    await expect(provider('file').get(join(folder, 'large'), ['a'], signal)).rejects.toThrow('has more than 1048576 bytes');
  });

  it('reads only below the paths that it may', async () => {
    const limited = provider('file', { 'allowed.paths': `/none, ${folder}` });
    expect((await limited.get(join(folder, 'db.properties'), ['user'], signal)).values).toEqual({ user: 'last' });
    await expect(limited.get(`${folder}/../x`, ['user'], signal)).rejects.toThrow('allowed.paths of the provider does not allow');
    await expect(limited.get(`${folder}x`, ['user'], signal)).rejects.toThrow('allowed.paths of the provider does not allow');
  });
});

describe('the config provider of folders', () => {
  it.each(['dir', 'directory', `${KAFKA}.DirectoryConfigProvider`])('reads whole files, as %s', async (className) => {
    expect(await provider(className).get(folder, ['plain'], signal)).toEqual({ values: { plain: ' as it is\n' } });
  });

  it.each(['..', '', 'a/b', '.'])('reads no file called "%s"', async (key) => {
    const { values, reasons } = await provider('dir').get(folder, [key], signal);
    expect([values, reasons?.[key]]).toEqual([{}, expect.stringContaining('must be the name of a file')]);
  });
});

describe('the settings of config providers', () => {
  it.each([
    ['x', {}, 'Invalid value x for configuration config.providers.p.class: Available config providers are: EnvVarConfigProvider,'],
    [
      'env',
      { 'allowlist.patern': 'a' },
      'config.providers.p: param.allowlist.patern is not a setting of EnvVarConfigProvider. Did you mean param.allowlist.pattern?',
    ],
    [
      'env',
      { 'allowlist.pattern': '(' },
      'config.providers.p: Invalid value ( for configuration allowlist.pattern: Expected a regular expression',
    ],
    ['file', { 'allowed.paths': 'a' }, 'config.providers.p: Invalid value a for configuration allowed.paths: Paths must be absolute'],
  ])('are refused: %s %j', (className, params, message) => {
    expect(() => provider(className, params)).toThrow(message);
  });
});
