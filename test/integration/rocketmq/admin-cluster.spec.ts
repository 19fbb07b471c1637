import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { InvalidArgumentError, type QueueRef, RocketMqClient, UnsupportedByBrokerError } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { untilFirstStatistics } from './broker-statistics.js';
import { Mqadmin } from './mqadmin.js';

/** Each mqadmin starts a JVM. */
jest.setTimeout(180_000);

describe('administration of brokers and name servers', () => {
  const topic = 'things';
  const group = 'readers';
  let dir: string;
  /** A cluster for this spec alone: the cases take brokers out of service and change settings of all topics. */
  let cluster: RunningCluster;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;
  let queues: [QueueRef, QueueRef];
  let brokerName: string;
  let brokerAddress: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-admin-'));
    cluster = await startCluster({
      name: 'admin',
      ports: await freePorts(),
      dataDir: dir,
      topology: { proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: 120_000,
    });
    mqadmin = await Mqadmin.open(cluster.namesrv);
    client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000 });
    await untilFirstStatistics(client);
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group });
    const broker = (await client.admin.topicRoute(topic)).brokers[0]!;
    brokerName = broker.brokerName;
    brokerAddress = broker.masterAddress!;
    queues = [
      { topic, brokerName, queueId: 0 },
      { topic, brokerName, queueId: 1 },
    ];
  });

  afterAll(async () => {
    await client.close();
    await mqadmin.close();
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  });

  it('reports what a broker says of itself, as mqadmin does', async () => {
    const info = await client.admin.brokers.runtimeInfo(brokerName);
    const version = info.get('brokerVersionDesc')!;
    expect(version).toMatch(/^V5_\d+_\d+$/);
    expect(await client.admin.brokers.versions()).toEqual(new Map([[brokerName, version]]));
    const seen = await mqadmin.run('brokerStatus', '-b', brokerAddress);
    expect(seen).toMatch(new RegExp(`brokerVersionDesc\\s*: ${version}`));
    const bootTime = info.get('bootTimestamp')!;
    expect(seen).toMatch(new RegExp(`bootTimestamp\\s*: ${bootTime}`));
    await expect(client.admin.brokers.runtimeInfo('nobody')).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
  });

  it('changes a setting of a broker, as mqadmin sees it', async () => {
    const { brokers } = client.admin;
    const name = 'maxMsgsNumBatch';
    const before = (await brokers.config(brokerName)).get(name)!;
    const value = String(Number(before) + 1);
    try {
      await brokers.updateConfig(brokerName, { [name]: value });
      expect((await brokers.config(brokerName)).get(name)).toBe(value);
      expect(await mqadmin.run('getBrokerConfig', '-b', brokerAddress)).toMatch(new RegExp(`${name}\\s*=\\s*${value}\\b`));
    } finally {
      await brokers.updateConfig(brokerName, { [name]: before });
    }
    expect((await brokers.config(brokerName)).get(name)).toBe(before);
  });

  it('refuses settings that a broker does not have, would ignore or lets nobody change', async () => {
    const { brokers } = client.admin;
    const error: unknown = await brokers
      .updateConfig(brokerName, { maxMsgsNumBatch: '1', noSuchSetting: '1' })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(String(error)).toContain(`setting noSuchSetting: allowed are those that ${brokerAddress} has`);
    expect((await brokers.config(brokerName)).get('maxMsgsNumBatch')).not.toBe('1');
    await expect(brokers.updateConfig(brokerName, { configBlackList: 'x' })).rejects.toMatchObject({
      responseCode: 16,
    });
    await expect(brokers.updateConfig(brokerName, {})).rejects.toThrow('at least one');
    await expect(brokers.updateConfig('nobody', { a: '1' })).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
  });

  it('changes a setting of the name servers', async () => {
    const { nameServers } = client.admin;
    expect(nameServers.addresses).toEqual([cluster.namesrv]);
    const setting = async (): Promise<string | undefined> =>
      (await nameServers.config()).get(cluster.namesrv)?.get('waitSecondsForService');
    const before = (await setting())!;
    const value = String(Number(before) + 1);
    try {
      await nameServers.updateConfig({ waitSecondsForService: value });
      expect(await setting()).toBe(value);
      expect(await mqadmin.run('getNamesrvConfig')).toMatch(new RegExp(`waitSecondsForService\\s*=\\s*${value}\\b`));
    } finally {
      await nameServers.updateConfig({ waitSecondsForService: before });
    }
    await expect(nameServers.updateConfig({ noSuchSetting: '1' })).rejects.toThrow('setting noSuchSetting');
    await expect(nameServers.updateConfig({ kvConfigPath: '/tmp/x' })).rejects.toMatchObject({ responseCode: 16 });
  });

  it('keeps values at the name servers, as mqadmin sees them', async () => {
    const { nameServers } = client.admin;
    const namespace = 'operations';
    const key = { namespace, key: 'k1' };
    expect(await nameServers.getKv(key)).toBeUndefined();
    expect(await nameServers.listKv(namespace)).toEqual(new Map());
    await nameServers.putKv({ ...key, value: 'broker-a:8;ü' });
    await nameServers.putKv({ namespace, key: 'k2', value: '2' });
    expect(await nameServers.getKv(key)).toBe('broker-a:8;ü');
    expect(await nameServers.listKv(namespace)).toEqual(
      new Map([
        ['k1', 'broker-a:8;ü'],
        ['k2', '2'],
      ]),
    );
    await mqadmin.run('updateKvConfig', '-s', namespace, '-k', 'k2', '-v', 'by-mqadmin');
    expect(await nameServers.getKv({ namespace, key: 'k2' })).toBe('by-mqadmin');
    await nameServers.deleteKv(key);
    await nameServers.deleteKv(key);
    await nameServers.deleteKv({ namespace, key: 'k2' });
    expect(await nameServers.getKv(key)).toBeUndefined();
    await expect(nameServers.putKv({ namespace: '', key: 'k', value: 'v' })).rejects.toThrow("namespace ''");
  });

  it('takes a broker out of service for producers and back', async () => {
    const { nameServers } = client.admin;
    const isWritable = async (): Promise<boolean> => (await client.admin.topicRoute(topic)).brokers[0]!.isWritable;
    expect(await isWritable()).toBe(true);
    try {
      const counts = await nameServers.wipeWritePerm(brokerName);
      expect([...counts.keys()]).toEqual([cluster.namesrv]);
      expect(counts.get(cluster.namesrv)).toBeGreaterThan(0);
      expect(await isWritable()).toBe(false);
      expect(await mqadmin.run('topicRoute', '-t', topic)).toMatch(/"perm":\s*4/);
    } finally {
      await nameServers.addWritePerm(brokerName);
    }
    expect(await isWritable()).toBe(true);
    await expect(nameServers.wipeWritePerm('nobody')).rejects.toMatchObject({ code: 'BROKER_NOT_FOUND' });
  });

  it('locks queues for one client of a group at a time', async () => {
    const { queueLocks } = client;
    const lock = (clientId: string, of: readonly QueueRef[], inGroup = group): Promise<QueueRef[]> =>
      queueLocks.lock({ group: inGroup, clientId, queues: of });
    expect(await lock('c1', queues)).toEqual(queues);
    expect(await lock('c1', queues)).toEqual(queues);
    expect(await lock('c2', queues)).toEqual([]);
    expect(await lock('c2', queues, `${group}-other`)).toEqual(queues);
    await queueLocks.unlock({ group, clientId: 'c2', queues });
    expect(await lock('c2', queues)).toEqual([]);
    await queueLocks.unlock({ group, clientId: 'c1', queues: [queues[1]] });
    expect(await lock('c2', queues)).toEqual([queues[1]]);
    expect(await lock('c1', [])).toEqual([]);
    await expect(lock('', queues)).rejects.toThrow("clientId ''");
    await expect(lock('c1', [{ ...queues[0], brokerName: 'nobody' }])).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
    });
  });

  it('says that this broker has no plain ACL and where ACL 2.0 is', async () => {
    const calls: readonly (() => Promise<unknown>)[] = [
      () => client.plainAcl.putAccount({ accessKey: 'account-1', secretKey: 'secret-of-1' }),
      () => client.plainAcl.deleteAccount('account-1'),
      () => client.plainAcl.setGlobalWhiteAddresses(['10.0.0.*']),
      () => client.plainAcl.versions(),
      () => client.plainAcl.config(),
    ];
    for (const call of calls) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(UnsupportedByBrokerError);
      expect(error).toMatchObject({ code: 'UNSUPPORTED_BY_BROKER', address: brokerAddress, retriable: false });
      expect(String(error)).toContain('client.acl');
      expect(String(error)).not.toContain('secret-of-1');
    }
    await expect(client.plainAcl.putAccount({ accessKey: 'short', secretKey: '1234567' })).rejects.toThrow(
      "accessKey 'short': allowed are 7 or more",
    );
    const error: unknown = await client.plainAcl
      .putAccount({ accessKey: 'account-1', secretKey: 'hidden' })
      .catch((reason: unknown) => reason);
    expect(String(error)).toContain('secretKey of 6 characters');
    expect(String(error)).not.toContain('hidden');
  });

  it('ends by its deadline when the broker is silent', async () => {
    const before = performance.now();
    const { brokers, nameServers } = client.admin;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => brokers.config(brokerName, { timeoutMs: 0 }),
      () => brokers.versions({ timeoutMs: 0 }),
      () => nameServers.config({ timeoutMs: 0 }),
      () => nameServers.wipeWritePerm(brokerName, { timeoutMs: 0 }),
      () => client.queueLocks.lock({ group, clientId: 'c', queues, timeoutMs: 0 }),
      () => client.plainAcl.config({ timeoutMs: 0 }),
      () => client.acl.getUser('u', { timeoutMs: 0 }),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(performance.now() - before).toBeLessThan(5_000);
    await until('the topic is writable', async () => (await client.admin.topicRoute(topic)).brokers[0]!.isWritable);
  });
});
