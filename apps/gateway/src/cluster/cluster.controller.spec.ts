import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileSource } from '../testing/file-plugins.js';
import { type Answer, errorBody, GatewayClient } from '../testing/gateway-client.js';
import type { ClusterJson, NodeJson, PlanJson } from './cluster-answers.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

const clusterOf = async (): Promise<ClusterJson> => (await gateway.get('/cluster')).body as ClusterJson;
const nodeOf = async (id: string): Promise<NodeJson | undefined> => (await clusterOf()).nodes.find((n) => n.id === id);
const planOf = async (query: string): Promise<PlanJson> => (await gateway.get(`/cluster/assignment/plan${query}`)).body as PlanJson;

describe('GET /cluster', () => {
  it('shows leader, log, level, settings and nodes', async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    const { head } = gateway.cluster.state();
    const body = await clusterOf();
    expect(body).toMatchObject({
      id: 'log-1',
      leader: { id: 'c1', incarnation: 'c1#1', state: 'leading', epoch: 1, claim_id: 'claim-1' },
      log: { broker: 'broker-a', seq: head.seq, offset: head.offset },
      feature_level: 1,
      settings: { 'assignment.strategy': 'sticky', 'rebalance.interval.ms': '60000' },
      model: { age_ms: 0 },
    });
    expect(body.nodes.map(({ id, role, state, leader }) => [id, role, state, leader])).toEqual([
      ['c1', 'coordinator', 'live', true],
      ['w1', 'source-runner', 'live', false],
      ['w2', 'sink-runner', 'live', false],
    ]);
  });

  it('shows of each node where it is, since when, and how far behind the log', async () => {
    gateway.cluster.addRunner('w3', 'source', [fileSource], { zone: 'a' });
    const applied = gateway.cluster.state().head.seq;
    await gateway.put('/cluster/settings', {});
    await gateway.put('/cluster/settings', {});
    expect(await nodeOf('w3')).toEqual({
      id: 'w3',
      state: 'live',
      draining: false,
      leader: false,
      role: 'source-runner',
      labels: { zone: 'a' },
      capacity: 1,
      incarnation: 'w3#1',
      http: 'w3:8085',
      started_at: 5,
      task_count: 0,
      reported_at: 0,
      log: { applied_seq: applied, behind: 2, max_level: 1 },
    });
  });

  it('keeps a node that is gone in sight', async () => {
    gateway.cluster.removeRunner('w1');
    expect(await nodeOf('w1')).toMatchObject({ state: 'gone', incarnation: 'w1#1', gone_since: expect.any(Number) });
  });

  it('shows how old the answer is, also as a header of every answer', async () => {
    gateway.cluster.stalenessMs = 45_000.4;
    const answer = await gateway.get('/cluster');
    expect(answer).toMatchObject({ status: 200, body: { model: { age_ms: 45_000 } } });
    expect(answer.headers.get('sluice-model-age-ms')).toBe('45000');
    const refused = await gateway.get('/connectors');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('sluice-model-age-ms')).toBe('45000');
  });

  it('answers 503 before the log was read', async () => {
    gateway.cluster.isFollowing = false;
    expect(await gateway.get('/cluster')).toMatchObject({ status: 503, body: { error_code: 503 } });
  });
});

describe('GET /cluster/nodes/:id', () => {
  it('adds tasks with their states, and plugins', async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    gateway.cluster.setTaskState({ connector: 'src', index: 1 }, 'FAILED', 'Error: disk full');
    expect(await gateway.get('/cluster/nodes/w1')).toMatchObject({
      status: 200,
      body: {
        id: 'w1',
        task_count: 2,
        tasks: [
          { connector: 'src', task: 0, state: 'RUNNING', generation: expect.any(Number) },
          { connector: 'src', task: 1, state: 'FAILED' },
        ],
        plugins: [
          { class: 'FileStreamSource', type: 'source', version: '1.2.3' },
          { class: 'StringConverter', type: 'converter', version: '1.0.0' },
        ],
      },
    });
  });

  it('answers 404 for an unknown node', async () => {
    const answer = await gateway.get('/cluster/nodes/w9');
    expect(answer).toMatchObject({ status: 404, body: errorBody(404, 'Node w9 not found') });
  });
});

