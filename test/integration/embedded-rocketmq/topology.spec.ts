import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clusterStatus, freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type ClusterBroker, RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const LIMIT_MS = 400_000;

/** The brokers as one name server alone knows them, sorted by name. */
async function brokersKnownTo(namesrv: string): Promise<readonly ClusterBroker[]> {
  const client = RocketMqClient.open({ namesrv });
  try {
    const { brokers } = await client.admin.clusterInfo();
    return [...brokers].sort((a, b) => a.brokerName.localeCompare(b.brokerName));
  } finally {
    await client.close();
  }
}

describe('a cluster of two name servers, a broker with a slave and another broker', () => {
  let dataDir: string;
  let cluster: RunningCluster;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-topology-'));
    cluster = await startCluster({
      name: 'wide',
      dataDir,
      ports: await freePorts(),
      topology: { nameServers: 2, brokers: [{ name: 'a', replicas: 2, role: 'SYNC_MASTER' }, { name: 'b' }] },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: LIMIT_MS,
    });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.kill();
    await rm(dataDir, { recursive: true, force: true });
  }, LIMIT_MS);

  /** A name server that is slow to answer has not lost the master. */
  async function untilMasterOf(brokerName: string, id: string): Promise<void> {
    await until(`${id} is the master of ${brokerName}`, async () => (await cluster.masterOf(brokerName))?.id === id);
  }

  it('has one handle per process, and every name server knows every broker by its id', async () => {
    expect(cluster.brokers.map(({ id, brokerName, brokerId }) => [id, brokerName, brokerId])).toEqual([
      ['broker', 'a', 0],
      ['broker-2', 'a', 1],
      ['broker-3', 'b', 0],
    ]);
    expect(cluster.namesrv).toBe(cluster.nameServers.map(({ address }) => address).join(';'));
    const [master, slave, other] = cluster.brokers.map(({ address }) => address);
    for (const { address } of cluster.nameServers) {
      expect(await brokersKnownTo(address)).toMatchObject([
        {
          brokerName: 'a',
          masterAddress: master,
          addresses: new Map([
            [0, master],
            [1, slave],
          ]),
        },
        { brokerName: 'b', masterAddress: other },
      ]);
    }
    await expect(clusterStatus(dataDir)).resolves.toMatchObject({ condition: { kind: 'up' }, pids: cluster.pids });
  });

  it(
    'loses the master of a broker whose master is killed, and has it back when it starts',
    async () => {
      const master = cluster.brokers[0]!;
      await untilMasterOf('a', master.id);
      await master.kill();
      expect(master.pid).toBeUndefined();
      await expect(master.isRunning()).resolves.toBe(false);
      await until('the name server knows the slave only', async () => {
        const [a] = await brokersKnownTo(cluster.nameServers[1]!.address);
        return a?.masterAddress === undefined && a?.addresses.get(1) === cluster.brokers[1]!.address;
      });
      await expect(master.kill()).rejects.toMatchObject({ code: 'CLUSTER_NOT_RUNNING' });
      await expect(clusterStatus(dataDir)).resolves.toMatchObject({
        condition: { kind: 'degraded', missing: 'the broker does not run' },
      });
      await master.start();
      await untilMasterOf('a', master.id);
    },
    LIMIT_MS,
  );

  it(
    'is served by the other name server while one is paused or stopped; a new one knows the brokers again',
    async () => {
      const [first, second] = cluster.nameServers;
      await first!.pause();
      await expect(first!.isRunning()).resolves.toBe(true);
      await untilMasterOf('b', 'broker-3');
      await second!.pause();
      await expect(cluster.masterOf('b')).resolves.toBeUndefined();
      await first!.resume();
      await untilMasterOf('b', 'broker-3');
      await second!.stop();
      expect(second!.pid).toBeUndefined();
      await second!.start();
      expect(await brokersKnownTo(second!.address)).toHaveLength(2);
    },
    LIMIT_MS,
  );

  it(
    'is found again with its topology, and ends as a whole',
    async () => {
      const attached = await startCluster({ name: 'wide', dataDir, ifRunning: 'attach' });
      expect(attached.pids).toEqual(cluster.pids);
      const narrower = startCluster({ name: 'wide', dataDir, ifRunning: 'attach', topology: {} });
      await expect(narrower).rejects.toMatchObject({
        code: 'CLUSTER_RUNNING',
        message: expect.stringContaining('runs with a namesrv-2, which was not asked for'),
      });
      const brokers = [{ name: 'other', replicas: 2 }, { name: 'b' }];
      const renamed = startCluster({
        name: 'wide',
        dataDir,
        ifRunning: 'attach',
        topology: { nameServers: 2, brokers },
      });
      await expect(renamed).rejects.toMatchObject({
        code: 'CLUSTER_RUNNING',
        message: expect.stringContaining('runs with another broker than was asked for'),
      });
      const pids = Object.values(cluster.pids).filter((pid) => pid !== undefined);
      expect(pids).toHaveLength(5);
      await cluster.stop();
      for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(cluster.pids).toEqual({});
    },
    LIMIT_MS,
  );
});
