import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { ACL_2, ACL_ADMIN } from '../support/acl.js';
import { parsePrometheusText, valueOf } from '../support/prometheus-text.js';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { type RoleName, SluiceCluster, until } from '../support/sluice-cluster.js';

const SECRET = 'geheimnis-4711';
/** Of each runner: references have no values without it. */
const PROVIDERS = { SLUICE_CONFIG_PROVIDERS: 'file' };
const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

describe('connectors whose topics live in another cluster, with ACL', () => {
  let cluster: SluiceCluster;
  let dir: string;
  let other: RunningCluster;
  let here: RocketMqClient;
  let there: RocketMqClient;
  let topic: string;
  let input: string;
  let output: string;
  let ofOther: Readonly<Record<string, string>>;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-data-'));
    cluster = await SluiceCluster.start(() => PROVIDERS);
    other = await startCluster({
      name: 'other',
      ports: await freePorts(),
      dataDir: join(dir, 'rocketmq'),
      topology: { brokers: [{ name: cluster.rocketmq.brokerName }], proxy: false },
      brokerConfig: ACL_2,
      heap: { brokerMb: 256, brokerDirectMb: 256 },
    });
    here = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    there = RocketMqClient.open({ namesrv: other.namesrv, requestTimeoutMs: 10_000, credentials: ACL_ADMIN });
    await there.acl.createUser({ username: 'sluice', password: SECRET });
    const allowed = { sourceIps: [], decision: 'Allow' } as const;
    await there.acl.createAcl({
      subject: 'User:sluice',
      rules: [
        { ...allowed, resource: `Topic:${cluster.clusterId}-*`, actions: ['Create', 'Get', 'Pub', 'Sub'] },
        { ...allowed, resource: `Group:sluice-${cluster.clusterId}-*`, actions: ['Create', 'Get', 'Update', 'Sub'] },
      ],
    });
    [input, output] = [cluster.path('in.txt'), cluster.path('out.txt')];
    topic = cluster.topic('lines');
    ofOther = {
      'data.cluster.url': `rocketmq://${other.namesrv.replaceAll(';', ',')}`,
      'data.cluster.access.key': 'sluice',
      'data.cluster.secret.key': SECRET,
    };
  }, 300_000);
  afterAll(async () => {
    await (here as RocketMqClient | undefined)?.close();
    await (there as RocketMqClient | undefined)?.close();
    await (cluster as SluiceCluster | undefined)?.close();
    await (other as RunningCluster | undefined)?.kill();
    await rm(dir, { recursive: true, force: true });
  }, 120_000);

  const logs = (): string => cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-2500)}`).join('');
  const queue = (): QueueRef => ({ topic, brokerName: cluster.rocketmq.brokerName, queueId: 0 });
  const groupOf = (connector: string): string => `sluice-${cluster.clusterId}-sink-${connector}`;
  const put = (name: string, config: Readonly<Record<string, string>>): ReturnType<SluiceCluster['request']> =>
    cluster.request('PUT', `/connectors/${name}/config`, { ...ofOther, ...config });

  const untilCopied = async (): Promise<void> => {
    const goal = await sizeOf(input);
    await until('all lines are written', async () => (await sizeOf(output)) >= goal, 180_000, logs);
    expect(await digestOf(output)).toBe(await digestOf(input));
  };

  /** Ends the runner as a power failure does, and has one with other settings take over. */
  const replace = async (role: RoleName, id: string, next: string, settings: Readonly<Record<string, string>>): Promise<void> => {
    await cluster.role(id).kill('SIGKILL');
    cluster.add(role, next, settings).start();
    await cluster.untilTask(role === 'source-runner' ? 'lines-in' : 'lines-out', 'RUNNING', next, 180_000);
  };

  it('copy a file through it exactly once, with runners killed in between, in the main thread and in threads', async () => {
    await appendLines(input, 0, 5000);
    const source = await put('lines-in', {
      'connector.class': 'FileStreamSource',
      file: input,
      topic,
      'topic.creation.default.partitions': '1',
    });
    expect(source).toMatchObject({ status: 201 });
    await writeFile(cluster.path('key'), `secret=${SECRET}\n`);
    const sink = await put('lines-out', { 'connector.class': 'FileStreamSink', file: output, topics: topic });
    expect(sink).toMatchObject({ status: 201 });
    await cluster.untilTask('lines-in', 'RUNNING');
    await cluster.untilTask('lines-out', 'RUNNING');
    await untilCopied();
    let written = 5000;
    for (const [round, threads] of ['2', '1'].entries()) {
      const settings = { ...PROVIDERS, SLUICE_TASK_THREADS: threads };
      for (const [role, id, next] of [
        ['source-runner', `source-runner-${round + 1}`, `source-runner-${round + 2}`],
        ['sink-runner', `sink-runner-${round + 1}`, `sink-runner-${round + 2}`],
      ] as const) {
        const before = await sizeOf(output);
        const writing = appendLines(input, written, written + 10_000);
        written += 10_000;
        await until('lines flow', async () => (await sizeOf(output)) > before, 60_000, logs);
        await replace(role, id, next, settings);
        await writing;
      }
      await untilCopied();
    }
    expect(await there.admin.maxOffset(queue())).toBeGreaterThanOrEqual(written);
    expect(await here.admin.listTopics()).not.toContain(topic);
  }, 600_000);

  it('have offsets, lag and foreign consumers there', async () => {
    await until('the offset is committed', async () => {
      const offset = await there.admin.queryOffset(groupOf('lines-out'), queue());
      return offset === (await there.admin.maxOffset(queue()));
    });
    expect(await here.admin.listGroups()).not.toContain(groupOf('lines-out'));
    const { nodes } = (await cluster.request('GET', '/cluster')).body as { nodes: { id: string; http?: string }[] };
    const url = `http://${nodes.find(({ id }) => id === 'sink-runner-3')?.http ?? ''}/metrics`;
    const labels = { connector: 'lines-out' };
    const lag = async (): Promise<number | undefined> =>
      valueOf(parsePrometheusText(await (await fetch(url)).text()), 'sluice_connector_lag_messages', labels);
    await until('the lag is known', async () => (await lag()) === 0);
    const intruder = RocketMqClient.open({ namesrv: other.namesrv, clientId: 'intruder@1', credentials: ACL_ADMIN });
    try {
      intruder.consumer.attend(groupOf('lines-out'));
      // Brokers know members by the connections that carry their pulls.
      await intruder.consumer.pull({ queue: queue(), group: groupOf('lines-out'), offset: 0, maxMessages: 1 });
      await until(
        'the task names the intruder',
        async () => JSON.stringify((await cluster.request('GET', '/connectors/lines-out/status')).body).includes('intruder@1'),
        120_000,
        logs,
      );
    } finally {
      await intruder.close();
    }
  }, 300_000);

  it('write their dead letters there, with a key that a reference gives', async () => {
    const dead = cluster.topic('dead');
    const answer = await put('dead-out', {
      'connector.class': 'FileStreamSink',
      file: cluster.path('dead.txt'),
      topics: topic,
      'data.cluster.secret.key': `\${file:${cluster.path('key')}:secret}`,
      'value.converter': 'JsonConverter',
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': dead,
    });
    expect(answer).toMatchObject({ status: 201 });
    await until('dead letters are there', async () => (await there.admin.listTopics()).includes(dead), 120_000, logs);
    await until(
      'dead letters are written',
      async () => (await there.admin.topicStats(dead)).some(({ maxOffset }) => maxOffset > 0),
      120_000,
      logs,
    );
    expect(await here.admin.listTopics()).not.toContain(dead);
  }, 300_000);

  it('keep their group and its offset when they are deleted', async () => {
    const offset = await there.admin.queryOffset(groupOf('lines-out'), queue());
    expect((await cluster.request('DELETE', '/connectors/lines-out')).status).toBe(204);
    expect((await cluster.request('DELETE', '/connectors/dead-out')).status).toBe(204);
    await until('the connector is gone', async () => (await cluster.request('GET', '/connectors/lines-out')).status === 404);
    expect(await there.admin.queryOffset(groupOf('lines-out'), queue())).toBe(offset);
  }, 120_000);

  it('are refused where the URL is none, and never show their key', async () => {
    const wrong = {
      'connector.class': 'FileStreamSink',
      file: output,
      topics: topic,
      'data.cluster.url': 'rocketmq+grpc://127.0.0.1:8081',
    };
    const refused = await cluster.request('PUT', '/connectors/wrong-out/config', wrong);
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain('expected the name servers of its cluster');
    const shown = JSON.stringify((await cluster.request('GET', '/connectors/lines-in')).body);
    expect(shown).toContain('data.cluster.url');
    expect(shown).not.toContain(SECRET);
    for (const role of cluster.roles) expect(role.log).not.toContain(SECRET);
    const { tasks } = (await cluster.request('GET', '/connectors/lines-in/status')).body as { tasks: { state: string }[] };
    expect(tasks.map(({ state }) => state)).toEqual(['RUNNING']);
  }, 60_000);
});
