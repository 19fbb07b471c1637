import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, startCluster, type RunningCluster, type StartClusterOptions } from '@sluice/embedded-rocketmq';
import { RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';
import { appendLines } from '../support/sample-lines.js';
import { freePort, RoleHandle, until, type RoleName } from '../support/sluice-cluster.js';

const apps = fileURLToPath(new URL('../../apps/', import.meta.url));
const auth = 'org.apache.rocketmq.auth.authentication.provider';
const keys = { accessKey: 'admin', secretKey: 'the-secret-of-admin' };
/** The runtime cluster answers only who signs with these keys. */
const signedOnly: Readonly<Record<string, string>> = {
  authenticationEnabled: 'true',
  authenticationProvider: `${auth}.DefaultAuthenticationProvider`,
  authenticationMetadataProvider: `${auth}.LocalAuthenticationMetadataProvider`,
  initAuthenticationUser: JSON.stringify({ username: keys.accessKey, password: keys.secretKey }),
  innerClientAuthenticationCredentials: JSON.stringify({ accessKey: 'inner', secretKey: '12345678' }),
};
const heap = { brokerMb: 256, brokerDirectMb: 256 };
const roles = ['gateway', 'coordinator', 'source-runner', 'sink-runner'] as const satisfies readonly RoleName[];

async function run(
  app: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [join(apps, app, 'dist/main.js'), ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
    stdio: 'pipe',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

describe('nodes with a connect.conf of Apache RocketMQ Connect', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-settings-'));
  const path = (name: string): string => join(directory, name);
  const conf = path('connect.conf');
  const nodes = new Map<RoleName, RoleHandle>();
  let clusters: readonly RunningCluster[] = [];
  let clients: readonly RocketMqClient[] = [];
  let url = '';

  const node = (role: RoleName): RoleHandle => nodes.get(role)!;
  const logs = (): string => [...nodes.values()].map(({ id, log }) => `\n--- ${id}\n${log.slice(-1500)}`).join('');

  beforeAll(async () => {
    const start = async (name: string, options: Partial<StartClusterOptions>): Promise<RunningCluster> =>
      startCluster({ name, dataDir: path(name), ports: await freePorts(), heap, ...options });
    const [runtime, data] = await Promise.all([
      start('runtime', { brokerConfig: signedOnly }),
      start('data', { topology: { proxy: false } }),
    ]);
    clusters = [runtime, data];
    clients = [RocketMqClient.open({ namesrv: runtime.namesrv, credentials: keys }), RocketMqClient.open({ namesrv: data.namesrv })];
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    writeFileSync(path('secret-key'), `${keys.secretKey}\n`);
    writeFileSync(
      conf,
      [
        '# three clusters, as in Apache RocketMQ Connect',
        `a.source.rocketmq.server=${data.namesrv}`,
        `b.runtime.rocketmq.server = rocketmq://${runtime.namesrv}`,
        `c.sink.rocketmq.server: ${data.namesrv}`,
        'connectClusterId=DefaultConnectCluster',
        `storePathRootDir=${path('store')}`,
        `httpPort=${port}`,
        'configPersistInterval=100',
        'positionPersistInterval=3600000',
        'offsetPersistInterval=100',
        'aclEnable=true',
        `accessKey=${keys.accessKey}`,
        `secret.key.file=${path('secret-key')}`,
        'autoCreateTopicEnable=false',
        'valueConverter=org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
        'pluginPaths=/usr/local/connector-plugins',
        '',
      ].join('\n'),
    );
    expect(await run('cli', ['init', '--new', '--broker', runtime.brokerName, '-c', conf])).toMatchObject({ code: 0 });
    for (const role of roles) {
      const environment = {
        SLUICE_CONFIG_FILE: conf,
        SLUICE_GRPC: runtime.grpc,
        ...(role === 'gateway' ? {} : { SLUICE_HTTP_PORT: '0' }),
      };
      nodes.set(role, new RoleHandle(role, `${role}-1`, environment, path(`${role}.log`)));
      node(role).start();
    }
    await until(
      'the gateway knows the plugins of both runners',
      async () => {
        const answer = await fetch(`${url}/connector-plugins`).catch(() => undefined);
        if (answer?.ok !== true) return false;
        const known = (await answer.json()) as readonly { readonly class: string }[];
        return ['FileStreamSource', 'FileStreamSink'].every((name) => known.some((plugin) => plugin.class === name));
      },
      180_000,
      logs,
    );
  }, 300_000);

  afterAll(async () => {
    await Promise.all([...nodes.values()].filter(({ isRunning }) => isRunning).map((each) => each.kill('SIGKILL')));
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(clusters.map((cluster) => cluster.kill()));
    rmSync(directory, { recursive: true, force: true });
  }, 180_000);

  const create = async (name: string, config: Readonly<Record<string, string>>): Promise<void> => {
    const answer = await fetch(`${url}/connectors/${name}/config`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(config),
    });
    expect([answer.status, answer.status === 201 ? '' : await answer.text()]).toEqual([201, '']);
  };

  it('have their own topics in the runtime cluster, with signed requests, and the data in the other', async () => {
    await appendLines(path('in.txt'), 0, 100);
    const expected = readFileSync(path('in.txt'), 'utf8');
    const [runtime, data] = clients;
    await data!.admin.createTopic({ topic: 'lines', readQueues: 1, writeQueues: 1 });
    await create('in', { 'connector.class': 'FileStreamSource', file: path('in.txt'), topic: 'lines' });
    await create('out', { 'connector.class': 'FileStreamSink', file: path('out.txt'), topics: 'lines' });
    const written = (): string => (existsSync(path('out.txt')) ? readFileSync(path('out.txt'), 'utf8') : '');
    await until('all lines arrive', () => written() === expected, 180_000, logs);

    await expect(runtime?.routes.refresh('lines')).rejects.toBeInstanceOf(TopicNotFoundError);
    await expect(data?.routes.refresh('sluice-DefaultConnectCluster-log')).rejects.toBeInstanceOf(TopicNotFoundError);
    const queue = { topic: 'lines', brokerName: 'broker-data', queueId: 0 };
    const end = await data!.admin.maxOffset(queue);
    const reader = data!.consumer.readQueue(queue, { from: 0, group: 'sluice-DefaultConnectCluster-reader', ahead: 1 });
    const bodies: string[] = [];
    while (reader.position < end) bodies.push(...(await reader.nextMessages()).map(({ body }) => String(body)));
    reader.close();
    // Barriers, a byte each, stand between the records.
    const records = bodies.filter((body) => body.length > 1);
    expect(records.length).toBeGreaterThanOrEqual(100);
    for (const record of records) expect(JSON.parse(record)).toHaveProperty('payload');
    const group = 'sluice-DefaultConnectCluster-sink-out';
    await until('the sink commits there', async () => (await data!.admin.queryOffset(group, queue)) === end, 30_000);
  }, 180_000);

  it('create no topics for sources where autoCreateTopicEnable is false', async () => {
    await create('refused', { 'connector.class': 'FileStreamSource', file: path('in.txt'), topic: 'missing' });
    const status = async (): Promise<string> => (await fetch(`${url}/connectors/refused/status`)).text();
    await until('the task says why', async () => (await status()).includes('topic.creation.enable is false'), 180_000, logs);
    await expect(clients[1]?.routes.refresh('missing')).rejects.toBeInstanceOf(TopicNotFoundError);
  }, 180_000);

  it('write each file of a node at its own interval', async () => {
    const stored = (file: string): string => path(join('store', file));
    await until(
      'the files with short intervals are there, with what was stored and committed',
      () =>
        existsSync(stored('source-runner-1/connectorConfig.json')) &&
        existsSync(stored('source-runner-1/taskConfig.json')) &&
        existsSync(stored('sink-runner-1/offset.json')) &&
        readFileSync(stored('sink-runner-1/offset.json'), 'utf8').includes('lines@broker-data:0'),
      30_000,
      logs,
    );
    expect(existsSync(stored('source-runner-1/position.json'))).toBe(false);
    expect(await node('source-runner').kill('SIGTERM')).toBe(0);
    expect(readFileSync(stored('source-runner-1/position.json'), 'utf8')).toContain('in.txt');
  }, 180_000);

  it('say what they ignore', () => {
    expect(node('gateway').log).toContain(`${conf}:16: pluginPaths is ignored:`);
    for (const each of nodes.values()) expect(each.log).not.toContain(keys.secretKey);
  });

  it('show the settings in force and where each comes from, without secrets', async () => {
    const { code, output } = await run('source-runner', ['-c', conf, '--workerId', 'w1', '--print-config']);
    expect(code).toBe(0);
    expect(output).toMatch(/^node\.id = w1 +# command line \(--workerId\)$/m);
    expect(output).toContain(`# ${conf}:2 (a.source.rocketmq.server)`);
    expect(output).toMatch(/^access\.key = \[hidden\]/m);
  }, 180_000);

  it('are not ready without the name servers of their data; the others are', async () => {
    const { nodes: members } = (await (await fetch(`${url}/cluster`)).json()) as {
      readonly nodes: readonly { readonly id: string; readonly http: string }[];
    };
    const downOn = async (id: string): Promise<readonly string[]> => {
      const address = members.find((member) => member.id === id)?.http;
      const answer = await fetch(`http://${address ?? ''}/health/ready`);
      const { details } = (await answer.json()) as { readonly details: Readonly<Record<string, { status: string }>> };
      const down = Object.keys(details).filter((name) => details[name]?.status !== 'up');
      expect(answer.status).toBe(down.length === 0 ? 200 : 503);
      return down;
    };
    await until('the sink runner is ready', async () => (await downOn('sink-runner-1')).length === 0, 60_000, logs);
    await clusters[1]!.kill();
    await until('the sink runner says so', async () => (await downOn('sink-runner-1')).length > 0, 60_000, logs);
    expect(await downOn('sink-runner-1')).toEqual(['data-namesrv']);
    expect(await downOn('gateway-1')).toEqual([]);
  }, 180_000);

  it('name the port that another process has, and how to choose another', async () => {
    const taken = new URL(url).port;
    const environment = { SLUICE_GRPC: clusters[0]!.grpc };
    const { code, output } = await run('coordinator', ['-c', conf, '--workerId', 'late'], environment);
    expect(code).toBe(1);
    expect(output).toContain(`Port ${taken} of 127.0.0.1 is taken by another process. Set SLUICE_HTTP_PORT`);
    expect(output).not.toMatch(/^ +at /m);
  }, 180_000);

  it('do not start with settings that are wrong, and name them all', async () => {
    writeFileSync(path('wrong.yaml'), 'http: { prot: 1 }\nlog.level: loud\n');
    const { code, output } = await run('coordinator', ['--config', path('wrong.yaml')]);
    expect(code).toBe(1);
    expect(output).toContain('wrong.yaml:1: http.prot is not a known setting. Did you mean http.port?');
    expect(output).toContain('wrong.yaml:2: Invalid value loud for configuration log.level');
  }, 180_000);
});
