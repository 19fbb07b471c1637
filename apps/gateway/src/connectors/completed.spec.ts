import { afterEach, describe, expect, it } from '@jest/globals';
import { GatewayClient } from '../testing/gateway-client.js';

let gateway: GatewayClient;
afterEach(() => gateway.stop());

describe('a connector that has completed', () => {
  it.each(['COMPLETED', 'RUNNING'] as const)(
    'is answered as %s wherever the gateway is set to that, with its last worker and the time',
    async (state) => {
      gateway = await GatewayClient.start({ completedAs: state });
      await gateway.createSource('src', { 'tasks.max': '2' });
      gateway.cluster.complete('src');
      const generation: unknown = expect.any(Number);
      const task = { state, worker_id: 'w1', version: '1.2.3', generation, since: 4000, completed_at: 4000 };
      const status = {
        name: 'src',
        connector: expect.objectContaining({ state }),
        tasks: [
          { id: 0, ...task },
          { id: 1, ...task },
        ],
        type: 'source',
      };
      expect((await gateway.get('/connectors/src/status')).body).toEqual(status);
      expect((await gateway.get('/connectors/src/tasks/1/status')).body).toEqual({ id: 1, ...task });
      expect((await gateway.get('/connectors?expand=status')).body).toEqual({ src: { status } });
    },
  );

  it('is answered as before while it runs, is paused or has failed', async () => {
    gateway = await GatewayClient.start({ completedAs: 'RUNNING' });
    await gateway.createSource('src');
    gateway.cluster.setTaskState({ connector: 'src', index: 0 }, 'FAILED', 'Error: disk full');
    expect((await gateway.get('/connectors/src/status')).body).toMatchObject({ tasks: [{ state: 'FAILED' }] });
    gateway.cluster.setTaskState({ connector: 'src', index: 0 }, 'PAUSED');
    expect((await gateway.get('/connectors/src/tasks/0/status')).body).toMatchObject({ state: 'PAUSED' });
  });
});
