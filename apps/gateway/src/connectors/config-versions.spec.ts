import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorBody, GatewayClient } from '../testing/gateway-client.js';

const source = { 'connector.class': 'FileStreamSource', topic: 't' };

let gateway: GatewayClient;
beforeEach(async () => {
  gateway = await GatewayClient.start();
});
afterEach(() => gateway.stop());

describe('versions of a configuration', () => {
  const patch = (body: object, headers: Readonly<Record<string, string>> = {}): ReturnType<GatewayClient['send']> =>
    gateway.sendText('PATCH', '/connectors/src/config', JSON.stringify(body), 'application/json', headers);
  const config = async (): Promise<unknown> => (await gateway.get('/connectors/src/config')).body;

  it('patches at the same time all take effect', async () => {
    await gateway.createSource('src');
    gateway.cluster.submitted.length = 0;
    const names = ['a', 'b', 'c', 'd', 'e'];
    let letGo = (): void => undefined;
    const allAreThere = new Promise<void>((resolve) => (letGo = resolve));
    gateway.cluster.before = () => {
      if (gateway.cluster.submitted.length >= names.length) letGo();
      return allAreThere;
    };
    const answers = await Promise.all(names.map((name) => patch({ [name]: name })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await config()).toMatchObject({ a: 'a', b: 'b', c: 'c', d: 'd', e: 'e' });
    expect(gateway.cluster.submitted.length).toBeGreaterThan(names.length);
  });

  it('a change that meets another one every time is given up with 409', async () => {
    await gateway.createSource('src');
    gateway.cluster.submitted.length = 0;
    let other = 0;
    gateway.cluster.answer = () => {
      gateway.cluster.putDirectly('src', { other: String((other += 1)) });
      return Promise.resolve({ status: 'conflict', message: 'Connector src was changed meanwhile' });
    };
    const answer = await patch({ a: '1' });
    expect(answer).toMatchObject({ status: 409, body: errorBody(409, 'Connector src was changed meanwhile') });
    expect(gateway.cluster.submitted).toHaveLength(10);
    expect(await config()).not.toHaveProperty('a');
  });

  it('a conflict that no other change has caused is answered at once', async () => {
    await gateway.createSource('src');
    gateway.cluster.submitted.length = 0;
    gateway.cluster.answer = () => Promise.resolve({ status: 'conflict', message: 'not at this feature level' });
    expect(await patch({ a: '1' })).toMatchObject({ status: 409, body: errorBody(409, 'not at this feature level') });
    expect(gateway.cluster.submitted).toHaveLength(1);
  });

  it('a PUT that keeps a hidden value is made of the value that is stored then', async () => {
    await gateway.createSource('src', { 'store.pin': 'first' });
    let isFirst = true;
    gateway.cluster.before = () => {
      if (isFirst) gateway.cluster.putDirectly('src', { 'store.pin': 'second' });
      isFirst = false;
    };
    const shown = (await config()) as Record<string, string>;
    expect((await gateway.put('/connectors/src/config', { ...shown, topic: 'u' })).status).toBe(200);
    expect(gateway.cluster.state().connectors.get('src')?.config).toMatchObject({ topic: 'u', 'store.pin': 'second' });
  });

  it('a PUT of all values replaces whatever is stored', async () => {
    await gateway.createSource('src');
    await gateway.put('/connectors/src/config', { ...source, topic: 'u' });
    expect(gateway.cluster.submitted.at(-1)).not.toHaveProperty('expectedVersion');
  });

  it('are shown as ETag, and If-Match refuses another one with 412', async () => {
    await gateway.createSource('src');
    const tag = (await gateway.get('/connectors/src/config')).headers.get('etag') ?? '';
    expect(tag).toMatch(/^"\d+"$/);
    const first = await patch({ a: '1' }, { 'if-match': tag });
    expect(first.status).toBe(200);
    const next = first.headers.get('etag') ?? '';
    expect(next).not.toBe(tag);
    expect((await gateway.get('/connectors/src/config')).headers.get('etag')).toBe(next);
    const late = await patch({ a: '2' }, { 'if-match': tag });
    const message = `HTTP 412 Precondition Failed: If-Match asks for ${tag} of connector src, but its configuration has ETag ${next}`;
    expect(late).toMatchObject({ status: 412, body: errorBody(412, message) });
    expect(await config()).toMatchObject({ a: '1' });
    expect((await patch({ a: '3' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('If-Match holds until the change is stored', async () => {
    await gateway.createSource('src');
    const tag = (await gateway.get('/connectors/src/config')).headers.get('etag') ?? '';
    gateway.cluster.before = () => {
      gateway.cluster.putDirectly('src', { other: '1' });
    };
    const headers = { 'if-match': tag };
    const text = JSON.stringify(source);
    expect(await gateway.sendText('PUT', '/connectors/src/config', text, 'application/json', headers)).toMatchObject({
      status: 412,
    });
    expect(await config()).toMatchObject({ other: '1' });
  });

  it('If-Match of what does not exist answers 412, one that is no tag 400', async () => {
    const text = JSON.stringify(source);
    for (const [header, status] of [
      ['*', 412],
      ['"7"', 412],
      ['7', 400],
      ['W/"7"', 400],
    ] as const) {
      const headers = { 'if-match': header };
      const answer = await gateway.sendText('PUT', '/connectors/new/config', text, 'application/json', headers);
      expect(answer.status).toBe(status);
    }
    expect(gateway.cluster.submitted).toEqual([]);
  });
});
