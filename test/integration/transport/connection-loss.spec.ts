import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeGroup, type RpcEndpoint, type RpcEndpointState, RpcTimeoutError } from '../../../libs/rpc/src/index.js';
import { eventually } from './eventually.js';
import { RpcCluster } from './rpc-cluster.js';
import { TcpRelay } from './tcp-relay.js';

describe('RpcEndpoint over a broken connection', () => {
  let cluster: RpcCluster;
  let relay: TcpRelay;
  let asking: RpcEndpoint;
  let answering: RpcEndpoint;
  let states: RpcEndpointState[];
  let test = 0;

  beforeAll(async () => {
    cluster = await RpcCluster.create();
  }, 180_000);

  afterAll(async () => {
    await cluster.close();
  }, 180_000);

  beforeEach(async () => {
    test += 1;
    relay = await TcpRelay.to(cluster.grpcAddress);
    asking = await cluster.started(`asking-${test}`, {
      url: `rocketmq+grpc://${relay.address}`,
      mapAddress: () => relay.address,
    });
    answering = await cluster.started(`answering-${test}`);
    answering.serve(({ data }) => Promise.resolve(data));
    states = [];
    asking.onState((state) => states.push(state));
  }, 180_000);

  afterEach(async () => {
    await Promise.all([asking.stop(), answering.stop()]);
    await relay.close();
  }, 180_000);

  const ask = (data: unknown, timeoutMs = 5_000): Promise<unknown> =>
    asking.request({ node: `answering-${test}`, pattern: 'echo' }, data, { timeoutMs });

  it('reaches the proxy through the relay with one connection', async () => {
    await expect(ask('hello')).resolves.toBe('hello');
    expect(relay.openConnections).toBe(1);
  });

  it('recovers when the connection is cut during receive', async () => {
    await expect(ask(1)).resolves.toBe(1);
    relay.cut();
    await eventually('the loss noticed', () => states.includes('connecting'));
    await eventually('ready again', () => asking.state === 'ready');
    await expect(ask(2, 15_000)).resolves.toBe(2);
    expect(relay.openConnections).toBe(1);
  });

  it('answers requests whose connection is cut while they are being sent', async () => {
    const replies = Promise.all(Array.from({ length: 30 }, (_, index) => ask(index, 60_000)));
    relay.cut();
    await expect(replies).resolves.toEqual(Array.from({ length: 30 }, (_, index) => index));
  }, 180_000);

  it('fails requests by their deadline while nothing can be reached, and answers afterwards', async () => {
    relay.refuse();
    const startedAt = Date.now();
    const error = await ask('lost', 1_500).catch((reason: unknown) => reason);
    expect(Date.now() - startedAt).toBeLessThan(8_000);
    expect(error).toBeInstanceOf(RpcTimeoutError);
    expect((error as RpcTimeoutError).cause).toMatchObject({ code: 'RPC_UNAVAILABLE', retriable: true });
    expect(asking.state).toBe('connecting');
    relay.restore();
    await eventually('ready again', () => asking.state === 'ready');
    await expect(ask('found', 15_000)).resolves.toBe('found');
  }, 180_000);

  it('notices a connection that is open but dead, by keepalive', async () => {
    relay.silence();
    await expect(ask('lost', 1_000)).rejects.toBeInstanceOf(RpcTimeoutError);
    await eventually('the loss noticed', () => states.includes('connecting'), 120_000);
    relay.restore();
    await eventually('ready again', () => asking.state === 'ready');
    await expect(ask('found', 15_000)).resolves.toBe('found');
  }, 180_000);

  it('stops in bounded time while nothing can be reached', async () => {
    relay.refuse();
    const startedAt = Date.now();
    await asking.stop();
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(relay.openConnections).toBe(0);
  });

  it('keeps answering after its group was deleted', async () => {
    await cluster.deleteGroup(nodeGroup(cluster.topic, `answering-${test}`));
    for (const data of [1, 2, 3]) await expect(ask(data, 25_000)).resolves.toBe(data);
  }, 180_000);
});
