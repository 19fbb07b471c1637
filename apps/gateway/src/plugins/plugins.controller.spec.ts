import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileSource, lockedConverter } from '../testing/file-plugins.js';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';
import type { ValidationJson } from './plugin-answers.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

const connectors = [
  { class: 'FileStreamSink', type: 'sink', version: '1.2.3' },
  { class: 'FileStreamSource', type: 'source', version: '1.2.3' },
];

describe('GET /connector-plugins', () => {
  it('answers each connector once, however many runners have it', async () => {
    gateway.cluster.addRunner('w3', 'source', [fileSource]);
    expect(await gateway.get('/connector-plugins')).toMatchObject({ status: 200, body: connectors });
  });

  it('answers converters too when all plugins are asked for', async () => {
    const { body } = await gateway.get('/connector-plugins?connectorsOnly=false');
    expect(body).toEqual([...connectors, { class: 'StringConverter', type: 'converter', version: '1.0.0' }]);
  });

  it('answers what each plugin is, and which packages are left out, when all are asked for', async () => {
    const broken = { kind: 'package', name: '@acme/x', aliases: [], version: '2.0.0', error: 'cannot be loaded' } as const;
    gateway.cluster.addRunner('w3', 'source', [lockedConverter, { info: broken, spec: {} }]);
    const { body } = await gateway.get('/connector-plugins?connectorsOnly=false');
    expect(body).toContainEqual({ class: 'LockedConverter', type: 'converter', version: '1.0.0', doc: 'Locks.' });
    expect(body).toContainEqual({ class: '@acme/x', type: 'package', version: '2.0.0', error: 'cannot be loaded' });
    expect((await gateway.get('/connector-plugins')).body).toEqual(connectors);
    expect(await gateway.get('/connector-plugins/@acme%2Fx/config')).toMatchObject({ status: 404 });
  });

  it('answers 400 for a query that is no boolean', async () => {
    expect((await gateway.get('/connector-plugins?connectorsOnly=1')).status).toBe(400);
  });
});

describe('GET /connector-plugins/:plugin/config', () => {
  it.each(['FileStreamSource', 'org.apache.kafka.connect.file.FileStreamSourceConnector'])('describes the settings of %s', async (name) => {
    const answer = await gateway.get(`/connector-plugins/${name}/config`);
    expect(answer.status).toBe(200);
    expect(answer.body).toContainEqual({
      name: 'tasks.max',
      type: 'INT',
      required: false,
      default_value: '1',
      importance: 'HIGH',
      documentation: 'Tasks.',
      group: 'Common',
      order_in_group: 3,
      order: 3,
      width: 'NONE',
      display_name: 'tasks.max',
      dependents: [],
    });
  });

  it('asks for the version that the query names', async () => {
    const newer = { info: { ...fileSource.info, version: '2.0.0' }, spec: lockedConverter.spec };
    gateway.cluster.addRunner('w3', 'source', [newer]);
    expect((await gateway.get('/connector-plugins/FileStreamSource/config?version=2.0.0')).body).toMatchObject([{ name: 'pin' }]);
  });

  it('describes converters', async () => {
    const { body } = await gateway.get('/connector-plugins/StringConverter/config');
    expect(body).toMatchObject([{ name: 'encoding', type: 'STRING' }]);
  });
});

describe('PUT /connector-plugins/:plugin/config/validate', () => {
  const path = '/connector-plugins/FileStreamSource/config/validate';

  it('answers 200 with the errors of each setting', async () => {
    const answer = await gateway.put(path, { 'connector.class': 'FileStreamSource', name: 'src', 'tasks.max': 0 });
    const body = answer.body as ValidationJson;
    expect(answer.status).toBe(200);
    expect(body).toMatchObject({ name: 'FileStreamSource', error_count: 2, groups: ['Common'] });
    const values = Object.fromEntries(body.configs.map(({ value }) => [value.name, value]));
    expect(values['tasks.max']).toMatchObject({
      value: '0',
      errors: [expect.stringContaining('tasks.max')],
      visible: true,
    });
    expect(values['topic']).toMatchObject({
      value: null,
      recommended_values: [],
      errors: ['Missing required configuration "topic" which has no default value.'],
    });
    expect(body.configs.find(({ value }) => value.name === 'topic')?.definition).toMatchObject({ required: true });
  });

  it('answers no error for a configuration that is right, with the class taken from the path', async () => {
    expect((await gateway.put(path, { name: 'src', topic: 't' })).body).toMatchObject({ error_count: 0 });
  });

  it('accepts an alias in the settings', async () => {
    const [alias] = fileSource.info.aliases;
    const { body } = await gateway.put(path, { 'connector.class': alias, name: 'src', topic: 't' });
    expect(body).toMatchObject({ name: 'FileStreamSource', error_count: 0 });
  });

  it('answers 400 when the settings name another class', async () => {
    const answer = await gateway.put(path, { 'connector.class': 'FileStreamSink' });
    const message = 'Included connector type FileStreamSink does not match request type FileStreamSource';
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });

  it('answers 400 for an unknown class, naming those that are there', async () => {
    const answer = await gateway.put('/connector-plugins/Nope/config/validate', {});
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringMatching(/which name matches Nope, available connectors are: FileStreamSink/) },
    });
  });

  it('takes a converter for no connector', async () => {
    expect((await gateway.put('/connector-plugins/StringConverter/config/validate', {})).status).toBe(400);
  });
});
