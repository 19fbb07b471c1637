import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defaultCoordinatorSettings, LONGEST_REPORT_INTERVAL_MS, Role } from '@sluice/core';
import type { Credentials } from '@sluice/rocketmq';
import { nodeSettingsOf, type GivenNodeSettings } from './node-settings.js';
import { originalKeys, type OriginalKey } from './original-keys.js';
import { printSettings } from './print-settings.js';
import { readRoleArguments, readSettings } from './read-settings.js';
import { NodeSettingsError, type ResolvedSettings } from './resolve-settings.js';
import { fieldOf, settingNames, variableOf } from './setting-definitions.js';

interface Given {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

const readerOf =
  (files: Readonly<Record<string, string>> = {}) =>
  (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error(`${path} is not there`);
    return text;
  };

function resolve({ args = [], environment = {}, files }: Given): ResolvedSettings {
  const { file, workerId } = readRoleArguments(args);
  const given = { ...(file === undefined ? {} : { file }), ...(workerId === undefined ? {} : { workerId }) };
  return readSettings({ ...given, environment, readText: readerOf(files) });
}

function read(role: Role, given: Given): GivenNodeSettings {
  return nodeSettingsOf(role, resolve(given), readerOf(given.files));
}

/** As a role is started with this text as its `connect.conf`. */
const conf = (text: string, environment: Readonly<Record<string, string>> = {}): Given => ({
  args: ['-c', 'connect.conf'],
  environment,
  files: { 'connect.conf': text },
});

function problems(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof NodeSettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings of a node', () => {
  it('give nodes a session that leaves room for a lease, a margin and a late report', () => {
    const sessionOf = (text: string): number =>
      read(Role.coordinator, { environment: { SLUICE_SESSION_TIMEOUT_MS: text } }).sessionTimeoutMs;
    const { sessionMs, memberLeaseMs, marginMs } = defaultCoordinatorSettings;
    expect(read(Role.coordinator, {}).sessionTimeoutMs).toBe(sessionMs);
    expect(sessionOf('30000')).toBe(30_000);
    const least = memberLeaseMs + marginMs + LONGEST_REPORT_INTERVAL_MS + 500;
    expect(sessionOf(String(least))).toBe(least);
    expect(problems(() => sessionOf(String(least - 1)))).toEqual([
      'environment: Invalid value 5499 for configuration SLUICE_SESSION_TIMEOUT_MS: Value must be at least 5500',
    ]);
  });

  it('need nothing to run beside a local RocketMQ', () => {
    const settings = read(Role.gateway, {});
    expect(settings).toMatchObject({
      namesrv: '127.0.0.1:9876',
      grpc: '127.0.0.1:8081',
      clusterId: 'default',
      httpHost: '127.0.0.1',
      httpPort: 8083,
      persistIntervals: { config: 5000, position: 5000, offset: 5000 },
      labels: {},
    });
    expect(settings.nodeId).toBeUndefined();
    expect(settings.credentials).toBeUndefined();
    expect(settings.dataCluster).toEqual({ namesrv: '127.0.0.1:9876' });
  });

  it('count from the command line before the environment, the file, NAMESRV_ADDR and the defaults', () => {
    const file = 'workerId=by-file\nhttpPort=1\nlog.level=warn\nnamesrvAddr=file:9876';
    const environment = { SLUICE_NODE_ID: 'by-environment', SLUICE_HTTP_PORT: '2', NAMESRV_ADDR: 'other:9876' };
    const given = conf(file, environment);
    const settings = read(Role.sinkRunner, { ...given, args: ['--workerId', 'by-option', ...(given.args ?? [])] });
    expect(settings).toMatchObject({ nodeId: 'by-option', httpPort: 2, logLevel: 'warn', namesrv: 'file:9876' });
    expect(read(Role.sinkRunner, { environment })).toMatchObject({ namesrv: 'other:9876', capacity: 1 });
  });

  it('come from the file that SLUICE_CONFIG_FILE names, unless an option names another', () => {
    const files = { 'a.conf': 'node.id=a', 'b.yaml': 'node: { id: b }' };
    const environment = { SLUICE_CONFIG_FILE: 'a.conf' };
    expect(read(Role.gateway, { environment, files }).nodeId).toBe('a');
    expect(read(Role.gateway, { args: ['--config', 'b.yaml'], environment, files }).nodeId).toBe('b');
  });

  it('are absent where they are empty, and blanks around them do not count', () => {
    const environment = { SLUICE_HTTP_PORT: '', SLUICE_CONFIG_FILE: '' };
    expect(read(Role.sinkRunner, { environment })).toMatchObject({ httpPort: 8086 });
    expect(read(Role.sinkRunner, conf('workerId=n \naccessKey=\nsecretKey='))).toMatchObject({ nodeId: 'n' });
  });

  it.each([
    ['ns1:9876;ns2:9876', 'ns1:9876,ns2:9876', 'ns1:8081'],
    ['rocketmq://ns1,ns2:1', 'ns1:9876,ns2:1', 'ns1:8081'],
    ['[::1]:9876', '[::1]:9876', '[::1]:8081'],
  ])('take name servers as %s, and the Proxy from the first of them', (given, namesrv, grpc) => {
    expect(read(Role.coordinator, { environment: { SLUICE_NAMESRV: given } })).toMatchObject({ namesrv, grpc });
  });

  it('take the Proxy as host:port or URL', () => {
    const grpcOf = (text: string): string => read(Role.coordinator, { environment: { SLUICE_GRPC: text } }).grpc;
    expect(grpcOf('proxy:8081')).toBe('proxy:8081');
    expect(grpcOf('rocketmq+grpc://p1:1,p2:2')).toBe('p1:1,p2:2');
    expect(grpcOf('none')).toBe('none');
  });

  it.each(['None', 'NONE', 'none,proxy:8081', 'none:8081', 'rocketmq+grpc://none'])('take %s for no host that is a Proxy', (text) => {
    expect(() => read(Role.coordinator, { environment: { SLUICE_GRPC: text } })).toThrow(
      `Invalid value ${text} for configuration SLUICE_GRPC: Expected none alone`,
    );
  });

  it('name every problem at once, each with its place, what was given and what is allowed', () => {
    const given = conf('httpPort=x\nworkerld=n\nclusterManagementService=com.acme.Own', {
      SLUICE_LOG_LEVEL: 'loud',
      SLUICE_NODE_ID: 'a/b',
      SLUICE_NAMESRV: 'rocketmq+grpc://proxy:8081',
      SLUICE_SINK_NAMESRV: 'user:secret@host:9876',
      SLUICE_LABELS: 'zone',
    });
    const found = problems(() => read(Role.gateway, given));
    expect(found).toEqual([
      'connect.conf:2: workerld is not a known setting. Did you mean workerId?',
      'connect.conf:3: clusterManagementService is refused: the state of the cluster is in its log, and no other class can keep it: take the line out',
      'environment: Invalid value a/b for configuration SLUICE_NODE_ID: String must match [a-zA-Z0-9._-]{1,64}',
      'connect.conf:1: Invalid value x for configuration httpPort: Not a number of type INT',
      'environment: Invalid value loud for configuration SLUICE_LOG_LEVEL: String must be one of: error, warn, info, debug',
      'environment: Invalid value rocketmq+grpc://proxy:8081 for configuration SLUICE_NAMESRV: Expected host:port, several separated by commas or semicolons, or rocketmq://host:port,host:port',
      'environment: Invalid value [hidden] for configuration SLUICE_SINK_NAMESRV: Expected host:port, several separated by commas or semicolons, or rocketmq://host:port,host:port',
      expect.stringMatching(/^environment: Label zone of configuration SLUICE_LABELS has no value/),
    ]);
  });

  it('name a file that cannot be read, a line that is not in its format, and an option that there is not', () => {
    expect(problems(() => resolve({ args: ['-c', 'none'] }))).toEqual(['none: none is not there']);
    expect(problems(() => resolve(conf('a\\u1=2')))).toEqual(['connect.conf:1: after \\u come four hexadecimal digits']);
    expect(problems(() => readRoleArguments(['--nope']))[0]).toContain("command line: Unknown option '--nope'");
  });

  it('refuse two names of one setting with different values in one file, and take the same value twice', () => {
    const both = 'namesrvAddr=a:9876\nb.runtime.rocketmq.server=b:9876';
    expect(problems(() => resolve(conf(both)))).toEqual([
      'connect.conf:2: b.runtime.rocketmq.server is given with another value than in connect.conf:1 (namesrvAddr): write it once',
    ]);
    expect(read(Role.gateway, conf('namesrvAddr=a:9876\nnamesrv=a:9876')).namesrv).toBe('a:9876');
  });
});

