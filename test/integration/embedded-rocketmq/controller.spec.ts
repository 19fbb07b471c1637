import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BrokerHandle, freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const LIMIT_MS = 400_000;

describe('a cluster whose controller gives out the roles', () => {
  const queue: QueueRef = { topic: 'kept', brokerName: 'a', queueId: 0 };
  let dataDir: string;
  let cluster: RunningCluster;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-controller-'));
    cluster = await startCluster({
      name: 'controlled',
      dataDir,
      ports: await freePorts(),
      topology: { controller: true, proxy: false, brokers: [{ name: 'a', replicas: 2 }] },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: LIMIT_MS,
    });
    await withClient(async ({ admin }) => {
      await admin.createTopic({ topic: queue.topic, readQueues: 1, writeQueues: 1 });
      await admin.createGroup({ group: 'readers' });
    });
    await until(
      'every replica knows topic and group',
      async () => {
        const known = await Promise.all(cluster.brokers.map((broker) => broker.metadata()));
        return known.every((each) => each?.topics.includes(queue.topic) === true && each.groups.includes('readers'));
      },
      180_000,
    );
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.kill();
    await rm(dataDir, { recursive: true, force: true });
  }, LIMIT_MS);

  /** A client that has seen no earlier master. */
  async function withClient<T>(use: (client: RocketMqClient) => Promise<T>): Promise<T> {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 60_000 });
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }

  async function send(bodies: readonly string[]): Promise<void> {
    await withClient(async ({ producer }) => {
      for (const body of bodies) {
        const { status } = await producer.send(queue, { body: Buffer.from(body) });
        expect(status).toBe('stored');
      }
    });
  }

  async function bodiesFromStart(count: number): Promise<string[]> {
    return withClient(async ({ consumer }) => {
      const reader = consumer.readQueue(queue, { from: 0, group: 'readers' });
      const bodies: string[] = [];
      while (bodies.length < count) {
        for (const message of await reader.next()) bodies.push(message.body.toString());
      }
      reader.close();
      return bodies;
    });
  }

  async function other(master: BrokerHandle): Promise<BrokerHandle> {
    return until(
      'the name server has the other broker as the master',
      async () => {
        const now = await cluster.masterOf('a');
        return now !== undefined && now.id !== master.id && now;
      },
      180_000,
    );
  }

  async function currentMaster(): Promise<BrokerHandle> {
    return until('there is a master', () => cluster.masterOf('a'));
  }

  const allInSync = (): Promise<true> => until('both are in sync', async () => (await cluster.inSyncReplicas('a')).length === 2, 120_000);

  it(
    'has replaced a killed master in the route, with every message that was acknowledged',
    async () => {
      await allInSync();
      const before = Array.from({ length: 50 }, (_, index) => `before ${index}`);
      await send(before);
      const killed = await currentMaster();
      await killed.kill();
      const successor = await other(killed);
      const inSync = await until('the controller reports who is in sync', async () => {
        const replicas = await cluster.inSyncReplicas('a');
        return replicas.length > 0 && replicas;
      });
      expect(inSync).toEqual([successor]);
      await send(['after']);
      expect(await bodiesFromStart(51)).toEqual([...before, 'after']);
      await killed.start();
      await allInSync();
      expect((await currentMaster()).id).toBe(successor.id);
    },
    LIMIT_MS,
  );

  it(
    'replaces a master that hangs',
    async () => {
      await allInSync();
      const end = await withClient(({ admin }) => admin.maxOffset(queue));
      const hung = await currentMaster();
      await hung.pause();
      const successor = await other(hung);
      expect(successor.id).not.toBe(hung.id);
      await hung.resume();
      await allInSync();
      await send(['after the pause']);
      expect((await bodiesFromStart(end + 1)).at(-1)).toBe('after the pause');
    },
    LIMIT_MS,
  );
});
