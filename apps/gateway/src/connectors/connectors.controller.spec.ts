import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';

const source = { 'connector.class': 'FileStreamSource', topic: 't' };

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('POST /connectors', () => {
  it('answers 201 with the location and the connector', async () => {
    const answer = await gateway.post('/connectors', { name: 'src', config: { ...source, 'tasks.max': 2 } });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toBe(`${gateway.baseUrl}/connectors/src`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toEqual({
      name: 'src',
      config: { ...source, 'tasks.max': '2', name: 'src' },
      tasks: [
        { connector: 'src', task: 0 },
        { connector: 'src', task: 1 },
      ],
      type: 'source',
    });
  });

  it('accepts a trailing slash', async () => {
    expect((await gateway.post('/connectors/', { name: 'src', config: source })).status).toBe(201);
    expect((await gateway.get('/connectors/')).body).toEqual(['src']);
    expect((await gateway.get('/connectors/src/')).status).toBe(200);
  });

  it.each(['paused', 'PAUSED', 'Stopped'])('creates it in the initial state %s', async (state) => {
    await gateway.post('/connectors', { name: 'src', config: source, initial_state: state });
    const { body } = await gateway.get('/connectors/src/status');
    expect(body).toMatchObject({ connector: { state: state.toUpperCase() } });
  });

  it('takes an initial state of null for RUNNING', async () => {
    await gateway.post('/connectors', { name: 'src', config: source, initial_state: null });
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ connector: { state: 'RUNNING' } });
  });

  it('turns numbers and booleans into text and takes null for absent', async () => {
    await gateway.post('/connectors', { name: 'src', config: { ...source, a: 1.5, b: true, c: null } });
    const { body } = await gateway.get('/connectors/src/config');
    expect(body).toEqual({ ...source, a: '1.5', b: 'true', name: 'src' });
  });

  it('keeps the digits of numbers', async () => {
    const numbers = { a: '9223372036854775807', b: '12345678901234567.89', c: '1e400', d: '-0.0', e: '1.50' };
    const settings = Object.entries(numbers).map(([name, digits]) => `"${name}":${digits}`);
    const text = `{"name":"src","config":{"connector.class":"FileStreamSource","topic":"t",${settings.join(',')}}}`;
    expect((await gateway.sendText('POST', '/connectors', text, 'application/json')).status).toBe(201);
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject(numbers);
  });

  it('answers 409 for a name that exists', async () => {
    await gateway.createSource('src');
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 409, body: errorBody(409, 'Connector src already exists') });
  });

  it('answers 409 with the coordinator’s words when another request was first', async () => {
    gateway.cluster.answer = () => Promise.resolve({ status: 'conflict', message: 'Connector src already exists' });
    const answer = await gateway.post('/connectors', { name: 'src', config: source });
    expect(answer).toMatchObject({ status: 409, body: errorBody(409, 'Connector src already exists') });
  });

  it('answers 400 with every wrong setting and stores nothing', async () => {
    const config = { 'connector.class': 'FileStreamSource', 'tasks.max': 'many' };
    const answer = await gateway.post('/connectors', { name: 'bad', config });
    expect(answer.status).toBe(400);
    const { message } = answer.body as { message: string };
    const lines = message.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe('Connector configuration is invalid and contains the following 2 error(s):');
    expect(lines[1]).toContain('tasks.max');
    expect(lines[2]).toBe('Missing required configuration "topic" which has no default value.');
    expect(lines[3]).toBe(
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
    );
    expect(gateway.cluster.submitted).toEqual([]);
    expect((await gateway.get('/connectors')).body).toEqual([]);
  });

  it('answers 400 for a configuration without a class', async () => {
    const answer = await gateway.post('/connectors', { name: 'bad', config: {} });
    const message = 'Connector config {name=bad} contains no connector type';
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it('answers 400 for a class that no runner has, naming those that are there', async () => {
    const answer = await gateway.post('/connectors', { name: 'bad', config: { 'connector.class': 'Nope' } });
    const message =
      'Failed to find any class that implements Connector and which name matches Nope, ' +
      'available connectors are: FileStreamSink (sink 1.2.3), FileStreamSource (source 1.2.3)';
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
    expect(gateway.cluster.submitted).toEqual([]);
  });

  it('answers 400 when name and config.name differ', async () => {
    const answer = await gateway.post('/connectors', { name: 'snk', config: { ...source, name: 'other' } });
    const message = "Connector name configuration (other) doesn't match connector name in the URL (snk)";
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it.each([
    ['a missing config', { name: 'a' }, 'config: nothing given, allowed is an object of settings'],
    ['a config that is a list', { name: 'a', config: [] }, 'config: a list given, allowed is an object of settings'],
    ['a missing name', { config: {} }, 'name: nothing given, allowed is text'],
    ['a name that is a number', { name: 7, config: {} }, 'name: 7 given, allowed is text'],
    [
      'an unknown field',
      { name: 'a', config: {}, initialState: 'PAUSED' },
      '"initialState" is not a known field, allowed are name, config, initial_state',
    ],
    [
      'a wrong initial state',
      { name: 'a', config: {}, initial_state: 'asleep' },
      'initial_state: "ASLEEP" given, allowed are RUNNING, PAUSED, STOPPED',
    ],
    [
      'a nested setting',
      { name: 'a', config: { transforms: { type: 'x' } } },
      'config: "transforms": an object given, allowed are text, numbers and booleans',
    ],
  ])('answers 400 for %s, naming it', async (_what, body, problem) => {
    const message = `The request is invalid and contains the following 1 error(s):\n${problem}`;
    expect(await gateway.post('/connectors', body)).toMatchObject({ status: 400, body: errorBody(400, message) });
    expect(gateway.cluster.submitted).toEqual([]);
  });

  it('names all wrong fields of a body at once', async () => {
    const { body } = await gateway.post('/connectors', { initial_state: 1, x: 1 });
    expect(body).toMatchObject({ message: expect.stringContaining('following 4 error(s)') });
  });

  it.each([undefined, [], [{ name: 'a', config: {} }]])('answers 400 for the body %j', async (body) => {
    expect(await gateway.post('/connectors', body)).toMatchObject({ status: 400, body: { error_code: 400 } });
  });

  it.each(['a/b', '', '   ', 'a\u0000b', 'a\nb', 'a\u0085b', '.', '..', 'half\ud800', 'x'.repeat(1001)])(
    'answers 400 for the name %j before anything is stored',
    async (name) => {
      const answer = await gateway.post('/connectors', { name, config: source });
      expect(answer).toMatchObject({
        status: 400,
        body: { message: expect.stringMatching(/^Connector name .* is invalid/) },
      });
      expect(gateway.cluster.submitted).toEqual([]);
    },
  );

  it.each(['a.b', 'two words', 'überall', '数据', '😀', 'a?b#c', '100%', 'a\\b', '...', '__proto__', "it's", 'a:b;c=d&e+f'])(
    'takes the name %s, which can be read, changed and deleted in a path',
    async (name) => {
      const path = `/connectors/${encodeURIComponent(name)}`;
      const created = await gateway.post('/connectors', { name, config: source });
      expect(created).toMatchObject({ status: 201, body: { name } });
      expect(created.headers.get('location')).toBe(gateway.baseUrl + path);
      expect(await gateway.get(path)).toMatchObject({ status: 200, body: { name } });
      expect(await gateway.put(`${path}/config`, source)).toMatchObject({ status: 200, body: { config: { name } } });
      expect((await gateway.get('/connectors?expand=info')).body).toEqual(
        Object.fromEntries([[name, { info: expect.objectContaining({ name }) }]]),
      );
      expect((await gateway.send('DELETE', path)).status).toBe(204);
      expect((await gateway.get('/connectors')).body).toEqual([]);
    },
  );

  it('keeps settings with names that JavaScript objects have of their own', async () => {
    const text = '{"name":"src","config":{"connector.class":"FileStreamSource","topic":"t","toString":"y"}}';
    await gateway.sendText('POST', '/connectors', text, 'application/json');
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ toString: 'y' });
  });
});

