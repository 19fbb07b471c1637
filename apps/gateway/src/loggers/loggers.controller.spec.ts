import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

const UNTOUCHED = { level: 'INFO', last_modified: null };

describe('/admin/loggers', () => {
  it('shows the level of each logger, and when it was changed', async () => {
    expect(await gateway.get('/admin/loggers')).toMatchObject({ status: 200, body: { root: UNTOUCHED, log: UNTOUCHED } });
    const from = Date.now();
    const answer = await gateway.put('/admin/loggers/log', { level: 'debug' });
    expect(answer).toMatchObject({ status: 200, body: ['log'] });
    expect(gateway.loggers.all().get('log')?.level).toBe('DEBUG');
    const { body } = await gateway.get('/admin/loggers/log');
    expect(body).toEqual({ level: 'DEBUG', last_modified: expect.any(Number) });
    expect((body as { last_modified: number }).last_modified).toBeGreaterThanOrEqual(from);
    expect((await gateway.get('/admin/loggers/root')).body).toEqual(UNTOUCHED);
    expect(gateway.loggers.onOthers).toEqual([]);
  });

  it.each(['root', 'tasks'])('sets %s in the whole cluster with scope=cluster, and answers 204', async (name) => {
    const answer = await gateway.put(`/admin/loggers/${name}?scope=cluster`, { level: 'WARN' });
    expect(answer).toMatchObject({ status: 204, body: undefined });
    expect(gateway.loggers.onOthers).toEqual([`${name} WARN`]);
    expect(gateway.loggers.all().get('root')?.level).toBe(name === 'root' ? 'WARN' : 'INFO');
  });

  it('names the nodes that do not answer', async () => {
    gateway.loggers.unanswered = ['sink-runner-1 (no answer)'];
    const answer = await gateway.put('/admin/loggers/root?scope=cluster', { level: 'WARN' });
    const message = 'Logger root has level WARN now, except where a node did not answer: sink-runner-1 (no answer)';
    expect(answer).toMatchObject({ status: 503, body: errorBody(503, message) });
    expect(gateway.loggers.all().get('root')?.level).toBe('WARN');
  });

  it.each([
    ['GET', '/admin/loggers/x', undefined, 404, 'Logger x not found.'],
    ['PUT', '/admin/loggers/x', { level: 'DEBUG' }, 404, 'Logger x not found.'],
    ['PUT', '/admin/loggers/x?scope=cluster', { level: 'DEBUG' }, 404, 'Logger x not found.'],
    ['PUT', '/admin/loggers/root', { level: 'loud' }, 404, 'Invalid log level "loud": allowed are ERROR, WARN, INFO, DEBUG'],
    ['PUT', '/admin/loggers/root', {}, 400, 'level: text is needed, allowed are ERROR, WARN, INFO, DEBUG'],
    ['PUT', '/admin/loggers/root?scope=all', { level: 'DEBUG' }, 400, 'Query parameter scope is "all", allowed are worker, cluster'],
  ])('%s %s with %j answers %i and changes nothing', async (method, path, body, status, message) => {
    expect(await gateway.send(method, path, body)).toMatchObject({ status, body: errorBody(status, message) });
    expect((await gateway.get('/admin/loggers')).body).toEqual({ root: UNTOUCHED, log: UNTOUCHED });
  });
});
