import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

const linesPerStep = 200;
const stepMs = 40;

interface NodeAnswer {
  readonly id: string;
  readonly role: string;
  readonly state: string;
  readonly http: string;
  readonly started_at: number;
  readonly task_count: number;
  readonly log: { readonly applied_seq: number; readonly behind: number };
}

interface ClusterAnswer {
  readonly leader: { readonly id: string; readonly state: string; readonly heard_at: number };
  readonly log: { readonly seq: number };
  readonly model: { readonly age_ms: number };
  readonly nodes: readonly NodeAnswer[];
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

describe('the cluster as a resource', () => {
  let cluster: SluiceCluster;
  let input: string;
  let output: string;
  let written = 1;
  let writing: Promise<void> = Promise.resolve();
  const stopped = new AbortController();
  const began = Date.now();

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    input = cluster.path('in.txt');
    output = cluster.path('out.txt');
    await appendLines(input, 0, 1);
    const topic = { topic: cluster.topic('lines'), 'topic.creation.default.partitions': '1' };
    for (const [name, config] of [
      ['in', { 'connector.class': 'FileStreamSource', file: input, ...topic }],
      ['out', { 'connector.class': 'FileStreamSink', file: output, topics: cluster.topic('lines') }],
    ] as const) {
      expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
    }
    await cluster.untilTask('in', 'RUNNING', 'source-runner-1');
    await cluster.untilTask('out', 'RUNNING');
    writing = (async () => {
      while (!stopped.signal.aborted) {
        await appendLines(input, written, written + linesPerStep);
        written += linesPerStep;
        await delay(stepMs);
      }
    })();
  }, 300_000);

  afterAll(async () => {
    stopped.abort();
    await writing;
    await (cluster as SluiceCluster | undefined)?.close();
  }, 300_000);

  const resource = async (): Promise<ClusterAnswer> => (await cluster.request('GET', '/cluster')).body as ClusterAnswer;

