import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fileSource } from '../testing/file-plugins.js';
import { GatewayClient } from '../testing/gateway-client.js';

const source = { 'connector.class': 'FileStreamSource', topic: 't' };

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('placement', () => {
  it('is kept with the connector, and what nobody can run says why', async () => {
    gateway.cluster.removeRunner('w1');
    gateway.cluster.addRunner('w3', 'source', [fileSource], { zone: 'a' });
    await gateway.createSource('src', { 'placement.zone': 'b' });
    expect((await gateway.get('/connectors/src/config')).body).toMatchObject({ 'placement.zone': 'b' });
    gateway.cluster.free('src');
    const reason = {
      code: 'no-labels',
      message: 'No worker of role source-runner has plugin FileStreamSource and labels {zone: b}.',
    };
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({
      connector: { state: 'UNASSIGNED', reason },
      tasks: [{ state: 'UNASSIGNED', reason }],
    });
    expect((await gateway.get('/connectors/src/tasks/0/status')).body).toMatchObject({ reason });
  });

  it('that is no label answers 400 and names the setting', async () => {
    const config = { ...source, 'placement.zone': 'a b', 'placement.': 'x' };
    const answer = await gateway.post('/connectors', { name: 'src', config });
    expect(answer.status).toBe(400);
    const { message } = answer.body as { message: string };
    expect(message).toContain('contains the following 2 error(s)');
    expect(message).toContain('Invalid value "a b" of label zone for configuration placement.zone');
    expect(message).toContain('Invalid label name "" for configuration placement.');
    expect(gateway.cluster.submitted).toEqual([]);
  });
});