describe('connect.conf of Apache RocketMQ Connect', () => {
  const file = [
    'a.source.rocketmq.server=source:9876',
    'b.runtime.rocketmq.server=rocketmq://runtime:9876',
    'c.sink.rocketmq.server=sink1:9876;sink2:9876',
    'workerId=DEFAULT_WORKER_1',
    'connectClusterId=DefaultConnectCluster',
    'storePathRootDir=/tmp/storeRoot',
    'httpPort=8082',
    'configPersistInterval=20000',
    'positionPersistInterval=10000',
    'offsetPersistInterval=30000',
    'aclEnable=true',
    'accessKey=rocketmq',
    'secretKey=12345678',
    'keyConverter=org.apache.rocketmq.connect.runtime.converter.record.StringConverter',
    'valueConverter=org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
    'autoCreateTopicEnable=false',
    'operationTimeout=4000',
  ].join('\n');

  it('works as it is', () => {
    const credentials = { accessKey: 'rocketmq', secretKey: '12345678' };
    const converters = 'org.apache.rocketmq.connect.runtime.converter.record';
    expect(read(Role.sourceRunner, conf(file))).toEqual({
      pluginPath: [],
      ownFiles: [join(process.cwd(), 'connect.conf')],
      configProviders: [],
      threads: { count: 1, memoryMb: undefined, stallMs: 2000, callTimeoutMs: 600_000 },
      maxMeteredTasks: 100,
      role: 'source-runner',
      sessionTimeoutMs: 6000,
      namesrv: 'runtime:9876',
      grpc: 'runtime:8081',
      credentials,
      dataCluster: { namesrv: 'source:9876', credentials },
      requestTimeoutMs: 4000,
      clusterId: 'DefaultConnectCluster',
      nodeId: 'DEFAULT_WORKER_1',
      storePath: '/tmp/storeRoot',
      httpHost: '127.0.0.1',
      httpPort: 8082,
      capacity: 1,
      labels: {},
      persistIntervals: { config: 20_000, position: 10_000, offset: 30_000 },
      defaultConverters: { key: `${converters}.StringConverter`, value: `${converters}.json.JsonConverter` },
      mayCreateTopics: false,
      gateway: { requestTimeoutMs: 90_000, maxStalenessMs: 30_000, maxBodyBytes: 1_048_576, completedAs: 'COMPLETED' },
      logLevel: 'info',
      logFormat: 'text',
    });
    expect(read(Role.sinkRunner, conf(file)).dataCluster.namesrv).toBe('sink1:9876,sink2:9876');
    expect(read(Role.coordinator, conf(file)).dataCluster.namesrv).toBe('runtime:9876');
  });

  it('may hold each of its keys: it is honoured, ignored with a note, or refused', () => {
    const keys = Object.entries(originalKeys as Readonly<Record<string, OriginalKey>>);
    const typed: Readonly<Record<string, string>> = { class: 'JsonConverter', int: '5000', boolean: 'true' };
    for (const [key, fate] of keys) {
      const value = 'honouredAs' in fate ? typed[fieldOf(fate.honouredAs).type] : undefined;
      const given = conf(`${key}=${value ?? 'a'}`);
      const found = problems(() => {
        const { origins, notes } = resolve(given);
        if ('honouredAs' in fate) expect([...origins.keys()]).toEqual([fate.honouredAs]);
        else expect(notes).toEqual([`connect.conf:1: ${key} is ignored: ${'ignored' in fate ? fate.ignored : ''}`]);
      });
      expect(found).toEqual('refused' in fate ? [`connect.conf:1: ${key} is refused: ${fate.refused}`] : []);
    }
  });
});