describe('white space around a name', () => {
  it('is no part of it, whether it stands in a body or in a path', async () => {
    expect(await gateway.post('/connectors', { name: ' lead ', config: source })).toMatchObject({
      status: 201,
      body: { name: 'lead', config: { name: 'lead' } },
    });
    const put = await gateway.put('/connectors/%20lead/config', { ...source, name: ' lead', topic: 'u' });
    expect(put).toMatchObject({ status: 200, body: { name: 'lead', config: { name: 'lead', topic: 'u' } } });
    expect((await gateway.put('/connectors/%09new%20/config', source)).status).toBe(201);
    expect((await gateway.get('/connectors')).body).toEqual(['lead', 'new']);
    expect((await gateway.get('/connectors/lead%20/status')).status).toBe(200);
  });
});

describe('settings that nothing reads', () => {
  const warning = 'Configuration task.max is not a known setting. Did you mean tasks.max?';

  it('are accepted with a warning in the log and in the status, until they are gone', async () => {
    const odd = { ...source, 'task.max': '2' };
    expect((await gateway.post('/connectors', { name: 'src', config: odd })).status).toBe(201);
    expect(gateway.warned).toEqual([`Connector src: ${warning}`]);
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ warnings: [warning] });
    await gateway.put('/connectors/src/config', source);
    expect((await gateway.get('/connectors/src/status')).body).not.toHaveProperty('warnings');
    await gateway.send('PATCH', '/connectors/src/config', { 'task.max': '2' });
    expect((await gateway.get('/connectors?expand=status')).body).toMatchObject({
      src: { status: { warnings: [warning] } },
    });
  });

  it('are warned of when the settings are only checked', async () => {
    const path = '/connector-plugins/FileStreamSource/config/validate';
    const { body } = await gateway.put(path, { name: 'src', topic: 't', 'task.max': '2' });
    expect(body).toMatchObject({ error_count: 0, warnings: [warning] });
    expect((await gateway.put(path, { name: 'src', topic: 't' })).body).toMatchObject({ warnings: [] });
  });
});

