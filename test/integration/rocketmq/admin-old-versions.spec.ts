import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, runMqadmin, startCluster } from '@sluice/embedded-rocketmq';
import {
  AuthenticationError,
  AuthorizationError,
  BrokerResponseError,
  type Credentials,
  encodeOffsetMessageId,
  type QueueRef,
  RocketMqClient,
  UnsupportedByBrokerError,
} from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { untilFirstStatistics } from './broker-statistics.js';
import { olderVersions } from './broker-features.js';
import { GroupMember } from './group-member.js';

const LIMIT_MS = 180_000;
const MESSAGES = 5;
const ADMIN: Credentials = { accessKey: 'plain-admin', secretKey: 'secret-of-admin' };
const PLAIN_ACL = `accounts:
  - accessKey: ${ADMIN.accessKey}
    secretKey: ${ADMIN.secretKey}
    admin: true
`;

describe.each(olderVersions)('administration of RocketMQ %s with plain ACL', (version) => {
  const name = `V${version.replaceAll('.', '_')}`;
  const isVersion5 = version.startsWith('5.');
  const topic = 'things';
  const group = 'readers';
  const opened: RocketMqClient[] = [];
  let dir: string;
  let cluster: RunningCluster;
  let client: RocketMqClient;
  let queues: QueueRef[];
  let queue: QueueRef;

  function open(credentials: Credentials | undefined): RocketMqClient {
    const one = RocketMqClient.open({ namesrv: cluster.namesrv, credentials, requestTimeoutMs: 10_000 });
    opened.push(one);
    return one;
  }

  const send = async (by: RocketMqClient): Promise<string> => (await by.producer.send(queue, { body: Buffer.from('x') })).status;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-plain-acl-'));
    await mkdir(join(dir, 'conf'));
    await writeFile(join(dir, 'conf', 'plain_acl.yml'), PLAIN_ACL);
    cluster = await startCluster({
      name: 'plain',
      version,
      ports: await freePorts(),
      dataDir: dir,
      brokerConfig: { aclEnable: 'true' },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      startTimeoutMs: 120_000,
    });
    client = open(ADMIN);
    const { brokerName } = cluster;
    queues = [0, 1].map((queueId) => ({ topic, brokerName, queueId }));
    queue = queues[0]!;
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group, retryMaxTimes: 4 });
    for (let index = 0; index < MESSAGES; index += 1) {
      const properties: [string, string][] = [
        ['KEYS', `key-${index}`],
        ['UNIQ_KEY', `UNIQUE${index}`],
      ];
      await client.producer.send(queue, { body: Buffer.from(String(index)), properties });
    }
    await untilFirstStatistics(client);
    await until('the messages can be pulled', async () => (await client.admin.maxOffset(queue)) === MESSAGES);
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('knows its version and its settings', async () => {
    expect(await client.admin.brokers.versions()).toEqual(new Map([[cluster.brokerName, name]]));
    const settings = await client.admin.brokers.config(cluster.brokerName);
    expect(settings.get('aclEnable')).toBe('true');
    await client.admin.brokers.updateConfig(cluster.brokerName, { maxMsgsNumBatch: '65' });
    expect((await client.admin.brokers.config(cluster.brokerName)).get('maxMsgsNumBatch')).toBe('65');
    const counts = await client.admin.nameServers.wipeWritePerm(cluster.brokerName);
    expect(counts.get(cluster.namesrv)).toBeGreaterThan(0);
    expect((await client.admin.topicRoute(topic)).brokers[0]?.isWritable).toBe(false);
    await client.admin.nameServers.addWritePerm(cluster.brokerName);
    expect((await client.admin.topicRoute(topic)).brokers[0]?.isWritable).toBe(true);
  });

  it('changes topics and groups; what the version does not have is said, not lost', async () => {
    await client.admin.updateTopic({ topic, readQueues: 3 });
    const config = (await client.admin.topicConfig(topic)).get(cluster.brokerName);
    expect(config).toMatchObject({ readQueues: 3, writeQueues: 2, perm: 6 });
    await client.admin.updateTopic({ topic, readQueues: 2 });
    await client.admin.updateGroup({ group, retryQueues: 2 });
    const groupConfig = (await client.admin.groupConfig(group)).get(cluster.brokerName);
    expect(groupConfig).toMatchObject({ retryQueues: 2, retryMaxTimes: 4 });
    expect([...(await client.admin.groupConfig('nobody'))]).toEqual([]);
    const calls = [
      () =>
        client.admin.createTopic({
          topic: 'fifo',
          readQueues: 1,
          writeQueues: 1,
          attributes: { 'message.type': 'FIFO' },
        }),
      () => client.admin.createGroup({ group: 'ordered', isOrdered: true }),
      () => client.admin.updateGroup({ group, consumeTimeoutMinutes: 3 }),
      () => client.admin.topicsOfGroup(group),
    ];
    for (const call of calls) {
      if (isVersion5) await call();
      else await expect(call()).rejects.toMatchObject({ code: 'UNSUPPORTED_BY_BROKER', address: cluster.brokerAddr });
    }
    expect((await client.admin.listTopics()).includes('fifo')).toBe(isVersion5);
    expect(await client.admin.groupExists('ordered')).toBe(isVersion5);
  });

  it('finds messages by id, keys and time', async () => {
    const { messages } = client.admin;
    const offsets = (found: { messages: readonly { queueOffset: number }[] }): number[] =>
      found.messages.map((message) => message.queueOffset);
    const all = await messages.inTimeRange({ queue, fromMs: 0, toMs: Number.MAX_SAFE_INTEGER });
    expect(offsets(all)).toEqual([0, 1, 2, 3, 4]);
    const [from, to] = [all.messages[1]!.storeTimestamp, all.messages[3]!.storeTimestamp];
    const expected = all.messages.filter(({ storeTimestamp: at }) => at >= from && at <= to);
    expect(offsets(await messages.inTimeRange({ queue, fromMs: from, toMs: to }))).toEqual(offsets({ messages: expected }));
    const later = Date.now() + 60_000;
    expect(offsets(await messages.inTimeRange({ queue, fromMs: later, toMs: later }))).toEqual([]);
    await until('the index has the message', async () => offsets(await messages.byKey({ topic, key: 'key-4' })).length > 0);
    expect(offsets(await messages.byKey({ topic, key: 'key-4' }))).toEqual([4]);
    expect(offsets(await messages.byUniqueKey({ topic, key: 'UNIQUE2' }))).toEqual([2]);
    const [host = '', port] = cluster.brokerAddr.split(':');
    const { commitLogOffset } = all.messages[3]!;
    const id = encodeOffsetMessageId({ host, port: Number(port), commitLogOffset });
    expect((await messages.byOffsetId(id, { topic }))?.queueOffset).toBe(3);
  });

  it('resets a group that nobody runs, queue by queue from here', async () => {
    await client.admin.resetOffsets({ group, topic, to: 'latest' });
    expect(await client.admin.queryOffset(group, queue)).toBe(MESSAGES);
    await client.admin.resetOffsets({ group, topic, to: 'earliest' });
    expect(await client.admin.queryOffset(group, queue)).toBe(0);
    await client.admin.resetQueueOffset({ group, queue, offset: 3 });
    // The other queue was not touched: an old broker takes the request for one queue as one for all.
    expect(await Promise.all(queues.map((one) => client.admin.queryOffset(group, one)))).toEqual([3, 0]);
    expect((await client.admin.groupProgress(group, { topic })).totalLag).toBe(MESSAGES - 3);
    await client.admin.createGroup({ group: 'copy' });
    await client.admin.cloneOffsets({ from: group, to: 'copy', topic });
    expect(await client.admin.queryOffset('copy', queue)).toBe(3);
    await client.admin.deleteGroup('copy');
    await client.admin.createGroup({ group: 'copy' });
    expect(await client.admin.queryOffset('copy', queue)).not.toBe(3);
  });

  it('creates, changes and deletes accounts, which take effect', async () => {
    const account = { accessKey: 'account-1', secretKey: 'secret-of-1' };
    const before = (await client.plainAcl.versions()).get(cluster.brokerName);
    const user = open(account);
    await expect(send(user)).rejects.toBeInstanceOf(AuthenticationError);
    await client.plainAcl.putAccount({ ...account, topicPerms: { [topic]: 'PUB' }, groupPerms: { [group]: 'SUB' } });
    const accounts = async (): Promise<unknown> => (await client.plainAcl.config()).get(cluster.brokerName)?.accounts;
    expect(await accounts()).toEqual([
      {
        accessKey: account.accessKey,
        isAdmin: false,
        topicPerms: new Map([[topic, 'PUB']]),
        groupPerms: new Map([[group, 'SUB']]),
      },
      { accessKey: ADMIN.accessKey, isAdmin: true, topicPerms: new Map(), groupPerms: new Map() },
    ]);
    await until('the account may send', async () => (await send(user).catch(() => '')) === 'stored');
    await until('the version is another', async () => (await client.plainAcl.versions()).get(cluster.brokerName) !== before);
    const pull = (): Promise<string> => user.consumer.pull({ queue, offset: 0, group, suspendMs: 1_000 }).then((result) => result.kind);
    await expect(pull()).rejects.toBeInstanceOf(AuthorizationError);
    await expect(user.admin.createGroup({ group: 'others' })).rejects.toBeInstanceOf(AuthorizationError);
    await client.plainAcl.putAccount({ ...account, topicPerms: { [topic]: 'PUB|SUB' } });
    await until('the account may pull', async () => (await pull().catch(() => '')) === 'found');
    await expect(send(open({ ...account, secretKey: 'not-the-secret' }))).rejects.toBeInstanceOf(AuthenticationError);
    await expect(send(open(undefined))).rejects.toBeInstanceOf(AuthenticationError);
    await client.plainAcl.deleteAccount(account.accessKey);
    await until('the account is gone', () =>
      send(user).then(
        () => false,
        (error: unknown) => error instanceof AuthenticationError,
      ),
    );
    await expect(client.plainAcl.deleteAccount(account.accessKey)).rejects.toBeInstanceOf(BrokerResponseError);
    expect(await accounts()).toHaveLength(1);
  });

  it('says that this broker has no ACL 2.0 and where plain ACL is', async () => {
    const error: unknown = await client.acl.listUsers().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnsupportedByBrokerError);
    expect(error).toMatchObject({ request: 'AUTH_LIST_USER', address: cluster.brokerAddr });
    expect(String(error)).toContain('client.plainAcl');
  });

  it(
    'trusts addresses, and resets a running group by time only',
    async () => {
      const unsigned = open(undefined);
      await client.plainAcl.setGlobalWhiteAddresses(['10.1.2.*', '127.0.0.1']);
      await until('the address is trusted', async () => (await send(unsigned).catch(() => '')) === 'stored');
      const printed = await runMqadmin(['getAclConfig', '-n', cluster.namesrv, '-b', cluster.brokerAddr], {
        logDir: dir,
        version,
      });
      expect(printed).toContain('10.1.2.*');
      await client.admin.createGroup({ group: 'running' });
      const member = await GroupMember.start({
        namesrv: cluster.namesrv,
        topic,
        group: 'running',
        producerGroup: 'running-producers',
        name: 'member',
      });
      try {
        const end = await client.admin.maxOffset(queue);
        await until('the member has all messages', () => new Set(member.offsets(0)).size === end, 60_000);
        await until('it has committed', async () => (await client.admin.queryOffset('running', queue)) === end);
        const one = client.admin.resetQueueOffset({ group: 'running', queue, offset: 0 });
        await expect(one).rejects.toBeInstanceOf(UnsupportedByBrokerError);
        await client.admin.resetOffsets({ group: 'running', topic, to: 'earliest' });
        await until('the member gets all messages again', () => member.offsets(0).length >= 2 * end, 90_000);
      } finally {
        await member.stop();
      }
    },
    LIMIT_MS,
  );
});
