import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayClient } from '../testing/gateway-client.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('GET /', () => {
  it('answers the version and the id of the cluster', async () => {
    const answer = await gateway.get('/');
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body).toEqual({ version: '0.1.0', commit: 'abc', kafka_cluster_id: 'log-1' });
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });
});

describe('GET /health', () => {
  it('is healthy while the head of the log is in sight', async () => {
    expect(await gateway.get('/health')).toMatchObject({
      status: 200,
      body: { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' },
    });
  });

  it('is starting until the log is read', async () => {
    gateway.cluster.isFollowing = false;
    expect(await gateway.get('/health')).toMatchObject({
      status: 503,
      body: {
        status: 'starting',
        message: expect.stringMatching(/^Worker is still starting up\. The gateway is still reading/),
      },
    });
  });

  it('is unhealthy when the log is out of reach', async () => {
    gateway.cluster.stalenessMs = 31_000;
    expect(await gateway.get('/health')).toMatchObject({
      status: 500,
      body: {
        status: 'unhealthy',
        message: expect.stringMatching(
          /^Worker was unable to handle this request and may be unable to handle other requests\. The gateway has had no contact/,
        ),
      },
    });
  });
});
