import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterTopics, readerGroupOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient, TopicNotFoundError } from '@sluice/rocketmq';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { SluiceCluster, until, type RoleHandle } from '../support/sluice-cluster.js';

const patienceMs = 180_000;
const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

describe('a Connect cluster whose topics were wiped', () => {
  let cluster: SluiceCluster;
  let topics: ClusterTopics;
  let client: RocketMqClient;
  let input: string;
  let output: string;
  let generation = 0;

  const logs = (): string => cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-1500)}`).join('');
  const filesOf = (node: string): string => join(cluster.path('store'), node);

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    topics = topicsOf(cluster.clusterId);
    client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    input = cluster.path('in.txt');
    output = cluster.path('out.txt');
    await appendLines(input, 0, 1_000);
    const topic = { topic: cluster.topic('lines'), 'topic.creation.default.partitions': '1' };
    for (const [name, config] of [
      ['in', { 'connector.class': 'FileStreamSource', file: input, ...topic }],
      ['out', { 'connector.class': 'FileStreamSink', file: output, topics: cluster.topic('lines') }],
    ] as const) {
      expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
    }
    await untilFlown();
  }, 300_000);
  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const untilFlown = async (): Promise<void> => {
    const goal = await sizeOf(input);
    await until('all lines have come through', async () => (await sizeOf(output)) >= goal, 2 * patienceMs, logs);
  };

  const untilEnded = (handle: RoleHandle): Promise<true> =>
    until(
      `${handle.id} has ended`,
      () => !handle.isRunning,
      patienceMs,
      () => handle.log,
    );

  const generationOf = async (connector: string): Promise<number> => {
    const { body } = await cluster.request('GET', `/connectors/${connector}/status`);
    return (body as { tasks: { generation: number }[] }).tasks[0]?.generation ?? -1;
  };

  const initNew = (): readonly string[] => ['init', '--new', '--broker', cluster.rocketmq.brokerName];

  const isThere = async (topic: string): Promise<boolean> => {
    try {
      await client.routes.refresh(topic);
      return true;
    } catch (error) {
      if (error instanceof TopicNotFoundError) return false;
      throw error;
    }
  };

  const wipe = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await client.admin.deleteTopic(name);
    await until('the topics are gone', async () => !(await Promise.all(names.map(isThere))).includes(true));
  };

  it('keeps in the files of a coordinator, too, how far the sources have read', async () => {
    generation = await generationOf('in');
    const file = join(filesOf('coordinator-1'), 'position.json');
    let text = '';
    await until(
      'all lines are in the file',
      () => {
        text = existsSync(file) ? readFileSync(file, 'utf8') : '';
        return /"connector": ?"in"/.test(text) && /"nextSeq": ?1001\b/.test(text);
      },
      patienceMs,
      () => text,
    );
  }, 300_000);

  it('without its log is not created again by init, nor do its nodes start', async () => {
    for (const handle of cluster.roles) await handle.kill('SIGTERM');
    await wipe([topics.log.name]);
    const init = await cluster.cli(...initNew());
    expect(init).toMatchObject({ code: 1, output: expect.stringContaining('was lost. Stop all nodes and run') });
    await wipe(Object.values(topics).flatMap(({ name }: { name: string }) => (name === topics.log.name ? [] : [name])));
    const coordinator = cluster.role('coordinator-1');
    coordinator.start();
    await untilEnded(coordinator);
    expect(await coordinator.ended).toBe(1);
    expect(coordinator.log).toContain(`Topic ${topics.log.name} does not exist`);
    expect(coordinator.log).toContain(`sluice restore --cluster ${cluster.clusterId} --from`);
  }, 300_000);

  it('created again, is not joined by a node that knows the log before it', async () => {
    expect(await cluster.cli('init')).toMatchObject({
      code: 1,
      output: expect.stringContaining('Nothing of Connect cluster'),
    });
    const nodes = { SLUICE_STORE_PATH: cluster.path('store') };
    expect(await cluster.cliWith(nodes, ...initNew())).toMatchObject({
      code: 1,
      output: expect.stringContaining('is not new: the node in'),
    });
    expect(await cluster.cli(...initNew())).toMatchObject({
      code: 1,
      output: expect.stringContaining(`group ${readerGroupOf(cluster.clusterId)} of its readers exists`),
    });
    await client.admin.deleteGroup(readerGroupOf(cluster.clusterId));
    expect(await cluster.cli(...initNew())).toMatchObject({ code: 0 });
    const coordinator = cluster.role('coordinator-1');
    coordinator.start();
    await untilEnded(coordinator);
    expect(await coordinator.ended).toBe(1);
    expect(coordinator.log).toContain('is another one');
    expect(existsSync(join(filesOf('coordinator-1'), 'connectorConfig.json'))).toBe(true);
    await wipe(Object.values(topics).map(({ name }: { name: string }) => name));
  }, 300_000);

  it('is restored from the files of one node, only when that is confirmed', async () => {
    const from = ['--from', filesOf('coordinator-1')];
    const shown = await cluster.cli('restore', ...from);
    expect(shown.code).toBe(0);
    expect(shown.output).toContain('connectors: in, out (2 tasks)');
    expect(shown.output).toContain('positions: 1 source partitions of 1 connectors');
    expect(shown.output).toContain('Nothing was written');
    expect(await isThere(topics.log.name)).toBe(false);

    const nothing = await cluster.cli('restore', '--from', cluster.path('nowhere'), '--yes');
    expect(nothing).toMatchObject({ code: 1, output: expect.stringContaining('connectorConfig.json does not exist') });
    expect(await isThere(topics.log.name)).toBe(false);

    expect(await cluster.cli('restore', ...from, '--yes')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Restored: the log continues with entry'),
    });
    expect(await cluster.cli('restore', ...from, '--yes')).toMatchObject({
      code: 1,
      output: expect.stringContaining('is there and not empty'),
    });
    expect((await cluster.cli('init')).output).toContain('is there, on broker');
  }, 300_000);

  it('resumes at its positions: nothing is lost or duplicated, and generations have grown', async () => {
    // One with an empty disk, those of the others hold the log that is gone: they put it aside and start again.
    rmSync(filesOf('gateway-1'), { recursive: true });
    await appendLines(input, 1_000, 2_000);
    for (const handle of cluster.roles) {
      handle.start();
      if (handle.role === 'gateway') continue;
      await untilEnded(handle);
      expect(handle.log).toContain('What this node has kept of another log is in');
      handle.start();
    }
    await cluster.untilReady();
    await cluster.untilTask('in', 'RUNNING', undefined, patienceMs);
    await untilFlown();
    expect(await digestOf(output)).toBe(await digestOf(input));
    expect(await generationOf('in')).toBeGreaterThan(generation + 1_000_000);
  }, 300_000);
});
