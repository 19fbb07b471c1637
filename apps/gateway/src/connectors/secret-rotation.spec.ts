import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { taskConfig } from '@sluice/core';
import { ConfigCipher } from '@sluice/node';
import { sealedWith } from '@sluice/protocol';
import { GatewayClient } from '../testing/gateway-client.js';
import { newKey, SettableKeyRing } from '../testing/settable-key-ring.js';

const [one, two, three] = [newKey('k1'), newKey('k2'), newKey('k3')] as const;
let ring: SettableKeyRing;
let cipher: ConfigCipher;
let gateway: GatewayClient;

beforeEach(async () => {
  ring = new SettableKeyRing([one]);
  cipher = new ConfigCipher('c', ring);
  gateway = await GatewayClient.start({ cipher });
});
afterEach(() => gateway.stop());

const secrets = { 'store.pin': 'hunter2', 'connection.url': 'http://u:swordfish@h/' };

function stored(name = 'src'): Readonly<Record<string, string>> {
  return gateway.cluster.state().connectors.get(name)?.config ?? {};
}

function keysOf(config: Readonly<Record<string, string>>): readonly (string | undefined)[] {
  return Object.keys(secrets).map((name) => sealedWith(config[name] ?? ''));
}

async function rotate(name = 'src', key = 'k2'): ReturnType<GatewayClient['post']> {
  return gateway.post(`/admin/secrets/connectors/${name}/rotate?key=${key}`);
}

describe('the rotation of keys', () => {
  it('encrypts with the first key what an older one encrypted, once, and says what is left', async () => {
    await gateway.createSource('src', { ...secrets, 'other.password': '${env:P}' });
    await gateway.createSource('plain', {});
    ring.keys = [two, one];
    expect((await gateway.get('/admin/secrets')).body).toEqual({
      key: 'k2',
      older: { k1: 1 },
      connectors: [
        { connector: 'src', settings: { k1: ['connection.url', 'store.pin'] }, tasks: { k1: 1 }, plain: [], missing: [], state: 'RUNNING' },
      ],
    });
    const before = stored();
    expect((await rotate()).body).toEqual({ connector: 'src', result: 'rotated', settings: ['connection.url', 'store.pin'] });
    expect(keysOf(stored())).toEqual(['k2', 'k2']);
    expect({ ...stored(), ...before }).toEqual(before);
    expect(cipher.open('src', 'store.pin', stored()['store.pin'] ?? '')).toBe('hunter2');
    expect((await gateway.get('/admin/secrets')).body).toEqual({ key: 'k2', older: {}, connectors: [] });
    const { length } = gateway.cluster.submitted;
    expect((await rotate()).body).toEqual({ connector: 'src', result: 'current', settings: [] });
    expect(gateway.cluster.submitted).toHaveLength(length);
    ring.keys = [two];
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ 'connection.url': 'http://[hidden]@h/' });
  });

  it('shows no secret, in no form', async () => {
    await gateway.createSource('src', secrets);
    ring.keys = [two, one];
    const answers = JSON.stringify([await gateway.get('/admin/secrets'), await rotate(), await rotate('src', 'k9')]);
    expect(answers).not.toMatch(/hunter2|swordfish|sluice-sealed/);
    expect(JSON.stringify([gateway.informed, gateway.warned])).not.toMatch(/hunter2|swordfish|sluice-sealed/);
  });

  it('encrypts secrets that were stored without a key, too', async () => {
    await gateway.createSource('src', {});
    gateway.cluster.putDirectly('src', secrets);
    gateway.cluster.split('src');
    expect((await gateway.get('/admin/secrets')).body).toMatchObject({
      older: {},
      connectors: [{ connector: 'src', settings: {}, tasks: {}, plain: ['connection.url', 'store.pin'] }],
    });
    expect((await rotate('src', 'k1')).body).toMatchObject({ result: 'rotated', settings: ['connection.url', 'store.pin'] });
    expect(keysOf(stored())).toEqual(['k1', 'k1']);
  });

  it('takes in what another request stores meanwhile', async () => {
    await gateway.createSource('src', secrets);
    ring.keys = [two, one];
    let isFirst = true;
    gateway.cluster.before = () => {
      if (!isFirst) return;
      isFirst = false;
      gateway.cluster.putDirectly('src', { topic: 'other', 'store.pin': cipher.seal('src', 'store.pin', 'new', undefined, 'k1') });
    };
    expect((await rotate()).status).toBe(200);
    expect(stored()).toMatchObject({ topic: 'other' });
    expect(keysOf(stored())).toEqual(['k2', 'k2']);
    expect(cipher.open('src', 'store.pin', stored()['store.pin'] ?? '')).toBe('new');
  });

  it('is refused where the gateway has another first key, or not the key of a value', async () => {
    await gateway.createSource('src', secrets);
    const before = stored();
    expect(await rotate()).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('The first key of this gateway is k1, not k2') },
    });
    ring.keys = [three];
    expect((await gateway.get('/admin/secrets')).body).toMatchObject({ older: { k1: 1 }, connectors: [{ missing: ['k1'] }] });
    const message = 'Connector src needs the key k1, which this gateway does not have: add it to secrets.key.file, or give the values of ';
    expect(await rotate('src', 'k3')).toMatchObject({ status: 409, body: { message: `${message}connection.url, store.pin again` } });
    expect(stored()).toEqual(before);
    expect(await rotate('gone', 'k3')).toMatchObject({ status: 404 });
    expect(await gateway.post('/admin/secrets/connectors/src/rotate')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('key is missing') },
    });
  });

  it('waits for the tasks of a stopped connector, and has others split again', async () => {
    await gateway.createSource('src', secrets);
    await gateway.createSource('run', secrets);
    await gateway.put('/connectors/src/stop');
    ring.keys = [two, one];
    expect((await rotate()).body).toMatchObject({ result: 'rotated' });
    expect((await gateway.get('/admin/secrets')).body).toMatchObject({
      connectors: [{ connector: 'run' }, { connector: 'src', tasks: { k1: 1 }, state: 'STOPPED' }],
    });
    const { length } = gateway.cluster.submitted;
    expect((await rotate()).body).toEqual({ connector: 'src', result: 'waiting', settings: [] });
    expect(gateway.cluster.submitted).toHaveLength(length);
    // Its own settings are current, those of its task are not: it is split again.
    const values = Object.entries(secrets).map(([name, value]) => [name, cipher.seal('run', name, value)]);
    gateway.cluster.putDirectly('run', Object.fromEntries(values) as typeof secrets);
    expect((await rotate('run')).body).toMatchObject({ result: 'waiting' });
    gateway.cluster.failSplitting('run', 'no key');
    expect((await rotate('run')).body).toEqual({ connector: 'run', result: 'rotated', settings: [] });
    const { connectors, tasks } = gateway.cluster.state();
    const task = tasks.get('run-0');
    if (task === undefined) throw new Error('no task');
    expect(keysOf(taskConfig(connectors.get('run'), task))).toEqual(['k2', 'k2']);
  });
});

it('needs keys', async () => {
  const without = await GatewayClient.start();
  const answer = await without.get('/admin/secrets');
  await without.stop();
  expect(answer).toMatchObject({
    status: 409,
    body: { message: expect.stringContaining('This gateway has no keys: set secrets.key.file') },
  });
});
