import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClusterPorts, freePorts, type RunningCluster, runMqadmin, startCluster } from '@sluice/embedded-rocketmq';
import { listenAddresses } from './listen-addresses.js';

const LIMIT_MS = 240_000;

describe('an embedded cluster of RocketMQ 4.9', () => {
  const version = '4.9.7';
  let dataDir: string;
  let ports: ClusterPorts;
  let cluster: RunningCluster;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-embedded-old-'));
    ports = await freePorts();
    cluster = await startCluster({ name: 'old', version, dataDir, ports });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.kill();
    await rm(dataDir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('runs that version, and its own tool confirms it', async () => {
    const listed = await runMqadmin(['clusterList', '-n', cluster.namesrv], { logDir: cluster.logDir, version });
    expect(listed).toContain('V4_9_7');
    expect(listed).toContain(cluster.brokerAddr);
  }, 180_000);

  it('listens on loopback only, without the ports of a proxy', async () => {
    const { namesrv, broker } = ports;
    const addresses = await listenAddresses([namesrv, broker, broker - 2, broker + 1]);
    expect(addresses).toEqual(Array.from({ length: 4 }, () => '0100007F'));
    await expect(listenAddresses([ports.grpc, ports.proxyRemoting])).resolves.toEqual([]);
    expect(() => cluster.grpc).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  it('keeps its version when it is attached to, and becomes no other while it runs', async () => {
    await expect(startCluster({ name: 'old', version: '5.5.0', dataDir, ifRunning: 'attach' })).rejects.toMatchObject({
      code: 'CLUSTER_RUNNING',
      message: expect.stringContaining('4.9.7'),
    });
    const attached = await startCluster({ name: 'old', dataDir, ifRunning: 'attach' });
    expect(attached.version).toBe(version);
    expect(attached.pids).toEqual(cluster.pids);
  });
});
