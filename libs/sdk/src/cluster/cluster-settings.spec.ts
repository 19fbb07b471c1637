import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeSpec } from '../config/describe-fields.js';
import { parseConfig } from '../config/parse-config.js';
import { clusterErrors, clusterSettingsSpec, readClusterOptions } from './cluster-settings.js';

const PREFIX = 'data.cluster.';
const withPrefix = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([suffix, value]) => [`${PREFIX}${suffix}`, value]));
const errorsOf = (settings: Readonly<Record<string, string>>): readonly string[] =>
  clusterErrors(PREFIX, withPrefix(settings)).map(({ field, message }) => `${field}: ${message}`);
const read = (settings: Readonly<Record<string, string>>, readText = (path: string): string => `text of ${path}`) =>
  readClusterOptions(PREFIX, withPrefix(settings), readText);
const url = 'rocketmq://ns1:9876';

describe('the settings of a cluster', () => {
  it('have the same names, types and texts whatever stands before them', () => {
    const one = describeSpec(clusterSettingsSpec('source.cluster.', { doc: 'x.', group: 'G' }));
    const other = describeSpec(clusterSettingsSpec('target.cluster.', { doc: 'x.', group: 'G' }));
    const renamed = JSON.stringify(one).replaceAll('source.cluster.', 'target.cluster.');
    expect(renamed).toBe(JSON.stringify(other));
    expect(one.map(({ name }) => name.slice('source.cluster.'.length))).toEqual([
      'url',
      'access.key',
      'secret.key',
      'security.token',
      'tls.enable',
      'tls.ca.file',
      'tls.cert.file',
      'tls.key.file',
      'tls.key.password',
      'tls.server.name',
      'tls.verify',
      'vip',
    ]);
    expect(one.filter(({ secret }) => secret).map(({ name }) => name)).toEqual([
      'source.cluster.secret.key',
      'source.cluster.security.token',
      'source.cluster.tls.key.password',
    ]);
  });

  it('need the URL only where the cluster has to be named', () => {
    const spec = clusterSettingsSpec('source.cluster.', { doc: 'x.', group: 'G', isRequired: true });
    expect(parseConfig(spec, {})).toMatchObject({ ok: false, errors: [{ field: 'source.cluster.url' }] });
    expect(parseConfig(clusterSettingsSpec('source.cluster.', { doc: 'x.', group: 'G' }), {})).toMatchObject({ ok: true });
    expect(read({})).toBeUndefined();
    expect(errorsOf({})).toEqual([]);
  });

  it.each([
    ['rocketmq://ns1:9876', 'ns1:9876'],
    ['rocketmq://ns1', 'ns1:9876'],
    [' rocketmq://ns1:1,10.0.0.2:65535/ ', 'ns1:1,10.0.0.2:65535'],
    ['rocketmq://[::1]:9876, ns2', '[::1]:9876,ns2:9876'],
    ['rocketmq://ns1:9876,ns1', 'ns1:9876'],
  ])('take the URL %s', (given, namesrv) => {
    expect(errorsOf({ url: given })).toEqual([]);
    expect(read({ url: given })).toEqual({ namesrv, vipChannel: false });
  });

  it.each([
    'ns1:9876',
    'http://ns1:9876',
    'rocketmq://',
    'rocketmq://ns1:0',
    'rocketmq://ns1:65536',
    'rocketmq://ns1:x',
    'rocketmq://ns1,,ns2',
    'rocketmq://ns1/path',
    'rocketmq://a b',
  ])('refuse %s, which names no name servers', (given) => {
    const message = `Invalid value ${given} for configuration data.cluster.url: Expected rocketmq://host:port, several as rocketmq://host:port,host:port`;
    expect(errorsOf({ url: given })).toEqual([`data.cluster.url: ${message}`]);
    expect(() => read({ url: given })).toThrow(message);
  });

  it('refuse a Proxy with a hint, and a password in the URL without repeating it', () => {
    expect(errorsOf({ url: 'rocketmq+grpc://proxy:8081' })).toEqual([
      'data.cluster.url: Invalid value rocketmq+grpc://proxy:8081 for configuration data.cluster.url: A Proxy (gRPC) gives no queues and offsets to ' +
        'resume at; expected the name servers of its cluster, rocketmq://host:port, several as rocketmq://host:port,host:port',
    ]);
    const [error = ''] = errorsOf({ url: 'rocketmq://user:geheim@ns1:9876' });
    expect(error).toContain('Invalid value [hidden] for configuration data.cluster.url: A URL has no user or password here');
    expect(error).not.toContain('geheim');
  });

  it('refuse what has no effect, or needs another setting, by name', () => {
    expect(errorsOf({ 'access.key': 'a', vip: 'true', 'tls.enable': 'true' })).toEqual([
      'data.cluster.access.key: Configuration data.cluster.access.key has no effect without data.cluster.url: give that too, or leave this out.',
      'data.cluster.tls.enable: Configuration data.cluster.tls.enable has no effect without data.cluster.url: give that too, or leave this out.',
      'data.cluster.vip: Configuration data.cluster.vip has no effect without data.cluster.url: give that too, or leave this out.',
    ]);
    expect(errorsOf({ url, 'access.key': 'a' })).toEqual([
      'data.cluster.secret.key: Configuration data.cluster.secret.key is missing: data.cluster.access.key is given, and both belong together.',
    ]);
    expect(errorsOf({ url, 'secret.key': 'a' })).toEqual([expect.stringContaining('data.cluster.access.key is missing')]);
    expect(errorsOf({ url, 'security.token': 'a' })).toEqual([expect.stringContaining('without data.cluster.access.key')]);
    expect(errorsOf({ url, 'tls.ca.file': '/ca' })).toEqual([expect.stringContaining('without data.cluster.tls.enable=true')]);
    const unverified = 'Configuration data.cluster.tls.verify has no effect without data.cluster.';
    expect(errorsOf({ url, 'tls.verify': 'false' })).toEqual([expect.stringContaining(`${unverified}tls.enable=true`)]);
    expect(errorsOf({ 'tls.verify': 'false' })).toEqual([expect.stringContaining(`${unverified}url`)]);
    expect(errorsOf({ url, 'tls.verify': 'true' })).toEqual([]);
    expect(errorsOf({ url, 'tls.enable': 'true', 'tls.cert.file': '/c' })).toEqual([
      expect.stringContaining('data.cluster.tls.key.file is missing'),
    ]);
    expect(errorsOf({ url, 'tls.enable': 'true', 'tls.key.password': 'p' })).toEqual([
      expect.stringContaining('without data.cluster.tls.key.file'),
    ]);
  });

  it('leave what is wrong by itself to the spec, and open nothing with it', () => {
    expect(errorsOf({ url, vip: 'perhaps' })).toEqual([]);
    expect(() => read({ url, vip: 'perhaps' })).toThrow('The settings data.cluster.* are wrong');
  });

  it('become the options of a client', () => {
    const settings = {
      url,
      'access.key': 'a',
      'secret.key': 's',
      'security.token': 't',
      'tls.enable': 'true',
      'tls.ca.file': '/ca',
      'tls.cert.file': '/cert',
      'tls.key.file': '/key',
      'tls.key.password': 'p',
      'tls.server.name': 'broker',
      'tls.verify': 'false',
      vip: 'true',
    };
    expect(errorsOf(settings)).toEqual([]);
    expect(read(settings)).toEqual({
      namesrv: 'ns1:9876',
      credentials: { accessKey: 'a', secretKey: 's', securityToken: 't' },
      tls: {
        ca: 'text of /ca',
        cert: 'text of /cert',
        key: 'text of /key',
        passphrase: 'p',
        servername: 'broker',
        rejectUnauthorized: false,
      },
      vipChannel: true,
    });
    expect(read({ url, 'tls.enable': 'true' })).toEqual({ namesrv: 'ns1:9876', tls: { rejectUnauthorized: true }, vipChannel: false });
  });

  it('name the file that cannot be read, which may come later', () => {
    const failing = (): string => {
      throw new Error('ENOENT: no such file');
    };
    const open = (): unknown => read({ url, 'tls.enable': 'true', 'tls.ca.file': '/ca' }, failing);
    expect(open).toThrow(
      expect.objectContaining({
        message: 'data.cluster.tls.ca.file: ENOENT: no such file',
        code: 'CONNECT_CONFIG_INVALID',
        retriable: true,
      }),
    );
  });

  it('name the file that is none, or too large: it could block the process, or take all of its memory', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-certificates-'));
    try {
      const ca = join(folder, 'ca.pem');
      const open = (path: string): unknown =>
        readClusterOptions(PREFIX, withPrefix({ url, 'tls.enable': 'true', 'tls.ca.file': path }))?.tls?.ca;
      writeFileSync(ca, 'x'.repeat(1_048_576));
      expect(open(ca)).toHaveLength(1_048_576);
      writeFileSync(ca, 'x'.repeat(1_048_577));
      const message = `data.cluster.tls.ca.file: ${ca} has 1048577 bytes; a certificate or key has 1048576 at most`;
      expect(() => open(ca)).toThrow(expect.objectContaining({ retriable: true, message }));
      for (const path of ['/dev/null', folder]) {
        expect(() => open(path)).toThrow(expect.objectContaining({ message: `data.cluster.tls.ca.file: ${path} is no regular file` }));
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