describe('draining', () => {
  it('answers 202 with the state, lasts until the node is empty, and ends with undrain', async () => {
    await gateway.createSource('src');
    const drain = await gateway.post('/cluster/nodes/w1/drain');
    expect(drain).toMatchObject({ status: 202, body: { id: 'w1', state: 'draining', draining: true, task_count: 1 } });
    gateway.cluster.free('src');
    expect(await nodeOf('w1')).toMatchObject({ state: 'drained', task_count: 0 });
    const undrain = await gateway.post('/cluster/nodes/w1/undrain');
    expect(undrain).toMatchObject({ status: 202, body: { id: 'w1', state: 'live', draining: false } });
    expect(gateway.cluster.submitted.slice(1)).toEqual([
      { kind: 'node.drain', nodeId: 'w1' },
      { kind: 'node.undrain', nodeId: 'w1' },
    ]);
  });

  it('of a node that is gone can be ended', async () => {
    await gateway.post('/cluster/nodes/w1/drain');
    gateway.cluster.removeRunner('w1');
    expect(await nodeOf('w1')).toMatchObject({ state: 'gone', draining: true });
    const answer = await gateway.post('/cluster/nodes/w1/undrain');
    expect(answer).toMatchObject({ status: 202, body: { state: 'gone', draining: false } });
  });

  it.each(['drain', 'undrain'])('answers 404 for an unknown node and 400 for one without tasks: %s', async (verb) => {
    const unknown = await gateway.post(`/cluster/nodes/w9/${verb}`);
    expect(unknown).toMatchObject({ status: 404, body: errorBody(404, 'Node w9 not found') });
    const message = 'Node c1 is a coordinator: only runners have tasks';
    const other = await gateway.post(`/cluster/nodes/c1/${verb}`);
    expect(other).toMatchObject({ status: 400, body: errorBody(400, message) });
    expect(gateway.cluster.submitted).toEqual([]);
  });
});

describe('GET /cluster/assignment/plan', () => {
  beforeEach(async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    gateway.cluster.addRunner('w3', 'source', [fileSource]);
    gateway.cluster.submitted.length = 0;
  });

  it.each([
    ['remove', 'owner-removed'],
    ['drain', 'owner-draining'],
  ])('?%s=w1 shows what would move, and moves nothing', async (change, reason) => {
    const { head } = gateway.cluster.state();
    expect(await planOf(`?${change}=w1`)).toMatchObject({
      strategy: 'sticky',
      move_count: 2,
      moves: [
        { connector: 'src', task: 0, from: 'w1', to: 'w3', reason },
        { connector: 'src', task: 1, from: 'w1', to: 'w3', reason },
      ],
      unassigned: [],
      loads: [
        { id: 'w1', before: 2, after: 0 },
        { id: 'w2', before: 0, after: 0 },
        { id: 'w3', before: 0, after: 2 },
      ],
    });
    expect(gateway.cluster.submitted).toEqual([]);
    expect(gateway.cluster.state().head).toEqual(head);
  });

  it('shows what nobody could run, and lists as much as is asked for', async () => {
    gateway.cluster.removeRunner('w3');
    const plan = await planOf('?remove=w1&limit=1');
    expect(plan).toMatchObject({ move_count: 0, moves: [], unassigned_count: 2 });
    expect(plan.unassigned).toEqual([
      {
        connector: 'src',
        task: 0,
        from: 'w1',
        reason: { code: 'no-worker', message: 'No worker of role source-runner is a member.' },
      },
    ]);
  });

  it('takes nodes that are being drained already into account', async () => {
    await gateway.post('/cluster/nodes/w3/drain');
    expect(await planOf('')).toMatchObject({ strategy: 'sticky', move_count: 0 });
    expect((await planOf('?remove=w1')).unassigned).toMatchObject([
      { reason: { code: 'all-draining' } },
      { reason: { code: 'all-draining' } },
    ]);
  });

  it('a drain of the last runner moves nothing, and the node says why its tasks stay', async () => {
    gateway.cluster.removeRunner('w3');
    const reason = {
      code: 'all-draining',
      message: 'All workers of role source-runner with plugin FileStreamSource are draining.',
    };
    const plan = await planOf('?drain=w1');
    expect(plan).toMatchObject({ move_count: 0, unassigned_count: 0, staying_count: 2 });
    expect(plan.staying).toMatchObject([
      { connector: 'src', task: 0, on: 'w1', reason },
      { connector: 'src', task: 1, on: 'w1', reason },
    ]);
    const drain = await gateway.post('/cluster/nodes/w1/drain');
    const staying = { task_count: 2, reason };
    expect(drain).toMatchObject({ status: 202, body: { state: 'draining', task_count: 2, staying } });
    expect((await gateway.get('/cluster/nodes/w1')).body).toMatchObject({ state: 'draining', staying });
    await gateway.post('/cluster/nodes/w1/undrain');
    expect((await gateway.get('/cluster/nodes/w1')).body).not.toHaveProperty('staying');
    await gateway.post('/cluster/nodes/w1/drain');
    gateway.cluster.revokeTasks('src');
    expect((await gateway.get('/cluster/nodes/w1')).body).not.toHaveProperty('staying');
  });

  it('?strategy= tries another one', async () => {
    expect(await planOf('?strategy=average')).toMatchObject({ strategy: 'average', move_count: 1 });
  });

  it.each([
    ['?remove=w1&drain=w1', 400, 'Query parameters remove and drain are given, allowed is one change at a time'],
    ['?strategy=x', 400, 'Query parameter strategy is "x", allowed are sticky, average, consistent-hash'],
    ['?limit=-1', 400, 'Query parameter limit is "-1", allowed are 0 to 100000'],
    ['?add=w1', 400, 'Query parameter add is "w1", the parameters are remove, drain, strategy, limit'],
    ['?drain=', 400, 'Query parameter drain is "", one value is allowed'],
    ['?drain=c1', 400, 'Node c1 is a coordinator: only runners have tasks'],
    ['?drain=w9', 404, 'Node w9 not found'],
  ])('%s answers %i', async (query, status, message) => {
    const answer = await gateway.get(`/cluster/assignment/plan${query}`);
    expect(answer).toMatchObject({ status, body: errorBody(status, message) });
  });
});