describe('keys for signing', () => {
  const filed = { 'access.key.file': 'ak', 'secret.key.file': 'sk' };
  const lines = (given: Readonly<Record<string, string>>): string =>
    Object.entries(given)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n');

  it('are not used where aclEnable is false', () => {
    const settings = read(Role.sinkRunner, conf('aclEnable=false\naccessKey=a\nsecretKey=s'));
    expect(settings.credentials).toBeUndefined();
    expect(settings.dataCluster.credentials).toBeUndefined();
  });

  it('are read from files again whenever they are asked for', () => {
    const files: Record<string, string> = { 'connect.conf': lines(filed), ak: 'first\n', sk: 'secret\n' };
    const { credentials } = read(Role.gateway, { args: ['-c', 'connect.conf'], files });
    const ask = credentials as () => Credentials;
    expect(ask()).toEqual({ accessKey: 'first', secretKey: 'secret' });
    files['ak'] = 'second';
    expect(ask()).toEqual({ accessKey: 'second', secretKey: 'secret' });
  });

  it('may differ for the cluster of the data', () => {
    const text = 'accessKey=a\nsecretKey=s\nsource.namesrv=b:9876\nsource.access.key=b\nsource.secret.key=t';
    expect(read(Role.sourceRunner, conf(text))).toMatchObject({
      credentials: { accessKey: 'a', secretKey: 's' },
      dataCluster: { namesrv: 'b:9876', credentials: { accessKey: 'b', secretKey: 't' } },
    });
  });

  it.each([
    ['secretKey=hunter2', 'access.key is missing: requests are signed with an access key and a secret key'],
    ['aclEnable=true\naccessKey=a', 'secret.key is missing: requests are signed with an access key and a secret key'],
    ['accessKey=a\nsecretKey=hunter2\nsecret.key.file=f', 'connect.conf:2: secret.key and secret.key.file are both given: give one'],
    ['accessKey=a\nsecret.key.file=none', 'connect.conf:2: secret.key.file: none is not there'],
    ['accessKey=a\nsecret.key.file=blank', 'connect.conf:2: secret.key.file: blank is empty'],
  ])('are wrong as %j', (text, message) => {
    const files = { 'connect.conf': text, f: 'x', blank: ' \n' };
    const found = problems(() => read(Role.gateway, { args: ['-c', 'connect.conf'], files }));
    expect(found).toContain(message);
    expect(found.join()).not.toContain('hunter2');
  });
});

