import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient, SendOutcomeUnknownError } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const LIMIT_MS = 400_000;
const MEMBERS = [0, 1, 2];

async function freePeerPorts(): Promise<number[]> {
  const servers = MEMBERS.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Members of one group have one broker name as a rule; here each has its own, and only the leader's has a master. */
describe('a DLedger group whose quorum does not answer', () => {
  const topic = 'quorum';
  const group = 'readers';
  let dir: string;
  let cluster: RunningCluster;
  let client: RocketMqClient;
  let queue: QueueRef;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-dledger-'));
    const ports = await freePeerPorts();
    const dLegerPeers = ports.map((port, member) => `n${member}-127.0.0.1:${port}`).join(';');
    const brokers = MEMBERS.map((member) => ({
      name: `broker-d${member}`,
      config: {
        enableDLegerCommitLog: 'true',
        dLegerGroup: 'group-d',
        dLegerPeers,
        dLegerSelfId: `n${member}`,
      },
    }));
    cluster = await startCluster({
      name: 'dledger',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { proxy: false, brokers },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: 200_000,
    });
    client = RocketMqClient.open({ namesrv: cluster.namesrv });
    const leader = await until(
      'the group has a leader',
      async () => (await client.admin.clusterInfo()).brokers.find(({ masterAddress }) => masterAddress !== undefined),
      LIMIT_MS,
    );
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await client.admin.createGroup({ group });
    queue = { topic, brokerName: leader.brokerName, queueId: 0 };
  }, LIMIT_MS);

  afterAll(async () => {
    await client.close();
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'leaves the outcome of a send unknown, and may store it yet',
    async () => {
      await client.producer.send(queue, { body: Buffer.from('before') });
      const followers = cluster.brokers.filter(({ brokerName }) => brokerName !== queue.brokerName);
      await Promise.all(followers.map((follower) => follower.pause()));
      const sending = client.producer.send(queue, { body: Buffer.from('maybe') }, { timeoutMs: 30_000 });
      const error: unknown = await sending.catch((reason: unknown) => reason);
      await Promise.all(followers.map((follower) => follower.resume()));
      expect(error).toBeInstanceOf(SendOutcomeUnknownError);
      expect(error).toMatchObject({
        outcome: 'unknown',
        reason: 'answer',
        cause: { responseCode: 1, remark: 'in-sync replicas not enough' },
      });
      expect(await (error as SendOutcomeUnknownError).settled).toMatchObject({ kind: 'unknown' });
      const reader = client.consumer.readQueue(queue, { from: 1, group });
      const stored = await until('the message is stored all the same', async () => {
        const [message] = await reader.next({ timeoutMs: 1_000 });
        return message;
      });
      expect(stored.body.toString()).toBe('maybe');
      reader.close();
    },
    LIMIT_MS,
  );
});
