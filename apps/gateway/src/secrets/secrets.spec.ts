import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HIDDEN_VALUE, isSecretName } from '@sluice/sdk';
import { ControlPlaneUnavailableError } from '../ports/gateway-ports.js';
import { fileSource, lockedConverter } from '../testing/file-plugins.js';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';
import { hideSecrets } from './secret-settings.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

const secrets = {
  'store.pin': 'hunter2',
  'transforms.x.password': 'swordfish',
  'sasl.jaas.config': 'x.PlainLoginModule required username="u" password="swordfish";',
  'connection.url': 'http://u:swordfish@h/',
};
const hidden = {
  'store.pin': HIDDEN_VALUE,
  'transforms.x.password': HIDDEN_VALUE,
  'sasl.jaas.config': HIDDEN_VALUE,
  'connection.url': `http://${HIDDEN_VALUE}@h/`,
};

function storedConfig(): Readonly<Record<string, string>> | undefined {
  return gateway.cluster.state().connectors.get('src')?.config;
}

describe('secret settings', () => {
  it('never leave, whichever route is asked', async () => {
    const config = { 'connector.class': 'FileStreamSource', topic: 't', ...secrets };
    const created = await gateway.post('/connectors', { name: 'src', config });
    gateway.cluster.setTaskState({ connector: 'src', index: 0 }, 'FAILED', 'Error: login with hunter2 refused');
    expect(created.body).toMatchObject({ config: hidden });
    expect(storedConfig()).toMatchObject(secrets);
    const answers = [
      created,
      await gateway.get('/connectors/src'),
      await gateway.get('/connectors/src/config'),
      await gateway.get('/connectors/src/tasks'),
      await gateway.get('/connectors/src/status'),
      await gateway.get('/connectors/src/tasks/0/status'),
      await gateway.get('/connectors?expand=info&expand=status'),
      await gateway.put('/connectors/src/config', { ...config, topic: 'u' }),
      await gateway.send('PATCH', '/connectors/src/config', { topic: 'v' }),
      await gateway.put('/connectors/src/config', { ...config, 'tasks.max': 'hunter2' }),
      await gateway.put('/connector-plugins/FileStreamSource/config/validate', config),
      await gateway.post('/connectors', { name: 'x', config: { password: 'hunter2' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200, 200, 200, 200, 200, 400, 200, 400]);
    expect(JSON.stringify(answers)).not.toMatch(/hunter2|swordfish/);
    expect(answers[5]?.body).toMatchObject({ trace: `Error: login with ${HIDDEN_VALUE} refused` });
  });

  it.each([
    [{ 'value.converter': 'LockedConverter', 'value.converter.pin': 'hunter2' }],
    [{ 'header.converter': ' org.acme.LockedConverter', 'header.converter.pin': 'hunter2' }],
    [{ transforms: 'x', 'transforms.x.class': 'LockedConverter', 'transforms.x.pin': 'hunter2' }],
    [{ predicates: 'x.y', 'predicates.x.y.type': 'LockedConverter', 'predicates.x.y.pin': 'hunter2' }],
  ])('are those that converters, transforms and predicates define too: %j', async (config) => {
    gateway.cluster.addRunner('w3', 'source', [fileSource, lockedConverter]);
    await gateway.createSource('src', config);
    const answers = [await gateway.get('/connectors/src/config'), await gateway.get('/connectors?expand=info')];
    expect(JSON.stringify(answers)).not.toContain('hunter2');
    expect(JSON.stringify(answers).split(HIDDEN_VALUE).length).toBe(3);
    expect(Object.values(storedConfig() ?? {})).toContain('hunter2');
  });

  it('stay out of the reasons of the coordinator', async () => {
    gateway.cluster.answer = () => Promise.resolve({ status: 'invalid', message: 'cannot use hunter2' });
    const config = { 'connector.class': 'FileStreamSource', topic: 't', ...secrets };
    const answer = await gateway.post('/connectors', { name: 'src', config });
    expect(answer.body).toEqual(errorBody(400, `cannot use ${HIDDEN_VALUE}`));
  });

  it('are known by their names while no runner can say', async () => {
    await gateway.createSource('src', { ...secrets, 'api.key': 'k' });
    const other = await GatewayClient.start({ runners: false });
    gateway.cluster.removeRunner('w1');
    await other.stop();
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ ...hidden, 'api.key': HIDDEN_VALUE });
  });

  it('are known by their names when the runner does not answer', async () => {
    await gateway.createSource('src', secrets);
    gateway.cluster.removeRunner('w1');
    const info = { ...fileSource.info, version: '2.0.0' };
    gateway.cluster.addRunner('w3', 'source', [{ ...fileSource, info }]);
    gateway.cluster.question = () => Promise.reject(new ControlPlaneUnavailableError('gone'));
    const { status, body } = await gateway.get('/connectors/src/config');
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|swordfish/);
  });
});

