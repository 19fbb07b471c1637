import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type ClusterPorts,
  clusterStatus,
  freePorts,
  PULL_LIMITS,
  type PullLimits,
  ROCKETMQ_PULL_LIMITS,
  type RunningCluster,
  startCluster,
  stopCluster,
} from '@sluice/embedded-rocketmq';
import { BatchEncoder, RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { listenAddresses } from './listen-addresses.js';

const LIMIT_MS = 400_000;

function listenPorts(ports: ClusterPorts): number[] {
  return [ports.namesrv, ports.broker, ports.broker - 2, ports.broker + 1, ports.grpc, ports.proxyRemoting];
}

function isAccepted(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

describe('an embedded cluster', () => {
  let root: string;
  let cluster: RunningCluster;
  let ports: ClusterPorts;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-embedded-'));
    ports = await freePorts();
    cluster = await startCluster({ name: 'second', ports, dataDir: join(root, 'second') });
  }, LIMIT_MS);

  afterAll(async () => {
    await cluster.kill();
    await rm(root, { recursive: true, force: true });
  }, LIMIT_MS);

  it('is up under its name beside any other cluster', async () => {
    expect(cluster.namesrv).toBe(`127.0.0.1:${ports.namesrv}`);
    expect(cluster.grpc).toBe(`127.0.0.1:${ports.grpc}`);
    await expect(clusterStatus(cluster.dataDir)).resolves.toEqual({
      name: 'second',
      version: '5.5.0',
      condition: { kind: 'up' },
      nodes: [
        expect.objectContaining({ id: 'namesrv', ports: { listen: ports.namesrv } }),
        expect.objectContaining({
          id: 'broker',
          ports: { listen: ports.broker, grpc: ports.grpc, proxyRemoting: ports.proxyRemoting },
        }),
      ],
      pids: cluster.pids,
      dataDir: cluster.dataDir,
      logDir: cluster.logDir,
    });
  });

  it('listens on loopback only, with every listener', async () => {
    // The cluster answers before its proxy has opened the port that nobody needs.
    const addresses = await until('every listener is there', async () => {
      const found = await listenAddresses(listenPorts(ports));
      return found.length === 6 && found;
    });
    expect(addresses).toHaveLength(6);
    expect(new Set(addresses)).toEqual(new Set(['0100007F']));
  });

  it('takes no TLS on its gRPC port by default, and has made no certificate for it', async () => {
    const secure = connectTls({ host: '127.0.0.1', port: ports.grpc, rejectUnauthorized: false });
    await expect(once(secure, 'secureConnect', { signal: AbortSignal.timeout(LIMIT_MS) })).rejects.toThrow();
    secure.destroy();
    const log = await readFile(join(cluster.logDir, 'rocketmqlogs', 'proxy.log'), 'utf8');
    expect(log).toContain('SslContext created for proxy server');
    expect(log).not.toMatch(/Using \w+ SSL provider|Using OpenSSL provider/);
  });

  it('refuses to be started a second time, and is attached to on demand', async () => {
    await expect(startCluster({ name: 'second', dataDir: cluster.dataDir })).rejects.toMatchObject({
      code: 'CLUSTER_RUNNING',
    });
    const attached = await startCluster({ name: 'second', dataDir: cluster.dataDir, ifRunning: 'attach' });
    expect(attached.pids).toEqual(cluster.pids);
    const withTls = startCluster({ name: 'second', dataDir: cluster.dataDir, ifRunning: 'attach', tls: {} });
    await expect(withTls).rejects.toMatchObject({
      code: 'CLUSTER_RUNNING',
      message: expect.stringContaining('runs with other settings of TLS than were asked for'),
    });
  });

  it('refuses an older version for its data', async () => {
    const older = startCluster({ name: 'second', version: '4.9.7', dataDir: cluster.dataDir, ifRunning: 'attach' });
    await expect(older).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('holds data of RocketMQ 5.5.0: 4.9.7 may not be able to read it'),
    });
  });

  it('names port, use and owner when a port is taken', async () => {
    const dataDir = join(root, 'third');
    const start = startCluster({ name: 'third', dataDir, ports: { ...(await freePorts()), namesrv: ports.namesrv } });
    await expect(start).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`port ${ports.namesrv} (namesrv) taken by pid ${cluster.pids.namesrv} (`),
    });
    await expect(clusterStatus(dataDir)).resolves.toBeUndefined();
  });

  it(
    'shows the last log lines of a JVM that dies at its start',
    async () => {
      const dataDir = join(root, 'fourth');
      const start = startCluster({ name: 'fourth', dataDir, ports: await freePorts(), heap: { brokerMb: 1 } });
      await expect(start).rejects.toMatchObject({
        code: 'JVM_DIED',
        message: expect.stringMatching(/the broker of cluster fourth ended at its start \(.+\)\nlast lines of .*broker\.out:/),
      });
      const status = await clusterStatus(dataDir);
      expect(status).toMatchObject({ condition: { kind: 'down' }, pids: {} });
    },
    LIMIT_MS,
  );

  /** Asks the broker itself. */
  async function pullLimits(client: RocketMqClient): Promise<PullLimits> {
    const config = await client.admin.brokers.config(cluster.brokerName);
    const limitOf = (name: keyof PullLimits): string => config.get(name) ?? 'none';
    return {
      maxTransferCountOnMessageInMemory: limitOf('maxTransferCountOnMessageInMemory'),
      maxTransferCountOnMessageInDisk: limitOf('maxTransferCountOnMessageInDisk'),
      maxTransferBytesOnMessageInDisk: limitOf('maxTransferBytesOnMessageInDisk'),
    };
  }

  it(
    'gives a pull up to 512 messages, 32 with the limits of RocketMQ, and keeps its own over an orderly restart',
    async () => {
      const client = RocketMqClient.open({ namesrv: cluster.namesrv });
      try {
        const topic = 'pulled';
        await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
        await client.admin.createGroup({ group: 'pulls' });
        const queue = { topic, brokerName: cluster.brokerName, queueId: 0 };
        const encoder = new BatchEncoder();
        for (let sent = 0; sent < 600; sent += 1) encoder.add(Buffer.from('x'), '');
        await client.producer.sendBatch(queue, encoder.finish());
        const pulled = async (maxMessages: number): Promise<number> =>
          (await client.consumer.pull({ queue, offset: 0, group: 'pulls', maxMessages, suspendMs: 5_000 })).nextOffset;
        await until('all can be pulled', async () => (await client.admin.maxOffset(queue)) === 600);
        expect(await pullLimits(client)).toEqual(PULL_LIMITS);
        expect([await pulled(600), await pulled(32)]).toEqual([512, 32]);

        await client.admin.brokers.updateConfig(cluster.brokerName, ROCKETMQ_PULL_LIMITS);
        expect(await pulled(600)).toBe(32);
        await client.admin.brokers.updateConfig(cluster.brokerName, PULL_LIMITS);
        expect(await pulled(600)).toBe(512);

        const firstPid = cluster.pids.broker;
        await cluster.restartBroker();
        expect(cluster.pids.broker).not.toBe(firstPid);
        expect(await pullLimits(client)).toEqual(PULL_LIMITS);
        expect(await pulled(600)).toBe(512);
      } finally {
        await client.close();
      }
    },
    LIMIT_MS,
  );

  it(
    'keeps topics over a kill of the broker',
    async () => {
      const topic = `embedded-${Date.now()}`;
      const client = RocketMqClient.open({ namesrv: cluster.namesrv });
      try {
        await client.admin.createTopic({ topic, readQueues: 3, writeQueues: 3 });
        await cluster.killBroker('SIGKILL');
        await expect(clusterStatus(cluster.dataDir)).resolves.toMatchObject({
          condition: { kind: 'degraded', missing: 'the broker does not run' },
        });
        await cluster.startBroker();
        const { brokers } = await client.admin.topicRoute(topic);
        expect(brokers).toMatchObject([{ masterAddress: cluster.brokerAddr, readQueues: 3 }]);
      } finally {
        await client.close();
      }
    },
    LIMIT_MS,
  );

  it('takes no process for its own that merely has the same id', async () => {
    const stateFile = join(cluster.dataDir, 'cluster.json');
    const original = await readFile(stateFile, 'utf8');
    const state = JSON.parse(original) as { processes: { broker: { pid: number } } };
    state.processes.broker.pid = process.pid;
    try {
      await writeFile(stateFile, JSON.stringify(state));
      const status = await clusterStatus(cluster.dataDir);
      expect(status?.pids).toEqual({ namesrv: cluster.pids.namesrv });
    } finally {
      await writeFile(stateFile, original);
    }
  });

  it(
    'ends every process and listener when it is stopped, and keeps its data',
    async () => {
      const outcomes = await stopCluster(cluster.dataDir);
      expect(outcomes).toMatchObject({ broker: { kind: 'stopped' }, namesrv: { kind: 'stopped' } });
      for (const pid of Object.values(cluster.pids).filter((each) => each !== undefined))
        expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      for (const port of listenPorts(ports)) await expect(isAccepted('127.0.0.1', port)).resolves.toBe(false);
      await expect(clusterStatus(cluster.dataDir)).resolves.toMatchObject({ condition: { kind: 'down' }, pids: {} });
      await expect(access(join(cluster.dataDir, 'store', 'commitlog'))).resolves.toBeUndefined();
      await expect(access(join(cluster.dataDir, 'store', 'abort'))).rejects.toMatchObject({ code: 'ENOENT' });
    },
    LIMIT_MS,
  );

  it(
    'is ended by the one who started it also after another one has started it again',
    async () => {
      const { pids } = await startCluster({ name: 'second', ports, dataDir: cluster.dataDir });
      await cluster.stop();
      for (const pid of Object.values(pids).filter((each) => each !== undefined)) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      await expect(clusterStatus(cluster.dataDir)).resolves.toMatchObject({ condition: { kind: 'down' }, pids: {} });
    },
    LIMIT_MS,
  );
});