  const untilNode = async (id: string, state: string): Promise<NodeAnswer> =>
    until(
      `${id} is ${state}`,
      async () => (await resource()).nodes.find((node) => node.id === id && node.state === state),
      180_000,
      () => cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-1500)}`).join(''),
    );

  const untilFlowing = async (): Promise<void> => {
    const goal = await sizeOf(input);
    await until('the flow continues', async () => (await sizeOf(output)) >= goal, 180_000);
  };

  it('shows every node, where it answers, since when, and that it follows the log', async () => {
    await until('all nodes have reported', async () => (await resource()).nodes.every((node) => 'log' in node));
    const { leader, log, nodes } = await resource();
    expect(leader).toMatchObject({ id: 'coordinator-1', state: 'leading' });
    expect(nodes.map(({ id, role, state }) => [id, role, state])).toEqual([
      ['coordinator-1', 'coordinator', 'live'],
      ['gateway-1', 'gateway', 'live'],
      ['sink-runner-1', 'sink-runner', 'live'],
      ['source-runner-1', 'source-runner', 'live'],
    ]);
    for (const node of nodes) {
      expect(node.started_at).toBeGreaterThan(began);
      expect(node.started_at).toBeLessThan(Date.now());
      expect(node.log.applied_seq + node.log.behind).toBe(log.seq);
      expect((await fetch(`http://${node.http}/health/live`)).status).toBe(200);
    }
  }, 300_000);

  it('patches at the same time all take effect', async () => {
    const config = { 'connector.class': 'FileStreamSource', file: cluster.path('none.txt'), topic: 'none' };
    const created = { name: 'patched', config, initial_state: 'STOPPED' };
    expect((await cluster.request('POST', '/connectors', created)).status).toBe(201);
    const patches = ['a', 'b', 'c', 'd'].map((name) => ({ [`x.${name}`]: name }));
    const answers = await Promise.all(patches.map((patch) => cluster.request('PATCH', '/connectors/patched/config', patch)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { body } = await cluster.request('GET', '/connectors/patched/config');
    expect(body).toMatchObject({ ...config, ...Object.fromEntries(patches.flatMap((patch) => Object.entries(patch))) });
  }, 300_000);

  it('a connector whose placement no runner has says so', async () => {
    const config = { 'connector.class': 'FileStreamSource', file: input, topic: 'none', 'placement.zone': 'moon' };
    expect((await cluster.request('POST', '/connectors', { name: 'placed', config })).status).toBe(201);
    const reason = {
      code: 'no-labels',
      message: 'No worker of role source-runner has plugin FileStreamSource and labels {zone: moon}.',
    };
    await until('the connector is split', async () => {
      const { body } = await cluster.request('GET', '/connectors/placed/status');
      return (body as { tasks: unknown[] }).tasks.length > 0;
    });
    expect((await cluster.request('GET', '/connectors/placed/status')).body).toMatchObject({
      connector: { state: 'UNASSIGNED', reason },
      tasks: [{ state: 'UNASSIGNED', reason }],
    });
    expect((await cluster.request('DELETE', '/connectors/placed')).status).toBe(204);
  }, 300_000);

  it('a drain moves the running task as the plan said before, and nothing is lost or duplicated', async () => {
    cluster.add('source-runner', 'source-runner-2').start();
    await untilNode('source-runner-2', 'live');
    await untilFlowing();
    const plan = await cluster.request('GET', '/cluster/assignment/plan?drain=source-runner-1');
    expect(plan).toMatchObject({
      status: 200,
      body: {
        move_count: 1,
        moves: [{ connector: 'in', task: 0, from: 'source-runner-1', to: 'source-runner-2', reason: 'owner-draining' }],
        unassigned_count: 0,
      },
    });
    await cluster.untilTask('in', 'RUNNING', 'source-runner-1');
    const drain = await cluster.request('POST', '/cluster/nodes/source-runner-1/drain');
    expect(drain).toMatchObject({ status: 202, body: { id: 'source-runner-1', draining: true } });
    await cluster.untilTask('in', 'RUNNING', 'source-runner-2');
    expect(await untilNode('source-runner-1', 'drained')).toMatchObject({ task_count: 0 });
    await untilFlowing();
    stopped.abort();
    await writing;
    await untilFlowing();
    expect(await digestOf(output)).toBe(await digestOf(input));
    const undrain = await cluster.request('POST', '/cluster/nodes/source-runner-1/undrain');
    expect(undrain).toMatchObject({ status: 202, body: { state: 'live', draining: false } });
  }, 300_000);

  it('without a coordinator writes answer 503 and since when, reads their age, and data flows', async () => {
    await cluster.role('coordinator-1').kill('SIGKILL');
    const silent = await until(
      'the leader is silent',
      async () => {
        const answer = await resource();
        return answer.leader.state === 'silent' ? answer : undefined;
      },
      180_000,
    );
    expect(silent.leader.heard_at).toBeGreaterThan(began);
    expect(silent.leader.heard_at).toBeLessThan(Date.now() - 9_000);
    const write = await cluster.request('PUT', '/connectors/in/pause');
    expect(write).toMatchObject({
      status: 503,
      body: {
        message: expect.stringMatching(
          /^No coordinator leads: coordinator-1, the last one, was not heard of since \S+Z\. Nothing was changed\.$/,
        ),
      },
    });
    const read = await cluster.request('GET', '/connectors/in/status');
    expect(read).toMatchObject({ status: 200, body: { tasks: [{ state: 'RUNNING' }] } });
    const age = Number(read.headers.get('sluice-model-age-ms'));
    expect(age).toBeGreaterThanOrEqual(0);
    expect(age).toBeLessThanOrEqual(30_000);
    await appendLines(input, written, written + linesPerStep);
    await untilFlowing();
    expect(await digestOf(output)).toBe(await digestOf(input));
    cluster.role('coordinator-1').start();
    await until('a coordinator leads', async () => (await resource()).leader.state === 'leading', 180_000);
    expect((await cluster.request('PUT', '/connectors/in/pause')).status).toBe(202);
  }, 300_000);
});
