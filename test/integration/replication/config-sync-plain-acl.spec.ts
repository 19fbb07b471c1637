import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type Credentials, RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { acl2Settings } from './acl-settings.js';
import { type FlowSide, SyncFlow, type SyncFlowOptions } from './sync-flow.js';

const LIMIT_MS = 240_000;
jest.setTimeout(LIMIT_MS);

const ADMIN: Credentials = { accessKey: 'plain-admin', secretKey: 'secret-of-admin' };
const PLAIN_ACL = `accounts:
  - accessKey: ${ADMIN.accessKey}
    secretKey: ${ADMIN.secretKey}
    admin: true
`;
/** A change may take so long from one cluster to the other: rounds run every second, and the machine may be busy. */
const SEEN_WITHIN_MS = 60_000;
const ACL_ONLY = { 'sync.acl': 'true', 'sync.topics': 'false', 'sync.groups': 'false', 'sync.delete': 'true' };

interface Side extends FlowSide {
  readonly brokerName: string;
  readonly namesrv: string;
}

describe('configuration of clusters of RocketMQ 4.9 with plain ACL, and of one with ACL 2.0', () => {
  const sides = new Map<string, Side>();
  const flows: SyncFlow[] = [];
  const clients: RocketMqClient[] = [];
  let dir: string;
  let clusters: RunningCluster[] = [];

  const side = (name: 'old' | 'other-old' | 'new'): Side => sides.get(name)!;

  async function start(options: SyncFlowOptions): Promise<SyncFlow> {
    const flow = await SyncFlow.start(options);
    flows.push(flow);
    return flow;
  }

  /** What becomes of a message that somebody sends, by the name of the error. */
  function sender(to: Side, secretKey: string): () => Promise<string> {
    const client = RocketMqClient.open({ namesrv: to.namesrv, credentials: { accessKey: 'account-1', secretKey } });
    clients.push(client);
    const queue = { topic: 'things', brokerName: to.brokerName, queueId: 0 };
    return () =>
      client.producer.send(queue, { body: Buffer.from('x') }).then(
        ({ status }) => status,
        (error: unknown) => (error as Error).name,
      );
  }

  const reaches = async (what: string, send: () => Promise<string>, expected: string): Promise<void> => {
    await until(what, async () => (await send()) === expected, SEEN_WITHIN_MS);
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-plain-sync-'));
    const common = { topology: { proxy: false }, heap: { brokerMb: 256, brokerDirectMb: 256 }, startTimeoutMs: 120_000 };
    clusters = await Promise.all(
      (['old', 'other-old', 'new'] as const).map(async (name) => {
        const dataDir = join(dir, name);
        await mkdir(join(dataDir, 'conf'), { recursive: true });
        await writeFile(join(dataDir, 'conf', 'plain_acl.yml'), PLAIN_ACL);
        const kind =
          name === 'new' ? { brokerConfig: acl2Settings(ADMIN) } : ({ version: '4.9.7', brokerConfig: { aclEnable: 'true' } } as const);
        return startCluster({ ...common, ...kind, name, dataDir, ports: await freePorts() });
      }),
    );
    for (const { name, namesrv, brokerName } of clusters) {
      const client = RocketMqClient.open({ namesrv, credentials: ADMIN, requestTimeoutMs: 10_000 });
      const identity = `sluice-identity-${name}`;
      await client.admin.createTopic({ topic: identity, readQueues: 1, writeQueues: 1 });
      sides.set(name, { client, brokerName, namesrv, identity });
      await client.admin.createTopic({ topic: 'things', readQueues: 1, writeQueues: 1 });
    }
  });

  afterEach(async () => {
    await Promise.all(flows.splice(0).map((flow) => flow.stop()));
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  afterAll(async () => {
    await Promise.all([...sides.values()].map(({ client }) => client.close()));
    await Promise.all(clusters.map((cluster) => cluster.kill()));
    await rm(dir, { recursive: true, force: true });
  });

  it('brings accounts and permissions from plain ACL to plain ACL soon after each change', async () => {
    const { plainAcl } = side('old').client;
    const account = { accessKey: 'account-1', secretKey: 'secret-of-1' };
    const flow = await start({ from: side('old'), to: side('other-old'), config: ACL_ONLY });
    const send = sender(side('other-old'), account.secretKey);
    expect(await send()).toBe('AuthenticationError');
    await plainAcl.putAccount({ ...account, topicPerms: { things: 'PUB' } });
    await reaches('the account may send', send, 'stored');
    await plainAcl.putAccount({ ...account, topicPerms: { things: 'DENY' } });
    await reaches('the permission is changed', send, 'AuthorizationError');
    await plainAcl.putAccount({ ...account, topicPerms: { things: 'PUB', more: 'SUB' }, groupPerms: { readers: 'SUB' } });
    await reaches('the permission is back', send, 'stored');
    await plainAcl.putAccount({ ...account, topicPerms: { more: 'SUB' } });
    await reaches('the permission is gone', send, 'AuthorizationError');
    const changed = { accessKey: account.accessKey, secretKey: 'secret-of-2' };
    await plainAcl.putAccount({ ...changed, topicPerms: { things: 'PUB' } });
    await reaches('the secret key is changed', sender(side('other-old'), changed.secretKey), 'stored');
    await plainAcl.deleteAccount(account.accessKey);
    await reaches('the account is gone', sender(side('other-old'), changed.secretKey), 'AuthenticationError');
    expect(flow.status).toMatchObject({ failed: 0, failures: [], problems: [] });
    expect(flow.lines.join()).not.toMatch(/secret-of/);
    expect(flow.changes.some((line) => line.includes(`'${ADMIN.accessKey}'`))).toBe(false);
  });

  it('brings accounts of plain ACL to ACL 2.0, and names what that cannot say', async () => {
    const { plainAcl } = side('old').client;
    const account = { accessKey: 'account-1', secretKey: 'secret-of-1' };
    const flow = await start({ from: side('old'), to: side('new'), config: ACL_ONLY });
    const send = sender(side('new'), account.secretKey);
    await plainAcl.putAccount({
      ...account,
      whiteRemoteAddress: '10.1.2.*',
      topicPerms: { things: 'PUB|SUB' },
      groupPerms: { readers: 'SUB' },
    });
    await reaches('the account may send', send, 'stored');
    expect((await side('new').client.acl.getAcl('User:account-1'))?.rules).toEqual([
      { resource: 'Topic:things', actions: ['Pub', 'Sub'], sourceIps: [], decision: 'Allow' },
      { resource: 'Group:readers', actions: ['Sub'], sourceIps: [], decision: 'Allow' },
    ]);
    expect(flow.status.notes).toEqual([expect.stringContaining('user account-1: whiteRemoteAddress 10.1.2.*: ACL 2.0 trusts no address')]);
    await plainAcl.deleteAccount(account.accessKey);
    await reaches('the account is gone', send, 'AuthenticationError');
  });

  it('brings users of ACL 2.0 to plain ACL, and names what that cannot say', async () => {
    const { acl } = side('new').client;
    const subject = 'User:account-1';
    const flow = await start({ from: side('new'), to: side('old'), config: ACL_ONLY });
    const send = sender(side('old'), 'password-1');
    await acl.createUser({ username: 'account-1', password: 'password-1' });
    await acl.createAcl({
      subject,
      rules: [
        { resource: 'Topic:things', actions: ['Pub'], decision: 'Allow' },
        { resource: 'Topic:th*', actions: ['Sub'], decision: 'Allow' },
      ],
    });
    await reaches('the user may send', send, 'stored');
    await until('the rest is named', () => flow.status.notes.includes('account account-1: rule for Topic:th*: plain ACL cannot say it'));
    // The flow of a test before seems to lead back still: what both sides have not agreed on yet stays then.
    const { rounds } = flow.status;
    await until('both sides have agreed', () => flow.status.rounds >= rounds + 2, SEEN_WITHIN_MS);
    await acl.deleteUser('account-1');
    await reaches('the user is gone', send, 'AuthenticationError');
    expect(flow.status).toMatchObject({ failed: 0, failures: [] });
  });

  it('gives a topic and a group of RocketMQ 5 to 4.9 without what that does not have, and says so', async () => {
    const { admin } = side('new').client;
    await admin.createTopic({ topic: 'typed', readQueues: 2, writeQueues: 2, attributes: { 'message.type': 'FIFO' } });
    await admin.createGroup({ group: 'fifo', isOrdered: true, retryMaxTimes: 3 });
    const topics = (): ReadonlyMap<string, string> => new Map([['typed', 'typed']]);
    const flow = await start({ from: side('new'), to: side('old'), config: { groups: 'fifo' }, topics });
    const { client, brokerName } = side('old');
    await until('the topic is there', async () => (await client.admin.topicConfig('typed')).has(brokerName), SEEN_WITHIN_MS);
    await until('the group is there', async () => (await client.admin.groupConfig('fifo')).has(brokerName), SEEN_WITHIN_MS);
    expect((await client.admin.topicConfig('typed')).get(brokerName)).toMatchObject({ readQueues: 2, writeQueues: 2, perm: 6 });
    expect((await client.admin.groupConfig('fifo')).get(brokerName)).toMatchObject({ retryMaxTimes: 3 });
    const rounds = flow.status.rounds;
    await until('two more rounds', () => flow.status.rounds >= rounds + 2);
    expect(flow.status.notes).toEqual([
      `topic typed: attributes message.type on ${brokerName}: brokers before RocketMQ 5.0 have none`,
      `group fifo: isOrdered on ${brokerName}: brokers before RocketMQ 5.0 do not have it`,
    ]);
    expect(flow.changes).toHaveLength(2);
  });
});
