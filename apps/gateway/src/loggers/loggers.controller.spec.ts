import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('/admin/loggers', () => {
  it('shows the level, and when it was changed', async () => {
    const untouched = { level: 'INFO', last_modified: null };
    expect(await gateway.get('/admin/loggers')).toMatchObject({ status: 200, body: { root: untouched } });
    const from = Date.now();
    const answer = await gateway.put('/admin/loggers/root', { level: 'debug' });
    expect(answer).toMatchObject({ status: 200, body: ['root'] });
    expect(gateway.logger.level()).toBe('DEBUG');
    const { body } = await gateway.get('/admin/loggers/root');
    expect(body).toEqual({ level: 'DEBUG', last_modified: expect.any(Number) });
    expect((body as { last_modified: number }).last_modified).toBeGreaterThanOrEqual(from);
  });

  it.each([
    ['GET', '/admin/loggers/x', undefined, 404, 'Logger x not found.'],
    ['PUT', '/admin/loggers/x', { level: 'DEBUG' }, 404, 'Logger x not found.'],
    ['PUT', '/admin/loggers/root', { level: 'loud' }, 404, 'Invalid log level "loud": allowed are ERROR, WARN, INFO, DEBUG'],
    ['PUT', '/admin/loggers/root', {}, 400, 'level: text is needed, allowed are ERROR, WARN, INFO, DEBUG'],
    [
      'PUT',
      '/admin/loggers/root?scope=cluster',
      { level: 'DEBUG' },
      400,
      'Query parameter scope is "cluster", allowed is worker: each process has its own log level',
    ],
  ])('%s %s with %j answers %i and changes nothing', async (method, path, body, status, message) => {
    expect(await gateway.send(method, path, body)).toMatchObject({ status, body: errorBody(status, message) });
    expect((await gateway.get('/admin/loggers/root')).body).toEqual({ level: 'INFO', last_modified: null });
  });
});
