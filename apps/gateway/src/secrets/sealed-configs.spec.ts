import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigCipher } from '@sluice/node';
import { isSealed, sealedWith } from '@sluice/protocol';
import { HIDDEN_VALUE } from '@sluice/sdk';
import { GatewayClient } from '../testing/gateway-client.js';
import { newKey, SettableKeyRing } from '../testing/settable-key-ring.js';

const [one, two] = [newKey('k1'), newKey('k2')] as const;
let ring: SettableKeyRing;
let gateway: GatewayClient;

beforeEach(async () => {
  ring = new SettableKeyRing([one]);
  gateway = await GatewayClient.start({ cipher: new ConfigCipher('c', ring) });
});
afterEach(() => gateway.stop());

const secrets = { 'store.pin': 'hunter2', 'transforms.x.password': 'swordfish', 'connection.url': 'http://u:swordfish@h/' };
const hidden = { 'store.pin': HIDDEN_VALUE, 'transforms.x.password': HIDDEN_VALUE, 'connection.url': `http://${HIDDEN_VALUE}@h/` };
const plain = { topic: 't', 'my.password': '${env:P}', 'other.url': 'http://u:${env:P}@h/' };

function storedConfig(): Readonly<Record<string, string>> {
  return gateway.cluster.state().connectors.get('src')?.config ?? {};
}

describe('secrets of connectors, where the gateway has a key', () => {
  it('are encrypted in commands and questions, and masked in answers', async () => {
    await gateway.createSource('src', { ...secrets, ...plain });
    expect(storedConfig()).toMatchObject({ ...plain, 'connector.class': 'FileStreamSource', name: 'src' });
    expect(Object.keys(secrets).map((name) => sealedWith(storedConfig()[name] ?? ''))).toEqual(['k1', 'k1', 'k1']);
    gateway.cluster.setTaskState({ connector: 'src', index: 0 }, 'FAILED', 'Error: login with hunter2 refused');
    const answers = [
      await gateway.get('/connectors/src'),
      await gateway.get('/connectors/src/config'),
      await gateway.get('/connectors/src/tasks'),
      await gateway.get('/connectors/src/status'),
      await gateway.get('/connectors/src/tasks/0/status'),
      await gateway.get('/connectors?expand=info&expand=status'),
      await gateway.put('/connector-plugins/FileStreamSource/config/validate', { ...secrets, ...plain, name: 'src' }),
      await gateway.send('PATCH', '/connectors/src/config', { topic: 'v' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 200]);
    expect(answers[1]?.body).toMatchObject({ ...hidden, ...plain });
    const all = JSON.stringify([answers, gateway.cluster.questions, gateway.cluster.submitted]);
    expect(all).not.toMatch(/hunter2|swordfish/);
    expect(JSON.stringify(answers)).not.toContain('sluice-sealed');
    expect(gateway.cluster.questions.every((config) => isSealed(config['topic'] ?? ''))).toBe(true);
  });

  it('stay when a client sends back what it has read, and the same configuration is the same one', async () => {
    await gateway.createSource('src', secrets);
    const before = storedConfig();
    const { body } = await gateway.get('/connectors/src/config');
    expect((await gateway.put('/connectors/src/config', body)).status).toBe(200);
    expect(storedConfig()).toEqual(before);
    expect((await gateway.put('/connectors/src/config', { ...(body as object), 'store.pin': 'other' })).status).toBe(200);
    expect(storedConfig()).toEqual({ ...before, 'store.pin': expect.not.stringMatching(before['store.pin'] ?? '') });
  });

  it('keep the key that they have when they are sent again, as gateways may have other first keys', async () => {
    await gateway.createSource('src', secrets);
    const before = storedConfig();
    ring.keys = [two, one];
    const { body } = await gateway.get('/connectors/src/config');
    expect(body).toMatchObject(hidden);
    expect((await gateway.put('/connectors/src/config', body)).status).toBe(200);
    expect(storedConfig()).toEqual(before);
    expect((await gateway.put('/connectors/src/config', { ...(body as object), 'store.pin': 'other' })).status).toBe(200);
    expect(Object.keys(secrets).map((name) => sealedWith(storedConfig()[name] ?? ''))).toEqual(['k2', 'k1', 'k1']);
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject(hidden);
  });

  it('are hidden as a whole, and kept, where the key is missing', async () => {
    await gateway.createSource('src', { 'connection.url': 'http://u:swordfish@h/' });
    const before = storedConfig();
    ring.keys = [two];
    const { body } = await gateway.get('/connectors/src/config');
    expect(body).toMatchObject({ 'connection.url': HIDDEN_VALUE });
    expect(storedConfig()).toEqual(before);
  });

  it('are not taken in their encrypted form', async () => {
    await gateway.createSource('src', secrets);
    const copied = storedConfig()['store.pin'];
    const config = { 'connector.class': 'FileStreamSource', topic: 't', file: copied };
    for (const answer of [await gateway.post('/connectors', { name: 'x', config }), await gateway.put('/connectors/src/config', config)]) {
      expect(answer).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('Values given for file begin with sluice-sealed:') },
      });
    }
  });
});
