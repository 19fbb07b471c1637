import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BrokerHandle, freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { isRetriableRocketMqError, type QueueRef, RocketMqClient, type RocketMqClientOptions } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { BatchLoad } from './batch-load.js';
import { report } from './report.js';

const LIMIT_MS = 400_000;
const START_LIMIT_MS = 200_000;
const PRODUCERS = 4;

describe('a controller that makes a replica the master', () => {
  const topic = 'failed-over';
  const group = 'readers';
  let dir: string;
  let cluster: RunningCluster;
  let client: RocketMqClient;
  let queues: QueueRef[];
  const opened: RocketMqClient[] = [];

  function open(options: Partial<RocketMqClientOptions> = {}): RocketMqClient {
    const one = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000, ...options });
    opened.push(one);
    return one;
  }

  async function masterNow(): Promise<BrokerHandle> {
    return until('there is a master', () => cluster.masterOf('broker-c'), LIMIT_MS);
  }

  async function areKnownToAll(knownTopic: string, knownGroup: string): Promise<boolean> {
    const known = await Promise.all(cluster.brokers.map((broker) => broker.metadata()));
    return known.every((each) => each?.topics.includes(knownTopic) === true && each.groups.includes(knownGroup));
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-controller-'));
    cluster = await startCluster({
      name: 'controller',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { controller: true, proxy: false, brokers: [{ name: 'broker-c', replicas: 2 }] },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: START_LIMIT_MS,
    });
    client = open();
    await client.admin.createTopic({ topic, readQueues: PRODUCERS, writeQueues: PRODUCERS });
    await client.admin.createGroup({ group });
    // Replicas copy topics and groups from their master about every 12 s; before, a new master does not know them.
    await until('both brokers know topic and group', () => areKnownToAll(topic, group), LIMIT_MS);
    queues = Array.from({ length: PRODUCERS }, (_, queueId) => ({ topic, brokerName: 'broker-c', queueId }));
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'moves the traffic to the new master, and never back to the old one as a replica',
    async () => {
      const stale = open({ routeRefreshMs: 3_600_000 });
      await stale.producer.send(queues[0]!, { body: Buffer.from('before') });
      const load = new BatchLoad(open(), queues);
      try {
        await load.progress(100);
        const old = await masterNow();
        const killedAt = performance.now();
        await old.kill();
        await load.progress(PRODUCERS * 10, LIMIT_MS);
        const movedMs = Math.round(performance.now() - killedAt);
        const chosen = await masterNow();
        expect(chosen.address).not.toBe(old.address);

        await old.start();
        expect((await masterNow()).address).toBe(chosen.address);
        const [shown] = (await client.admin.clusterInfo()).brokers;
        expect([...(shown?.addresses.values() ?? [])].sort()).toEqual([old.address, chosen.address].sort());
        await load.progress(100);

        const refusals: string[] = [];
        const sent = await until('a client with the old route sends', async () => {
          try {
            return await stale.producer.send(queues[0]!, { body: Buffer.from('after') });
          } catch (error) {
            if (!isRetriableRocketMqError(error)) throw error;
            refusals.push(error.code);
            return undefined;
          }
        });
        expect(refusals.length).toBeLessThanOrEqual(3);
        await load.stop();
        const balance = await load.balance(group);
        report('master killed in controller mode', { movedMs, refusalsOfStaleRoute: refusals, ...balance });
        expect(balance).toMatchObject({ lost: 0, doubled: 0 });
        const [message] = (await stale.consumer.pull({ queue: queues[0]!, offset: sent.firstOffset, group })).messages;
        expect(message?.body.toString()).toBe('after');
      } finally {
        await load.abandon();
      }
    },
    LIMIT_MS,
  );
});
