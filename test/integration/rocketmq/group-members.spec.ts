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
  let mqadmin: Mqadmin;
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
    mqadmin = await Mqadmin.open(cluster.namesrv);
    const client = open('maker');
    await client.admin.createTopic({ topic: 'membership', readQueues: 1, writeQueues: 1 });
    for (const group of ['readers', 'pulls', 'sinks']) await client.admin.createGroup({ group });
    [queue] = writableQueues(await client.routes.get('membership')) as [QueueRef];
    await client.producer.send(queue, { body: Buffer.from('one') });
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.close()));
    await mqadmin.close();
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'serves readers, over a restart too, and shows them with their client ids',
    async () => {
      const clients = [open('runner-1@first'), open('runner-2@second')];
      const readers = clients.map((client) => client.consumer.readQueue(queue, { from: 0, group: 'readers' }));
      for (const reader of readers) expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual([0]);
      const shown = await until('both are shown', async () => {
        const text = await mqadmin.run('consumerConnection', '-g', 'readers');
        return clients.every(({ clientId }) => text.includes(clientId)) && text;
      });
      expect(shown).toContain('membership');
      const connections = await clients[0]!.admin.consumerConnections('readers');
      expect(connections.map(({ clientId }) => clientId)).toEqual(['runner-1@first', 'runner-2@second']);
      await cluster.restartBroker();
      const sender = open('sender');
      await until('the broker takes messages again', () =>
        sender.producer.send(queue, { body: Buffer.from('two') }).then(
          () => true,
          () => false,
        ),
      );
      for (const reader of readers) expect((await reader.next()).map(({ queueOffset }) => queueOffset)).toEqual([1]);
      for (const reader of readers) reader.close();
    },
    LIMIT_MS,
  );

  it(
    'serves single pulls, and shows a client in a group in whose name it only keeps offsets',
    async () => {
      const client = open('runner-3@third');
      const pulled = await client.consumer.pull({ queue, offset: 0, group: 'pulls' });
      expect(pulled.messages.length).toBeGreaterThan(0);
      client.consumer.attend('sinks');
      for (const group of ['pulls', 'sinks']) {
        const connections = await until(`a member of ${group}`, async () => {
          const found = await client.admin.consumerConnections(group);
          return found.length > 0 && found;
        });
        expect(connections.map(({ clientId }) => clientId)).toEqual(['runner-3@third']);
      }
      await client.close();
      await until('the client has left', async () => {
        const found = await opened[0]!.admin.consumerConnections('sinks');
        return found.length === 0;
      });
    },
    LIMIT_MS,
  );
});