describe('GET /connectors', () => {
  beforeEach(async () => {
    await gateway.createSource('b');
    await gateway.createSource('a');
  });

  it('answers the names, sorted', async () => {
    expect(await gateway.get('/connectors')).toMatchObject({ status: 200, body: ['a', 'b'] });
  });

  it('answers status and info when expand is repeated', async () => {
    const { body } = await gateway.get('/connectors?expand=status&expand=info');
    expect(body).toEqual({
      a: { status: expect.objectContaining({ name: 'a' }), info: expect.objectContaining({ name: 'a' }) },
      b: { status: expect.objectContaining({ name: 'b' }), info: expect.objectContaining({ name: 'b' }) },
    });
    expect((await gateway.get('/connectors/a/status')).body).toEqual((body as { a: { status: unknown } }).a.status);
    expect((await gateway.get('/connectors/a')).body).toEqual((body as { a: { info: unknown } }).a.info);
  });

  it.each(['status,info', 'nothing', ''])('adds nothing for expand=%s', async (value) => {
    expect((await gateway.get(`/connectors?expand=${value}`)).body).toEqual({ a: {}, b: {} });
  });

  it('ignores expand[]', async () => {
    expect((await gateway.get('/connectors?expand[]=status')).body).toEqual(['a', 'b']);
  });
});

describe('one connector', () => {
  it('answers info, config, tasks and topics', async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    const config = { ...source, 'tasks.max': '2', name: 'src' };
    expect((await gateway.get('/connectors/src/config')).body).toEqual(config);
    expect((await gateway.get('/connectors/src/tasks')).body).toEqual(
      [0, 1].map((task) => ({
        id: { connector: 'src', task },
        config: { ...config, 'task.class': 'FileStreamSourceTask', part: String(task) },
      })),
    );
    expect((await gateway.get('/connectors/src/topics')).body).toEqual({ src: { topics: ['t'] } });
  });

  it('answers the topics of a sink', async () => {
    await gateway.post('/connectors', { name: 'snk', config: { 'connector.class': 'FileStreamSink', topics: 'b, a' } });
    expect((await gateway.get('/connectors/snk/topics')).body).toEqual({ snk: { topics: ['a', 'b'] } });
  });

  it('answers the status of it and its tasks, with a trace only where one failed', async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    gateway.cluster.setTaskState({ connector: 'src', index: 1 }, 'FAILED', 'Error: disk full');
    const where = { worker_id: 'w1', version: '1.2.3', generation: expect.any(Number), since: 0 };
    const failed = { id: 1, state: 'FAILED', trace: 'Error: disk full', ...where };
    expect((await gateway.get('/connectors/src/status')).body).toEqual({
      name: 'src',
      connector: { state: 'RUNNING', worker_id: 'w1', version: '1.2.3' },
      tasks: [{ id: 0, state: 'RUNNING', ...where }, failed],
      type: 'source',
    });
    expect((await gateway.get('/connectors/src/tasks/1/status')).body).toEqual(failed);
  });

  it('answers UNASSIGNED once the worker is gone', async () => {
    await gateway.createSource('src');
    gateway.cluster.removeRunner('w1');
    expect((await gateway.get('/connectors/src/tasks/0/status')).body).toMatchObject({ state: 'UNASSIGNED' });
  });

  it('answers why it could not be split', async () => {
    await gateway.createSource('src');
    gateway.cluster.failSplitting('src', 'no such file');
    const { body } = await gateway.get('/connectors/src/status');
    expect(body).toMatchObject({ connector: { state: 'FAILED', trace: 'no such file' } });
  });

  it('is gone after DELETE, which answers 204', async () => {
    await gateway.createSource('src');
    expect(await gateway.send('DELETE', '/connectors/src')).toMatchObject({ status: 204, body: undefined });
    expect((await gateway.get('/connectors/src')).status).toBe(404);
  });
});

