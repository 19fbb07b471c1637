import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('restarts', () => {
  beforeEach(async () => {
    await gateway.createSource('src', { 'tasks.max': '2' });
    gateway.cluster.setTaskState({ connector: 'src', index: 1 }, 'FAILED', 'Error: disk full');
    gateway.cluster.submitted.length = 0;
  });

  it('of the connector alone answer 204', async () => {
    const answer = await gateway.post('/connectors/src/restart?includeTasks=false&onlyFailed=false');
    expect(answer).toMatchObject({ status: 204, body: undefined });
    expect(gateway.cluster.submitted).toEqual([{ kind: 'connector.restart', name: 'src' }]);
  });

  it('with tasks answer 202 and the status with all RESTARTING', async () => {
    const answer = await gateway.post('/connectors/src/restart?includeTasks=true');
    expect(answer).toMatchObject({
      status: 202,
      body: {
        name: 'src',
        connector: { state: 'RESTARTING' },
        tasks: [
          { id: 0, state: 'RESTARTING' },
          { id: 1, state: 'RESTARTING' },
        ],
      },
    });
    expect((answer.body as { tasks: object[] }).tasks[1]).not.toHaveProperty('trace');
    const choice = { includeTasks: true, onlyFailed: false };
    expect(gateway.cluster.submitted).toEqual([{ kind: 'connector.restart', name: 'src', ...choice }]);
  });

  it('of what failed leave the rest alone', async () => {
    const answer = await gateway.post('/connectors/src/restart?includeTasks=true&onlyFailed=true');
    expect(answer).toMatchObject({
      status: 202,
      body: { connector: { state: 'RUNNING' }, tasks: [{ state: 'RUNNING' }, { state: 'RESTARTING' }] },
    });
    const choice = { includeTasks: true, onlyFailed: true };
    expect(gateway.cluster.submitted).toEqual([{ kind: 'connector.restart', name: 'src', ...choice }]);
  });

  it('of a connector that did not fail leave it as it is when only failed ones are meant', async () => {
    const answer = await gateway.post('/connectors/src/restart?onlyFailed=true');
    expect(answer).toMatchObject({ status: 202, body: { connector: { state: 'RUNNING' } } });
    const choice = { includeTasks: false, onlyFailed: true };
    expect(gateway.cluster.submitted).toEqual([{ kind: 'connector.restart', name: 'src', ...choice }]);
  });

  it("of a connector restart the first task too, where the connector's instance runs beside it", async () => {
    const first = { kind: 'tasks.restart', name: 'src', tasks: [{ connector: 'src', index: 0 }] };
    gateway.cluster.setInstance('src', { state: 'RUNNING' });
    expect(await gateway.post('/connectors/src/restart')).toMatchObject({ status: 204 });
    expect(gateway.cluster.submitted).toEqual([first, { kind: 'connector.restart', name: 'src' }]);
  });

  it('of what failed restart an instance that has failed, and no other one', async () => {
    const choice = { kind: 'connector.restart', name: 'src', includeTasks: false, onlyFailed: true };
    const first = { kind: 'tasks.restart', name: 'src', tasks: [{ connector: 'src', index: 0 }] };
    gateway.cluster.setInstance('src', { state: 'RUNNING' });
    expect(await gateway.post('/connectors/src/restart?onlyFailed=true')).toMatchObject({ body: { connector: { state: 'RUNNING' } } });
    expect(gateway.cluster.submitted).toEqual([choice]);
    gateway.cluster.submitted.length = 0;
    gateway.cluster.setInstance('src', { state: 'FAILED', trace: 'Error: the slot is gone' });
    const { body } = await gateway.get('/connectors/src/status');
    expect(body).toMatchObject({ connector: { state: 'FAILED', trace: 'Error: the slot is gone' }, tasks: [{ state: 'RUNNING' }, {}] });
    const answer = await gateway.post('/connectors/src/restart?onlyFailed=true');
    expect(answer).toMatchObject({ status: 202, body: { connector: { state: 'RESTARTING' } } });
    expect((answer.body as { connector: object }).connector).not.toHaveProperty('trace');
    expect(gateway.cluster.submitted).toEqual([first, choice]);
  });

  it('of a connector that is stopped answer that it is stopped', async () => {
    await gateway.put('/connectors/src/stop');
    const answer = await gateway.post('/connectors/src/restart?includeTasks=true');
    expect(answer).toMatchObject({ status: 202, body: { connector: { state: 'STOPPED' } } });
  });

  it('of one task answer 204', async () => {
    expect(await gateway.post('/connectors/src/tasks/1/restart')).toMatchObject({ status: 204, body: undefined });
    const tasks = [{ connector: 'src', index: 1 }];
    expect(gateway.cluster.submitted).toEqual([{ kind: 'tasks.restart', name: 'src', tasks }]);
  });

  it('answer 400 for a query that is no boolean', async () => {
    const answer = await gateway.post('/connectors/src/restart?includeTasks=yes');
    const message = 'Query parameter includeTasks is "yes", allowed are true and false';
    expect(answer).toMatchObject({ status: 400, body: errorBody(400, message) });
  });
});
