import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient, type RocketMqClientOptions, writableQueues } from '@sluice/rocketmq';
import { BatchLoad, type LoadBalance } from './batch-load.js';
import { CuttableProxy } from './cuttable-proxy.js';
import { report } from './report.js';
import { RouteRewritingProxy } from '../../support/route-rewriting-proxy.js';

const LIMIT_MS = 300_000;
const START_LIMIT_MS = 200_000;
const PRODUCERS = 8;

describe('faults of a cluster of its own', () => {
  let dir: string;
  let cluster: RunningCluster;
  let admin: RocketMqClient;
  const opened: RocketMqClient[] = [];
  const group = 'readers';

  function open(options: Partial<RocketMqClientOptions> = {}): RocketMqClient {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000, ...options });
    opened.push(client);
    return client;
  }

  async function queuesOf(topic: string, count: number): Promise<QueueRef[]> {
    await admin.admin.createTopic({ topic, readQueues: count, writeQueues: count });
    return writableQueues(await admin.routes.refresh(topic));
  }

  /** What became of a load that continues while `faults` happen. */
  async function balanceOf(
    client: RocketMqClient,
    queues: readonly QueueRef[],
    faults: (load: BatchLoad) => Promise<void>,
  ): Promise<LoadBalance> {
    const load = new BatchLoad(client, queues);
    try {
      await load.progress(100);
      await faults(load);
      await load.progress(100);
      await load.stop();
      return await load.balance(group);
    } finally {
      await load.abandon();
    }
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-faults-'));
    cluster = await startCluster({
      name: 'faults',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { proxy: false },
      startTimeoutMs: START_LIMIT_MS,
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      brokerConfig: { flushDiskType: 'SYNC_FLUSH', enableShutdownGracefully: 'true', shutdownWaitTimeSeconds: '2' },
    });
    admin = open();
    await admin.admin.createGroup({ group });
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'loses nothing that was acknowledged when the broker is killed, and duplicates only what nobody can know about',
    async () => {
      const balance = await balanceOf(open(), await queuesOf('killed', PRODUCERS), async () => {
        await cluster.killBroker();
        await cluster.startBroker();
      });
      report('broker killed', balance);
      expect(balance).toMatchObject({ lost: 0, doubled: 0 });
      expect(balance.acknowledged).toBeGreaterThanOrEqual(2_000);
      expect(balance.failures.size).toBeGreaterThan(0);
      expect(balance.unknownBatches).toBeLessThanOrEqual(PRODUCERS * 2);
    },
    LIMIT_MS,
  );

  it(
    'learns what a broker that shuts down in order did not do',
    async () => {
      const balance = await balanceOf(open(), await queuesOf('stopped', PRODUCERS), async () => {
        await cluster.restartBroker();
      });
      report('broker restarted in order', balance);
      expect(balance).toMatchObject({ lost: 0, doubled: 0 });
      expect(balance.failures.get('CONNECTION_CLOSED')).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );

  it(
    'continues without a name server, also over a cut connection',
    async () => {
      const [queue] = await queuesOf('no-namesrv', 1);
      const broker = await CuttableProxy.to(cluster.brokerAddr);
      const routes = await RouteRewritingProxy.of(cluster.namesrv, cluster.brokerAddr, broker.address);
      const namesrv = await CuttableProxy.to(routes.address);
      const client = open({ namesrv: namesrv.address, routeRefreshMs: 500, requestTimeoutMs: 3_000 });
      const acknowledgedDuring = (load: BatchLoad, endsAt: number): Promise<void> =>
        performance.now() > endsAt ? Promise.resolve() : load.progress(5).then(() => acknowledgedDuring(load, endsAt));
      try {
        const balance = await balanceOf(client, [queue!], async (load) => {
          namesrv.holdAnswers();
          await acknowledgedDuring(load, performance.now() + 8_000);
          namesrv.down();
          await acknowledgedDuring(load, performance.now() + 8_000);
          broker.cut();
          await load.progress(20);
          namesrv.releaseAnswers();
          namesrv.up();
        });
        report('name server away for 16 s', balance);
        expect(balance).toMatchObject({ lost: 0, doubled: 0 });
        expect([...balance.failures.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(2);
        await expect(client.routes.refresh(queue!.topic)).resolves.toMatchObject({ topic: queue!.topic });
      } finally {
        await client.close();
        await namesrv.close();
        await routes.close();
        await broker.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'finds half-open connections within the heartbeat',
    async () => {
      const [queue] = await queuesOf('half-open', 1);
      const broker = await CuttableProxy.to(cluster.brokerAddr);
      const routes = await RouteRewritingProxy.of(cluster.namesrv, cluster.brokerAddr, broker.address);
      const client = open({ namesrv: routes.address, heartbeatIntervalMs: 500, requestTimeoutMs: 60_000 });
      try {
        const send = (): Promise<unknown> => client.producer.send(queue!, { body: Buffer.from('x') });
        await send();
        broker.swallow();
        const start = performance.now();
        const [sent, asked] = await Promise.allSettled([send(), client.admin.minOffset(queue!)]);
        const foundMs = performance.now() - start;
        expect(sent).toMatchObject({ status: 'rejected', reason: { code: 'SEND_OUTCOME_UNKNOWN' } });
        expect(asked).toMatchObject({ status: 'rejected', reason: { code: 'CONNECTION_CLOSED' } });
        await send();
        report('half-open connection found', { afterMs: Math.round(foundMs), heartbeatIntervalMs: 500 });
        expect(foundMs).toBeLessThan(20_000);
      } finally {
        await client.close();
        await routes.close();
        await broker.close();
      }
    },
    LIMIT_MS,
  );
});