describe('/cluster/settings', () => {
  const defaults = { 'assignment.strategy': 'sticky', 'rebalance.interval.ms': '60000' };
  const patch = (body: object): Promise<Answer> => gateway.send('PATCH', '/cluster/settings', body);

  it('PATCH changes what is given, PUT brings the defaults of all else back', async () => {
    expect((await gateway.get('/cluster/settings')).body).toEqual(defaults);
    await patch({ 'rebalance.interval.ms': 5000 });
    const both = { 'assignment.strategy': 'average', 'rebalance.interval.ms': '5000' };
    expect(await patch({ 'assignment.strategy': 'average' })).toMatchObject({ status: 200, body: both });
    const put = await gateway.put('/cluster/settings', { 'assignment.strategy': 'average' });
    expect(put).toMatchObject({ status: 200, body: { ...defaults, 'assignment.strategy': 'average' } });
    expect((await patch({ 'assignment.strategy': null })).body).toEqual(defaults);
    expect((await clusterOf()).settings).toEqual(defaults);
  });

  it.each([
    [{ 'assignment.strategy': 'x' }, 'Invalid value "x" for setting assignment.strategy: allowed are sticky, average'],
    [{ a: 'b' }, 'Unknown setting a; there are: assignment.strategy, rebalance.interval.ms'],
    [{ a: [] }, '"a": a list given'],
  ])('%j answers 400 and writes nothing', async (settings, message) => {
    for (const answer of [await gateway.put('/cluster/settings', settings), await patch(settings)]) {
      expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(message) } });
    }
    expect(gateway.cluster.submitted).toEqual([]);
  });
});

describe('without a coordinator', () => {
  const silentMs = 12_000;
  beforeEach(async () => {
    await gateway.createSource('src');
    gateway.cluster.submitted.length = 0;
    gateway.cluster.leaderSilence = silentMs;
  });

  it.each([
    ['POST', '/connectors', { name: 'other', config: { 'connector.class': 'FileStreamSource', topic: 't' } }],
    ['PATCH', '/connectors/src/config', { topic: 'u' }],
    ['PUT', '/connectors/src/pause', undefined],
    ['DELETE', '/connectors/src', undefined],
    ['POST', '/connectors/src/restart?includeTasks=true', undefined],
    ['POST', '/connectors/src/tasks/0/restart', undefined],
    ['POST', '/cluster/nodes/w1/drain', undefined],
    ['PUT', '/cluster/settings', {}],
  ])('%s %s answers 503 with the reason and since when', async (method, path, body) => {
    const from = Date.now();
    const answer = await gateway.send(method, path, body);
    expect(answer.status).toBe(503);
    const { message } = answer.body as { message: string };
    const [, since] = /^No coordinator leads: c1, the last one, was not heard of since (\S+)\. Nothing was changed\.$/.exec(message) ?? [
      undefined,
      '',
    ];
    expect(Date.parse(since)).toBeGreaterThanOrEqual(from - silentMs);
    expect(Date.parse(since)).toBeLessThanOrEqual(Date.now() - silentMs);
    expect(gateway.cluster.submitted).toEqual([]);
  });

  it('reads are answered, and the cluster shows that its leader is silent', async () => {
    expect((await gateway.get('/connectors/src/status')).status).toBe(200);
    const from = Date.now();
    const { leader } = await clusterOf();
    expect(leader).toMatchObject({ id: 'c1', state: 'silent' });
    expect(leader.heard_at).toBeGreaterThanOrEqual(from - silentMs);
    expect(leader.heard_at).toBeLessThanOrEqual(Date.now() - silentMs);
  });

  it('says so when it is the log that cannot be read', async () => {
    gateway.cluster.stalenessMs = silentMs;
    const answer = await gateway.put('/connectors/src/pause');
    expect(answer).toMatchObject({
      status: 503,
      body: { message: expect.stringMatching(/^The gateway has had no contact to the cluster's log since \S+Z: /) },
    });
  });

  it('a short silence is no reason to refuse', async () => {
    gateway.cluster.leaderSilence = 9_000;
    expect((await gateway.put('/connectors/src/pause')).status).toBe(202);
  });
});