describe('--print-config', () => {
  it('shows the settings of the role with where each comes from, hides secrets, and says what does not count', () => {
    const text = 'b.runtime.rocketmq.server=ns\nhttpPort=8082\naccessKey=public\nsecretKey=hunter2\npluginPaths=/jars';
    const resolved = resolve(conf(text, { SLUICE_HTTP_PORT: '9', SLUICE_GATEWAY_PORT: 'tcp://10.0.0.1', SLUICE_HTTP_HOTS: 'x' }));
    const lines = printSettings(Role.gateway, resolved).split('\n');
    const shown = new Map(lines.map((line) => line.split(/ {2,}# /) as [string, string]));
    expect(shown.get('namesrv = ns:9876')).toBe('connect.conf:1 (b.runtime.rocketmq.server)');
    expect(shown.get('grpc = ns:8081')).toBe('default');
    expect(shown.get('http.port = 9')).toBe('environment (SLUICE_HTTP_PORT)');
    expect(shown.get('access.key = [hidden]')).toBe('connect.conf:3 (accessKey)');
    expect(shown.get('secret.key = [hidden]')).toBe('connect.conf:4 (secretKey)');
    expect(shown.get('acl.enable = true')).toBe('default');
    expect(shown.has('gateway.max.body.bytes = 1048576')).toBe(true);
    expect(lines.some((line) => line.startsWith('capacity') || line.startsWith('source.'))).toBe(false);
    expect(lines.filter((line) => line.startsWith('#'))).toEqual([
      '# environment: SLUICE_HTTP_HOTS is not a known setting. Did you mean SLUICE_HTTP_HOST?',
      '# connect.conf:5: pluginPaths is ignored: jars cannot be loaded; plugin.path names folders with packages for Sluice',
      '# connect.conf:2: httpPort is overridden by environment (SLUICE_HTTP_PORT)',
    ]);
    expect(lines.join()).not.toMatch(/hunter2|public/);
  });

  it('is asked for by an option', () => {
    expect(readRoleArguments(['--print-config'])).toEqual({ printConfig: true });
    expect(readRoleArguments(['-c', 'f', '--workerId=w'])).toEqual({ file: 'f', workerId: 'w', printConfig: false });
  });
});

it('every setting has a variable of its own', () => {
  const variables = settingNames.map(variableOf);
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables).toEqual(expect.arrayContaining(['SLUICE_NAMESRV', 'SLUICE_PERSIST_INTERVAL_MS', 'SLUICE_GATEWAY_MAX_BODY_BYTES']));
});

describe('config providers', () => {
  it('are those that a list names, with what each was given', () => {
    const text = [
      'config.providers=env, file, vault',
      'config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider',
      'config.providers.env.param.allowlist.pattern=A_.*',
      'config.providers.vault.class=com.acme.Vault',
      'config.providers.vault.param.token=hunter2',
    ].join('\n');
    const given = conf(text, { SLUICE_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: '/run' });
    expect(read(Role.sinkRunner, given).configProviders).toEqual([
      { name: 'env', className: 'org.apache.kafka.common.config.provider.EnvVarConfigProvider', params: { 'allowlist.pattern': 'A_.*' } },
      { name: 'file', className: 'file', params: { 'allowed.paths': '/run' } },
      { name: 'vault', className: 'com.acme.Vault', params: { token: 'hunter2' } },
    ]);
    const printed = printSettings(Role.sinkRunner, resolve(given));
    expect(printed).toMatch(/^config\.providers\.file\.param\.allowed\.paths = \/run +# environment$/m);
    expect(printed).not.toContain('hunter2');
    expect(printSettings(Role.gateway, resolve(given))).not.toContain('allowed.paths');
  });

  it.each([
    ['config.providers.env.class=x', 'connect.conf:1: config.providers.env.class is given, but config.providers does not name env'],
    ['config.providers=a b', /Invalid value a b for configuration config\.providers: names begin with a letter/],
    ['config.providers=a,a', /Invalid value a for configuration config\.providers: .* come once/],
    ['config.providers=a\nconfig.providers.a.clas=x', 'connect.conf:2: config.providers.a.clas is not a known setting.'],
  ])('are wrong as %j', (text, message) => {
    expect(problems(() => read(Role.sinkRunner, conf(text)))).toEqual([expect.stringMatching(message)]);
  });
});
