import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BrokerHandle, freePorts, type NodeHandle, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient, type RocketMqClientOptions, TopicNotFoundError, writableQueues } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { BatchLoad } from './batch-load.js';
import { report } from './report.js';

const LIMIT_MS = 300_000;
const START_LIMIT_MS = 200_000;

describe('several masters and name servers', () => {
  const topic = 'spread';
  const group = 'readers';
  let dir: string;
  let cluster: RunningCluster;
  let first: BrokerHandle;
  let second: BrokerHandle;
  let client: RocketMqClient;
  const opened: RocketMqClient[] = [];

  function open(options: Partial<RocketMqClientOptions> = {}): RocketMqClient {
    const one = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000, ...options });
    opened.push(one);
    return one;
  }

  const namesOf = (queues: readonly QueueRef[]): string[] => [...new Set(queues.map((queue) => queue.brokerName))];
  const onFirst = (queueId: number): QueueRef => ({ topic, brokerName: first.brokerName, queueId });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-several-'));
    cluster = await startCluster({
      name: 'several',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { nameServers: 2, brokers: [{ name: 'broker-a' }, { name: 'broker-b' }], proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: START_LIMIT_MS,
    });
    [first, second] = cluster.brokers as [BrokerHandle, BrokerHandle];
    await second.stop();
    client = open();
    await until('only the first master is known', async () => {
      const { brokers } = await client.admin.clusterInfo();
      return brokers.length === 1;
    });
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group });
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'sees masters come and go while it runs, and serves the others without a failure',
    async () => {
      const own = open({ routeRefreshMs: 200 });
      const load = new BatchLoad(own, [onFirst(0), onFirst(1)]);
      try {
        await load.progress(20);
        await second.start();
        await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
        const queues = await until('the route shows both masters', async () => {
          const writable = writableQueues(await own.routes.get(topic));
          return namesOf(writable).length === 2 && writable;
        });
        expect(namesOf(queues)).toEqual(['broker-a', 'broker-b']);
        for (const queue of queues.filter(({ brokerName }) => brokerName === 'broker-b')) {
          expect((await own.producer.send(queue, { body: Buffer.from('x') })).status).toBe('stored');
        }
        expect((await own.admin.topicStats(topic)).map(({ queue }) => queue.brokerName)).toContain('broker-b');

        await second.stop();
        await until('the route shows the first master only', async () => {
          const names = namesOf(writableQueues(await own.routes.get(topic)));
          return names.length === 1 && names[0] === 'broker-a';
        });
        await expect(own.producer.send({ topic, brokerName: 'broker-b', queueId: 0 }, { body: Buffer.from('x') })).rejects.toMatchObject({
          code: 'BROKER_NOT_FOUND',
          retriable: true,
        });
        await load.progress(20);
        await load.stop();
        const balance = await load.balance(group);
        report('a master came and went', balance);
        expect(balance).toMatchObject({ lost: 0, doubled: 0, unknownBatches: 0 });
        expect([...balance.failures]).toEqual([]);
      } finally {
        await load.abandon();
      }
    },
    LIMIT_MS,
  );

  it(
    'continues with the other name server when one hangs, is killed, or restarts and knows nothing yet',
    async () => {
      const [hanging, other] = cluster.nameServers as [NodeHandle, NodeHandle];
      const own = open({ requestTimeoutMs: 4_000 });
      const isRouted = async (one: RocketMqClient): Promise<string[]> => namesOf(writableQueues(await one.routes.refresh(topic)));
      expect(await isRouted(own)).toEqual(['broker-a']);
      await hanging.pause();
      try {
        expect(await isRouted(own)).toEqual(['broker-a']);
        expect(await isRouted(open({ requestTimeoutMs: 4_000 }))).toEqual(['broker-a']);
      } finally {
        await hanging.resume();
      }
      await hanging.kill();
      expect(await isRouted(own)).toEqual(['broker-a']);
      expect(await isRouted(open())).toEqual(['broker-a']);
      const starting = hanging.start();
      const asksIt = open({ namesrv: hanging.address, requestTimeoutMs: 1_000 });
      const firstAnswer = await until(
        'the restarted name server answers',
        () =>
          asksIt.routes.refresh(topic).then(
            () => 'knows',
            (error: unknown) => (error instanceof TopicNotFoundError ? error.code : undefined),
          ),
        LIMIT_MS,
      );
      expect(await isRouted(open())).toEqual(['broker-a']);
      report('the restarted name server', { firstAnswer });
      await starting;
      await other.kill();
      expect(await isRouted(own)).toEqual(['broker-a']);
    },
    LIMIT_MS,
  );

  it('names every name server that it tried', async () => {
    const nobody = open({ namesrv: '127.0.0.1:1;127.0.0.1:2', requestTimeoutMs: 4_000 });
    const error: unknown = await nobody.admin.listTopics().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'NAME_SERVERS_FAILED', retriable: true });
    for (const address of ['127.0.0.1:1', '127.0.0.1:2']) expect(String(error)).toContain(address);
  });
});