describe('the hidden mark sent back', () => {
  it('keeps the stored value', async () => {
    await gateway.createSource('src', secrets);
    const { body } = await gateway.get('/connectors/src/config');
    const answer = await gateway.put('/connectors/src/config', { ...(body as object), topic: 'u' });
    expect(answer).toMatchObject({ status: 200, body: { config: { topic: 'u', ...hidden } } });
    expect(storedConfig()).toMatchObject({ topic: 'u', ...secrets });
  });

  it('stands for the stored value in a validation of that connector', async () => {
    await gateway.createSource('src', secrets);
    const { body } = await gateway.get('/connectors/src/config');
    const answer = await gateway.put('/connector-plugins/FileStreamSource/config/validate', body);
    expect(answer).toMatchObject({ status: 200, body: { error_count: 0 } });
  });

  it('answers 400 where nothing is stored', async () => {
    const config = { 'connector.class': 'FileStreamSource', topic: 't', ...hidden };
    const answer = await gateway.post('/connectors', { name: 'src', config });
    const message = `${HIDDEN_VALUE} given for ${Object.keys(hidden).join(', ')} stands for a stored value, but no value is stored: give the value itself.`;
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
    expect(storedConfig()).toBeUndefined();
  });

  it('answers 400 when the host changes, so that no other host receives the password', async () => {
    await gateway.createSource('src', secrets);
    const config = {
      'connector.class': 'FileStreamSource',
      topic: 't',
      'connection.url': `http://${HIDDEN_VALUE}@evil/`,
    };
    for (const answer of [
      await gateway.put('/connectors/src/config', config),
      await gateway.send('PATCH', '/connectors/src/config', { 'connection.url': config['connection.url'] }),
    ]) {
      expect(answer).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('inside connection.url') },
      });
    }
    expect(storedConfig()).toMatchObject(secrets);
  });

  it.each([
    ['connection.url', `http://%5Bhidden%5D@h/`],
    ['connection.url', `http://u:${HIDDEN_VALUE}@h/`],
    ['store.pin', ` ${HIDDEN_VALUE}`],
    ['sasl.jaas.config', `${HIDDEN_VALUE}&ssl=true`],
  ])('answers 400 when a client changed the mark in %s to %s', async (name, value) => {
    await gateway.createSource('src', secrets);
    const config = { 'connector.class': 'FileStreamSource', topic: 't', ...hidden, [name]: value };
    const answer = await gateway.put('/connectors/src/config', config);
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining(`inside ${name}`) } });
    expect(storedConfig()).toMatchObject(secrets);
  });

  it('answers 400 when the class changes, so that no other class shows the value', async () => {
    await gateway.createSource('src', secrets);
    const config = { 'connector.class': 'FileStreamSink', topics: 't', 'store.pin': HIDDEN_VALUE };
    const answer = await gateway.put('/connectors/src/config', config);
    expect(answer).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('connector.class changes') },
    });
    expect(storedConfig()).toMatchObject(secrets);
  });
});

describe('hiding', () => {
  it('leaves references, which are no secrets, and hides what stands beside one in a secret', () => {
    const config = { password: '${env:P}', url: 'http://u:${env:P}@h', token: 'x${env:P}', 'my.secret': '$${env:P}' };
    expect(hideSecrets(config, isSecretName)).toEqual({ ...config, token: HIDDEN_VALUE, 'my.secret': HIDDEN_VALUE });
  });

  it('shows that a secret is empty', () => {
    expect(hideSecrets({ password: '', topic: 't' }, isSecretName)).toEqual({ password: '', topic: 't' });
  });
});
