import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient, writableQueues } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { Mqadmin } from './mqadmin.js';

const LIMIT_MS = 300_000;

describe('a broker that rejects pulls of clients that are no members of their group', () => {
  let dir: string;
  let cluster: RunningCluster;
  let queue: QueueRef;
  const opened: RocketMqClient[] = [];

  function open(clientId: string): RocketMqClient {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, clientId, requestTimeoutMs: 10_000 });
    opened.push(client);
    return client;
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-members-'));
    cluster = await startCluster({
      name: 'members',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { proxy: false },
      startTimeoutMs: 200_000,
      brokerConfig: { rejectPullConsumerEnable: 'true' },
    });
    const client = open('maker');
    await client.admin.createTopic({ topic: 'membership', readQueues: 1, writeQueues: 1 });
    await client.admin.createGroup({ group: 'readers' });
    [queue] = writableQueues(await client.routes.get('membership')) as [QueueRef];
    await client.producer.send(queue, { body: Buffer.from('one') });
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'serves readers and shows them, over a restart too',
    async () => {
      const clients = [open('runner-1@first'), open('runner-2@second')];
      const readers = clients.map((client) => client.consumer.readQueue(queue, { from: 0, group: 'readers' }));
      for (const reader of readers) expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual([0]);
      await cluster.restartBroker();
      const sender = open('sender');
      await until('the broker takes messages again', () =>
        sender.producer.send(queue, { body: Buffer.from('two') }).then(
          () => true,
          () => false,
        ),
      );
      for (const reader of readers) expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual([1]);
      // What they wait for keeps them members.
      const waiting = readers.map((reader) => reader.next());
      const mqadmin = await Mqadmin.open(cluster.namesrv);
      await until('mqadmin shows both', async () => {
        const text = await mqadmin.run('consumerConnection', '-g', 'readers');
        return clients.every(({ clientId }) => text.includes(clientId));
      });
      await mqadmin.close();
      for (const reader of readers) reader.close();
      for (const next of waiting) await expect(next).rejects.toMatchObject({ code: 'REQUEST_ABORTED' });
    },
    LIMIT_MS,
  );
});

describe('a client as a member of the groups in whose name it reads', () => {
  const namesrv = process.env['SLUICE_TEST_NAMESRV'] ?? '';
  const topic = `membership-${randomUUID()}`;
  const [readers, sinks] = [`readers-${randomUUID()}`, `sinks-${randomUUID()}`] as const;
  const clients: RocketMqClient[] = [];

  function open(clientId: string): RocketMqClient {
    const client = RocketMqClient.open({ namesrv, clientId });
    clients.push(client);
    return client;
  }

  afterAll(() => Promise.all(clients.map((client) => client.close())));

  it(
    'is shown by mqadmin with its client id, and leaves when it closes',
    async () => {
      const mqadmin = await Mqadmin.open(namesrv);
      const observer = open('observer');
      await observer.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      for (const group of [readers, sinks]) await observer.admin.createGroup({ group });
      const [queue] = writableQueues(await observer.routes.get(topic)) as [QueueRef];
      await observer.producer.send(queue, { body: Buffer.from('one') });
      const runners = [open('runner-1@first'), open('runner-2@second')];
      for (const runner of runners) {
        runner.consumer.attend(sinks);
        const reader = runner.consumer.readQueue(queue, { from: 0, group: readers });
        expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual([0]);
      }
      for (const group of [readers, sinks]) {
        await until(`both are shown in ${group}`, async () => {
          const text = await mqadmin.run('consumerConnection', '-g', group);
          return runners.every(({ clientId }) => text.includes(clientId));
        });
      }
      await mqadmin.close();
      for (const runner of runners) await runner.close();
      await until('both have left', async () => (await observer.admin.consumerConnections(sinks)).length === 0);
    },
    LIMIT_MS,
  );
});
