import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigCipher } from '@sluice/node';
import type { SealingKey } from '@sluice/protocol';
import { HIDDEN_VALUE } from '@sluice/sdk';
import { ControlPlaneUnavailableError } from '../ports/gateway-ports.js';
import { fileSource, lockedConverter, stringConverter } from '../testing/file-plugins.js';
import { GatewayClient } from '../testing/gateway-client.js';
import type { InMemoryPlugin } from '../testing/in-memory-cluster.js';

const key: SealingKey = { id: 'k1', bytes: randomBytes(32) };
const cipher = new ConfigCipher('c', { current: key, find: () => key.bytes });
let gateway: GatewayClient;

beforeEach(async () => {
  gateway = await GatewayClient.start({ cipher });
});
afterEach(() => gateway.stop());

const { 'store.pin': _pin, ...withoutPin } = fileSource.spec;
const otherSource: InMemoryPlugin = { info: { ...fileSource.info, name: 'OtherSource', aliases: [] }, spec: withoutPin };
const locked = { 'value.converter': 'LockedConverter', 'value.converter.pin': 'hunter2' };
const stored = () => JSON.stringify(gateway.cluster.state().connectors.get('src')?.config);

describe('a secret whose plugin changes, or is not known', () => {
  it('is not shown by a validation that names another converter beside its mark', async () => {
    gateway.cluster.addRunner('w3', 'source', [fileSource, lockedConverter, stringConverter]);
    await gateway.createSource('src', locked);
    const { body } = await gateway.get('/connectors/src/config');
    expect(body).toMatchObject({ 'value.converter.pin': HIDDEN_VALUE });
    const asked = { ...(body as object), 'value.converter': 'StringConverter' };
    const { cluster } = gateway;
    const validate = cluster.validate.bind(cluster);
    // As `undefinedSettings` of the runtime does: it answers what nothing defines, and hides by name alone.
    cluster.validate = async (className, config) => {
      const answer = await validate(className, config);
      const sealed = config['value.converter.pin'] ?? '';
      const value = cipher.open('src', 'value.converter.pin', sealed);
      const state = { name: 'value.converter.pin', value, recommendedValues: [], errors: [], visible: true };
      return { ...answer, fields: [...answer.fields, { state }] };
    };
    const answer = await gateway.put('/connector-plugins/FileStreamSource/config/validate', asked);
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('value.converter changes') } });
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });

  it('is neither stored nor shown in the clear once its mark is sent back with another converter', async () => {
    gateway.cluster.addRunner('w3', 'source', [fileSource, lockedConverter, stringConverter]);
    await gateway.createSource('src', locked);
    const { body } = await gateway.get('/connectors/src/config');
    await gateway.put('/connectors/src/config', { ...(body as object), 'value.converter': 'StringConverter' });
    const shown = await gateway.get('/connectors/src/config');
    expect([stored(), JSON.stringify(shown.body)].filter((text) => text.includes('hunter2'))).toEqual([]);
  });

  it('is neither stored nor shown in the clear after a PATCH of connector.class', async () => {
    gateway.cluster.addRunner('w3', 'source', [fileSource, otherSource]);
    await gateway.createSource('src', { 'store.pin': 'hunter2' });
    const answer = await gateway.send('PATCH', '/connectors/src/config', { 'connector.class': 'OtherSource' });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringContaining('store.pin is secret') } });
    const given = { 'connector.class': 'OtherSource', 'store.pin': 'hunter2' };
    expect((await gateway.send('PATCH', '/connectors/src/config', given)).status).toBe(200);
    const shown = await gateway.get('/connectors/src/config');
    expect([stored(), JSON.stringify(shown.body)].filter((text) => text.includes('hunter2'))).toEqual([]);
  });

  it('is not shown where it is stored encrypted and no runner lists the class any more', async () => {
    await gateway.createSource('src');
    gateway.cluster.putDirectly('src', { 'connector.class': 'GoneSource', 'store.pin': cipher.seal('src', 'store.pin', 'hunter2') });
    const shown = await gateway.get('/connectors/src/config');
    expect(JSON.stringify(shown.body)).not.toContain('hunter2');
  });

  it('is not shown in settings of tasks that the runner has encrypted for what they hold', async () => {
    await gateway.createSource('src', { 'store.pin': 'hunter2' });
    const base64 = Buffer.from('admin:hunter2').toString('base64');
    const sealed = Object.entries({ args: '--pin hunter2', auth: `Basic ${base64}` }).map(([name, value]) => [
      name,
      cipher.seal('src', name, value),
    ]);
    gateway.cluster.putDirectly('src', Object.fromEntries(sealed) as Record<string, string>);
    gateway.cluster.split('src');
    const { body } = await gateway.get('/connectors/src/tasks');
    expect(body).toMatchObject([{ config: { args: expect.any(String) } }]);
    expect([JSON.stringify(body).includes('hunter2'), JSON.stringify(body).includes(base64)]).toEqual([false, false]);
  });

  it('is not in the answer to its PUT where the question for definitions was lost', async () => {
    gateway.cluster.definitions = () => Promise.reject(new ControlPlaneUnavailableError('gone'));
    const config = { 'connector.class': 'FileStreamSource', topic: 't', 'store.pin': 'hunter2' };
    const answer = await gateway.put('/connectors/src/config', config);
    expect(answer.status).toBe(201);
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
  });
});
