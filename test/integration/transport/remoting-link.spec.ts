import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { RocketMqClient } from '../../../libs/rocketmq/src/index.js';
import { nodeTag } from '../../../libs/rpc/src/index.js';
import { RouteRewritingProxy } from '../../support/route-rewriting-proxy.js';
import { eventually } from './eventually.js';
import { RpcCluster } from './rpc-cluster.js';
import { TcpRelay } from './tcp-relay.js';

/** A broker holds a pull of an empty queue for 15 s; what a node learns sooner it does not learn from such a pull. */
const HELD_PULL_MS = 15_000;

describe('RpcEndpoint on the queues of its topic', () => {
  const namesrv = process.env['SLUICE_TEST_NAMESRV'] ?? '';
  let cluster: RpcCluster;
  let client: RocketMqClient;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    cluster = await RpcCluster.create('remoting');
    client = RocketMqClient.open({ namesrv });
  }, 180_000);

  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close();
  });

  afterAll(async () => {
    await client.close();
    await cluster.close();
  }, 180_000);

  it('is ready when its broker answers again, before a message or the end of a held pull says so', async () => {
    const [broker] = (await client.routes.refresh(cluster.topic)).brokers;
    const brokerAddress = broker?.masterAddress ?? '';
    const relay = await TcpRelay.to(brokerAddress);
    const proxy = await RouteRewritingProxy.of(namesrv, brokerAddress, relay.address);
    const node = await cluster.started('behind-relay', { url: `rocketmq://${proxy.address}` });
    opened.push({ close: () => node.stop() }, relay, proxy);
    const states: string[] = [];
    node.onState((state) => states.push(state));
    relay.refuse();
    await eventually('the loss noticed', () => states.includes('connecting'));
    relay.restore();
    await eventually('ready again', () => node.state === 'ready', HELD_PULL_MS);
  }, 180_000);

  it('receives what is sent to a queue that was added, before clients renew their routes', async () => {
    const node = await cluster.started('added-queues');
    opened.push({ close: () => node.stop() });
    const { readQueues = 0, brokerName = '' } = (await client.routes.refresh(cluster.topic)).brokers[0] ?? {};
    await client.admin.updateTopic({ topic: cluster.topic, readQueues: readQueues + 1, writeQueues: readQueues + 1 });
    const received = node.counters.malformed;
    const queue = { topic: cluster.topic, brokerName, queueId: readQueues };
    const properties = [['TAGS', nodeTag(cluster.topic, 'added-queues')]] as const;
    await client.producer.send(queue, { body: Buffer.from('no call'), properties });
    await eventually('received', () => node.counters.malformed > received, 25_000);
  }, 180_000);
});
