import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BrokerHandle, freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient, type RocketMqClientOptions } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const LIMIT_MS = 300_000;
const START_LIMIT_MS = 200_000;
const COUNT = 200;

/** Both say that reads may go to replicas; the master suggests it as soon as a reader is behind at all. */
const READS_ANYWHERE = { slaveReadEnable: 'true', accessMessageInMemoryMaxRatio: '0' };

describe('a master with a replica', () => {
  const topic = 'replicated';
  const group = 'readers';
  let dir: string;
  let cluster: RunningCluster;
  let master: BrokerHandle;
  let replica: BrokerHandle;
  let client: RocketMqClient;
  let queue: QueueRef;
  const opened: RocketMqClient[] = [];

  function open(options: Partial<RocketMqClientOptions> = {}): RocketMqClient {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000, ...options });
    opened.push(client);
    return client;
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-replicas-'));
    cluster = await startCluster({
      name: 'replicas',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: {
        brokers: [{ name: 'broker-a', replicas: 2, role: 'SYNC_MASTER', config: READS_ANYWHERE }],
        proxy: false,
      },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: START_LIMIT_MS,
    });
    [master, replica] = cluster.brokers as [BrokerHandle, BrokerHandle];
    client = open();
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await client.admin.createGroup({ group });
    queue = { topic, brokerName: 'broker-a', queueId: 0 };
    await until(
      'the replica takes part',
      async () => {
        const sent = await client.producer.send(queue, { body: Buffer.from('first') });
        return sent.status === 'stored';
      },
      LIMIT_MS,
    );
    for (let count = 0; count < COUNT; count += 1) await client.producer.send(queue, { body: Buffer.alloc(1_000, 'x') });
    await until(
      'the replica knows topic and group',
      async () => {
        const pulled = await client.consumer.pull({
          queue,
          offset: 0,
          group,
          maxMessages: 1,
          replicaReads: 'suggested',
        });
        const again = await client.consumer.pull({
          queue,
          offset: 1,
          group,
          maxMessages: 1,
          replicaReads: 'suggested',
        });
        return pulled.kind === 'found' && again.kind === 'found' && again.brokerId === 1;
      },
      LIMIT_MS,
    );
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('shows both in the route, and takes writes at the master only', async () => {
    const route = await client.routes.refresh(topic);
    expect(route.brokers.map(({ brokerName, masterAddress, addresses }) => [brokerName, masterAddress, [...addresses]])).toEqual([
      [
        'broker-a',
        master.address,
        [
          [0, master.address],
          [1, replica.address],
        ],
      ],
    ]);
  });

  it('reads at the replica that the master suggests, and never there by default', async () => {
    const own = open();
    const from = async (replicaReads: 'never' | 'suggested' | undefined): Promise<number[]> => {
      const ids: number[] = [];
      for (let offset = 0; offset < 5; offset += 1) {
        const answer = await own.consumer.pull({ queue, offset, group, maxMessages: 1, replicaReads });
        expect(answer).toMatchObject({ kind: 'found', nextOffset: offset + 1 });
        ids.push(answer.brokerId);
      }
      return ids;
    };
    expect(await from('suggested')).toEqual([0, 1, 1, 1, 1]);
    expect(await from('never')).toEqual([0, 0, 0, 0, 0]);
    expect(await from(undefined)).toEqual([0, 0, 0, 0, 0]);
  });

  it(
    'continues at the master when the replica is gone, and reads every message once',
    async () => {
      const own = open();
      const read = async (count: number): Promise<number[]> => {
        const offsets: number[] = [];
        while (offsets.length < count) for (const one of await reader.next()) offsets.push(one.queueOffset);
        return offsets;
      };
      const options = { from: 0, group, replicaReads: 'suggested', maxMessagesPerPull: 8 } as const;
      const reader = own.consumer.readQueue(queue, options);
      const before = await read(40);
      await replica.kill();
      const after = await read(COUNT + 1 - before.length);
      expect([...before, ...after]).toEqual(Array.from({ length: COUNT + 1 }, (_, index) => index));
      reader.close();
      await replica.start();
    },
    LIMIT_MS,
  );

  it(
    'continues at the replica while the master is unavailable; only the master takes writes and answers by default',
    async () => {
      const own = open({ requestTimeoutMs: 5_000, reconnectBackoff: { initialMs: 10, maxMs: 100 } });
      const end = await own.admin.maxOffset(queue);
      await until(
        'the replica has all',
        async () => {
          const { maxOffset, brokerId } = await own.consumer.pull({
            queue,
            offset: 0,
            group,
            maxMessages: 1,
            replicaReads: 'suggested',
          });
          return brokerId === 1 && maxOffset === end;
        },
        LIMIT_MS,
      );
      await master.kill();
      const reader = own.consumer.readQueue(queue, { from: 0, group, replicaReads: 'suggested', suspendMs: 1_000 });
      while (reader.position < end) await reader.next();
      expect(await reader.next({ timeoutMs: 100 })).toEqual([]);
      const answer = await own.consumer.pull({ queue, offset: 10, group, replicaReads: 'suggested' });
      expect(answer).toMatchObject({ kind: 'found', brokerId: 1, maxOffset: end });
      await expect(own.consumer.pull({ queue, offset: 0, group })).rejects.toMatchObject({ retriable: true });
      const refused: unknown = await own.producer.send(queue, { body: Buffer.from('x') }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ retriable: true });
      expect(['CONNECT_FAILED', 'BROKER_NOT_FOUND', 'SEND_OUTCOME_UNKNOWN']).toContain((refused as { code: string }).code);
      // Beyond what the replica has, only the master knows the queue's end.
      await expect(own.consumer.pull({ queue, offset: end + 5, group, replicaReads: 'suggested' })).rejects.toMatchObject({
        retriable: true,
      });
      await master.start();
      const sent = await until(
        'the master takes writes',
        async () => own.producer.send(queue, { body: Buffer.from('back') }).catch(() => undefined),
        LIMIT_MS,
      );
      while (reader.position <= sent.firstOffset) await reader.next();
      reader.close();
    },
    LIMIT_MS,
  );
});