describe('PUT and PATCH /connectors/:name/config', () => {
  it('creates with 201 and the location, then updates with 200', async () => {
    const created = await gateway.put('/connectors/src/config', source);
    expect(created).toMatchObject({ status: 201, body: { name: 'src', type: 'source' } });
    expect(created.headers.get('location')).toBe(`${gateway.baseUrl}/connectors/src`);
    const updated = await gateway.put('/connectors/src/config', { ...source, topic: 'u', 'tasks.max': 3 });
    expect(updated).toMatchObject({ status: 200, body: { config: { topic: 'u', 'tasks.max': '3' } } });
    expect(updated.headers.get('location')).toBeNull();
  });

  it('keeps the target state', async () => {
    await gateway.createSource('src');
    await gateway.put('/connectors/src/pause');
    await gateway.put('/connectors/src/config', source);
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ connector: { state: 'PAUSED' } });
  });

  it('answers 400 when a source should become a sink', async () => {
    await gateway.createSource('src');
    const answer = await gateway.put('/connectors/src/config', { 'connector.class': 'FileStreamSink', topics: 't' });
    const message = 'Connector src is a source and cannot become a sink';
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it('answers 400 when the names differ', async () => {
    const answer = await gateway.put('/connectors/snk/config', { ...source, name: 'other' });
    const message = "Connector name configuration (other) doesn't match connector name in the URL (snk)";
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it.each(['a%2Fb', '%00', 'a%0Ab'])('answers 400 for the name %s in the path', async (name) => {
    expect(await gateway.put(`/connectors/${name}/config`, source)).toMatchObject({ status: 400 });
    expect(gateway.cluster.submitted).toEqual([]);
  });

  it('answers 400 for a nested setting, naming the key', async () => {
    const answer = await gateway.put('/connectors/src/config', { ...source, a: [1] });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('"a": a list given') } });
  });

  it('PATCH changes, adds and removes settings', async () => {
    await gateway.createSource('src', { file: 'f', 'tasks.max': '2' });
    const answer = await gateway.send('PATCH', '/connectors/src/config', { topic: 'u', extra: 1, file: null });
    const config = { 'connector.class': 'FileStreamSource', topic: 'u', 'tasks.max': '2', extra: '1', name: 'src' };
    expect(answer).toMatchObject({ status: 200, body: { config } });
    expect((await gateway.get('/connectors/src/config')).body).toEqual(config);
  });

  it('PATCH that removes a required setting answers 400 and changes nothing', async () => {
    await gateway.createSource('src');
    const answer = await gateway.send('PATCH', '/connectors/src/config', { topic: null });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('Missing required') } });
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ topic: 't' });
  });
});

describe('target states', () => {
  it.each([
    ['pause', 202, 'PAUSED'],
    ['resume', 202, 'RUNNING'],
    ['stop', 204, 'STOPPED'],
  ])('PUT %s answers %i without a body, also the second time', async (verb, status, state) => {
    await gateway.createSource('src');
    for (let time = 0; time < 2; time += 1) {
      const answer = await gateway.sendText('PUT', `/connectors/src/${verb}`, undefined, '');
      expect(answer).toMatchObject({ status, body: undefined });
    }
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ connector: { state } });
  });

  it('a stopped connector has no tasks', async () => {
    await gateway.createSource('src');
    await gateway.put('/connectors/src/stop');
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ tasks: [] });
  });
});

describe('the log of the gateway', () => {
  it('has one line per accepted command, with its request and without settings', async () => {
    const password = 'hunter2';
    await gateway.post('/connectors', { name: 'src', config: { ...source, password } });
    await gateway.put('/connectors/src/config', { ...source, password, topic: 'u' });
    await gateway.send('PATCH', '/connectors/src/config', { topic: 'v' });
    await gateway.put('/connectors/src/pause');
    await gateway.put('/connectors/src/resume');
    await gateway.put('/connectors/src/stop');
    await gateway.put('/connectors/src/resume');
    await gateway.post('/connectors/src/restart');
    await gateway.post('/connectors/src/restart?includeTasks=true&onlyFailed=true');
    await gateway.post('/connectors/src/tasks/0/restart');
    await gateway.send('DELETE', '/connectors/src');
    expect((await gateway.put('/connectors/src/pause')).status).toBe(404);
    const request = / \(request [0-9a-f-]{36}\)$/;
    expect(gateway.informed.filter((line) => !request.test(line))).toEqual([]);
    expect(new Set(gateway.informed).size).toBe(gateway.informed.length);
    const deeds = [
      'created',
      'configuration changed',
      'configuration changed',
      'paused',
      'resumed',
      'stopped',
      'resumed',
      'restarted',
      'restarted where it had failed',
      'restarted task 0',
      'deleted',
    ];
    expect(gateway.informed.map((line) => line.replace(request, ''))).toEqual(deeds.map((deed) => `Connector src: ${deed}`));
  });
});
