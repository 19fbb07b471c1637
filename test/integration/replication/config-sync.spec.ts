import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type Credentials, RocketMqClient, TOPIC_PERM } from '@sluice/rocketmq';
import { planSync } from '../../../libs/connectors/rocketmq/src/sync/plan-sync.js';
import { readSyncSettings } from '../../../libs/connectors/rocketmq/src/sync/sync-settings.js';
import { until } from '../../support/sluice-cluster.js';
import { acl2Settings } from './acl-settings.js';
import { type FlowSide, SyncFlow, type SyncFlowOptions } from './sync-flow.js';

const LIMIT_MS = 240_000;
jest.setTimeout(LIMIT_MS);

const ADMIN: Credentials = { accessKey: 'admin', secretKey: '12345678' };
/** A change may take so long from one cluster to the other: rounds run every second, and the machine may be busy. */
const SEEN_WITHIN_MS = 60_000;

describe('configuration of two clusters of RocketMQ 5 with ACL 2.0', () => {
  let dir: string;
  let clusters: RunningCluster[] = [];
  const sides = new Map<string, FlowSide & { readonly brokerName: string }>();
  const flows: SyncFlow[] = [];
  const clients: RocketMqClient[] = [];

  const a = (): FlowSide & { readonly brokerName: string } => sides.get('a')!;
  const b = (): FlowSide & { readonly brokerName: string } => sides.get('b')!;

  async function start(options: Partial<SyncFlowOptions>): Promise<SyncFlow> {
    const flow = await SyncFlow.start({ from: a(), to: b(), ...options });
    flows.push(flow);
    return flow;
  }

  async function rounds(flow: SyncFlow, count: number): Promise<void> {
    const from = flow.status.rounds;
    await until(`${count} more rounds`, () => flow.status.rounds >= from + count, 60_000);
  }

  const topicAt = async ({ client, brokerName }: FlowSide & { brokerName: string }, topic: string) =>
    (await client.admin.topicConfig(topic)).get(brokerName);
  const groupAt = async ({ client, brokerName }: FlowSide & { brokerName: string }, group: string) =>
    (await client.admin.groupConfig(group)).get(brokerName);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-config-sync-'));
    // Both have equal names, as two clusters that nobody renamed.
    clusters = await Promise.all(
      ['a', 'b'].map(async (side) =>
        startCluster({
          name: 'same',
          ports: await freePorts(),
          dataDir: join(dir, side),
          topology: { proxy: false },
          brokerConfig: acl2Settings(ADMIN),
          heap: { brokerMb: 256, brokerDirectMb: 256 },
          startTimeoutMs: 120_000,
        }),
      ),
    );
    for (const [index, { namesrv, brokerName }] of clusters.entries()) {
      const side = index === 0 ? 'a' : 'b';
      const client = RocketMqClient.open({ namesrv, credentials: ADMIN, requestTimeoutMs: 10_000 });
      const identity = `sluice-identity-${side}`;
      await client.admin.createTopic({ topic: identity, readQueues: 1, writeQueues: 1 });
      sides.set(side, { client, brokerName, identity });
    }
  });

  afterEach(async () => {
    await Promise.all(flows.splice(0).map((flow) => flow.stop()));
    await Promise.all(clients.splice(0).map((client) => client.close()));
    const own = new Set([ADMIN.accessKey, 'inner']);
    for (const { client } of sides.values()) {
      for (const { username } of await client.acl.listUsers()) if (!own.has(username)) await client.acl.deleteUser(username);
    }
    for (const { client } of sides.values()) {
      for (const topic of await client.admin.listTopics()) if (topic.startsWith('sluice-sync-')) await client.admin.deleteTopic(topic);
    }
  });

  afterAll(async () => {
    await Promise.all([...sides.values()].map(({ client }) => client.close()));
    await Promise.all(clusters.map((cluster) => cluster.kill()));
    await rm(dir, { recursive: true, force: true });
  });

  it('creates a topic as it is at the source, and follows its queues, permissions, order and attributes', async () => {
    const topic = 'grown';
    await a().client.admin.createTopic({ topic, readQueues: 4, writeQueues: 3, isOrdered: true, attributes: { 'message.type': 'FIFO' } });
    const flow = await start({ topics: () => new Map([[topic, `copy-${topic}`]]) });
    const copied = async () => topicAt(b(), `copy-${topic}`);
    await until('the topic is there', async () => (await copied()) !== undefined, SEEN_WITHIN_MS);
    expect(await copied()).toMatchObject({ readQueues: 4, writeQueues: 3, perm: 6, isOrdered: true });
    expect(Object.fromEntries((await copied())!.attributes)).toEqual({ 'message.type': 'FIFO' });
    await a().client.admin.updateTopic({
      topic,
      readQueues: 6,
      writeQueues: 5,
      perm: TOPIC_PERM.WRITE,
      isOrdered: false,
      attributes: { 'message.type': 'NORMAL' },
    });
    await until(
      'the change is there',
      async () => {
        const { readQueues, writeQueues, perm, isOrdered, attributes } = (await copied())!;
        return readQueues === 6 && writeQueues === 5 && perm === 2 && !isOrdered && attributes.get('message.type') === 'NORMAL';
      },
      SEEN_WITHIN_MS,
    );
    await rounds(flow, 2);
    const { applied, failed, failures, problems } = flow.status;
    expect({ failed, failures, problems }).toEqual({ failed: 0, failures: [], problems: [] });
    await rounds(flow, 2);
    expect(flow.status.applied).toBe(applied);
    expect(flow.changes[0]).toContain(`create topic 'copy-${topic}' on ${b().brokerName}`);
  });

  it('never shrinks a topic, and repairs what somebody changed at the target of a flow in one direction', async () => {
    const topic = 'repaired';
    await a().client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await b().client.admin.createTopic({ topic, readQueues: 8, writeQueues: 8, perm: TOPIC_PERM.READ });
    const flow = await start({ topics: () => new Map([[topic, topic]]) });
    await until('the permission is as at the source', async () => (await topicAt(b(), topic))?.perm === 6, SEEN_WITHIN_MS);
    expect(await topicAt(b(), topic)).toMatchObject({ readQueues: 8, writeQueues: 8 });
    await b().client.admin.updateTopic({ topic, isOrdered: true });
    await until('the order is repaired', async () => (await topicAt(b(), topic))?.isOrdered === false, SEEN_WITHIN_MS);
    expect(flow.status.failed).toBe(0);
  });

  it('takes the right to write from a topic only when its messages are known to be copied', async () => {
    const topic = 'closed';
    const queue = (side: { readonly brokerName: string }) => ({ topic, brokerName: side.brokerName, queueId: 0 });
    for (const { client } of [a(), b()]) await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    const last = { body: Buffer.from('last'), properties: [['UNIQ_KEY', 'THE-LAST']] as [string, string][] };
    await a().client.producer.send(queue(a()), last);
    await until('the message can be pulled', async () => (await a().client.admin.maxOffset(queue(a()))) === 1);
    await a().client.admin.updateTopic({ topic, perm: TOPIC_PERM.READ });
    const pairs = new Map([[`${topic}@${a().brokerName}:0`, `${topic}@${b().brokerName}:0`]]);
    const flow = await start({ topics: () => new Map([[topic, topic]]), queues: () => pairs });
    await until('the sync waits', () => flow.status.left.some((line) => line.includes('until all messages are known to be copied')));
    expect((await topicAt(b(), topic))?.perm).toBe(6);
    await b().client.producer.send(queue(b()), last);
    await until('the right is gone', async () => (await topicAt(b(), topic))?.perm === 4, SEEN_WITHIN_MS);
  });

  it('says what cannot be changed and does the rest', async () => {
    const attributes = { 'cleanup.policy': 'COMPACTION' };
    await a().client.admin.createTopic({ topic: 'compacted', readQueues: 1, writeQueues: 1, attributes });
    await b().client.admin.createTopic({ topic: 'compacted', readQueues: 1, writeQueues: 1 });
    await a().client.admin.createTopic({ topic: 'plain', readQueues: 1, writeQueues: 1 });
    const names = ['compacted', 'plain'];
    const flow = await start({ topics: () => new Map(names.map((name) => [name, name])) });
    await until('the other topic is there', async () => (await topicAt(b(), 'plain')) !== undefined, SEEN_WITHIN_MS);
    await rounds(flow, 3);
    const note = `attribute cleanup.policy=COMPACTION, it is DELETE and cannot be changed on ${b().brokerName}`;
    expect(flow.status.notes).toEqual([`topic compacted: ${note}`]);
    expect(flow.lines.filter((line) => line.includes('cannot be changed'))).toHaveLength(1);
  });

  it('copies groups with retries, order and attributes, and leaves out those that are not asked for', async () => {
    const { admin } = a().client;
    const retryPolicy = { type: 'exponential', initialMs: 1_000, maxMs: 60_000, multiplier: 3 } as const;
    await admin.createGroup({ group: 'g-fifo', isOrdered: true, retryMaxTimes: 5, retryPolicy, consumeTimeoutMinutes: 7 });
    await admin.createGroup({ group: 'g-test' });
    await admin.createGroup({ group: 'sluice-c-rpc-node' });
    const flow = await start({ config: { groups: 'g-*', 'groups.exclude': '*-test' } });
    await until('the group is there', async () => (await groupAt(b(), 'g-fifo')) !== undefined, SEEN_WITHIN_MS);
    expect(await groupAt(b(), 'g-fifo')).toEqual(await groupAt(a(), 'g-fifo'));
    await admin.updateGroup({ group: 'g-fifo', isConsumeEnabled: false, retryMaxTimes: 9, retryPolicy: { type: 'customized' } });
    await until('the change is there', async () => (await groupAt(b(), 'g-fifo'))?.retryMaxTimes === 9, SEEN_WITHIN_MS);
    expect(await groupAt(b(), 'g-fifo')).toEqual(await groupAt(a(), 'g-fifo'));
    await rounds(flow, 2);
    expect(flow.changes).toHaveLength(2);
    const taken = (await b().client.admin.listGroups()).filter((group) => group.startsWith('g-') || group.startsWith('sluice-'));
    expect(taken).toEqual(['g-fifo']);
  });

  it('deletes nothing unless it may, and then only what it has made, also after a restart', async () => {
    const { admin } = a().client;
    for (const group of ['d-made', 'd-foreign', 'd-kept']) await admin.createGroup({ group });
    await b().client.admin.createGroup({ group: 'd-foreign' });
    await admin.createTopic({ topic: 'd-topic', readQueues: 1, writeQueues: 1 });
    let topics = new Map([['d-topic', 'd-topic']]);
    const options = { config: { groups: 'd-*' }, topics: () => topics };
    const first = await start(options);
    await until('all is there', async () => (await groupAt(b(), 'd-made')) !== undefined && (await topicAt(b(), 'd-topic')) !== undefined);
    await rounds(first, 2);
    await admin.deleteGroup('d-made');
    await admin.deleteGroup('d-foreign');
    await admin.deleteTopic('d-topic');
    topics = new Map();
    await until('the sync has seen it', () => first.status.left.includes('group d-made: it is gone at the source; sync.delete is false'));
    await rounds(first, 2);
    expect(await groupAt(b(), 'd-made')).toBeDefined();
    await first.stop();
    const second = await start({ ...options, generation: 2, config: { ...options.config, 'sync.delete': 'true' } });
    await until('what it made is gone', async () => (await groupAt(b(), 'd-made')) === undefined, SEEN_WITHIN_MS);
    await until('the topic too', async () => (await topicAt(b(), 'd-topic')) === undefined, SEEN_WITHIN_MS);
    await rounds(second, 2);
    expect(await groupAt(b(), 'd-foreign')).toBeDefined();
    expect(await groupAt(b(), 'd-kept')).toBeDefined();
    expect(second.changes.map((line) => line.split(' on ')[0]).sort()).toEqual([
      "Configuration sync: delete group 'd-made'",
      "Configuration sync: delete topic 'd-topic'",
    ]);
  });

  it('settles differing settings in two directions, and carries later changes from either side', async () => {
    const group = 'two-way';
    await a().client.admin.createGroup({ group, retryMaxTimes: 3 });
    await b().client.admin.createGroup({ group, retryMaxTimes: 7 });
    const config = { groups: group };
    const there = await start({ name: 'there', config });
    const back = await start({ name: 'back', from: b(), to: a(), config });
    const retries = async (): Promise<unknown> => [(await groupAt(a(), group))?.retryMaxTimes, (await groupAt(b(), group))?.retryMaxTimes];
    await until('both are alike', async () => new Set((await retries()) as number[]).size === 1);
    await rounds(there, 3);
    await rounds(back, 3);
    const changed = (): number => there.status.applied + back.status.applied;
    const settled = changed();
    // The cluster with the smaller identity decides.
    expect({ settled, retries: await retries() }).toEqual({ settled: 1, retries: [3, 3] });
    await b().client.admin.updateGroup({ group, retryMaxTimes: 11 });
    await until('a has what b got', async () => (await groupAt(a(), group))?.retryMaxTimes === 11, SEEN_WITHIN_MS);
    await rounds(there, 3);
    await a().client.admin.updateGroup({ group, retryMaxTimes: 13 });
    await until('b has what a got', async () => (await groupAt(b(), group))?.retryMaxTimes === 13, SEEN_WITHIN_MS);
    await rounds(there, 3);
    await rounds(back, 3);
    expect(await retries()).toEqual([13, 13]);
    expect(changed()).toBe(settled + 2);
  });

  it('brings users and rules, with their passwords, soon after each change', async () => {
    const { acl } = a().client;
    const config = { 'sync.acl': 'true', 'sync.topics': 'false', 'sync.groups': 'false', 'sync.delete': 'true' };
    const subject = 'User:writer';
    const rule = { resource: 'Topic:acl-topic', actions: ['Pub'], decision: 'Allow' } as const;
    await b().client.admin.createTopic({ topic: 'acl-topic', readQueues: 1, writeQueues: 1 });
    const flow = await start({ config });
    const writer = (secretKey: string): RocketMqClient => {
      const client = RocketMqClient.open({ namesrv: clusters[1]!.namesrv, credentials: { accessKey: 'writer', secretKey } });
      clients.push(client);
      return client;
    };
    const send = async (client: RocketMqClient): Promise<string> => {
      const queue = { topic: 'acl-topic', brokerName: b().brokerName, queueId: 0 };
      return client.producer.send(queue, { body: Buffer.from('x') }).then(
        ({ status }) => status,
        (error: unknown) => (error as Error).name,
      );
    };
    const reaches = async (what: string, client: RocketMqClient, expected: string): Promise<void> => {
      await until(what, async () => (await send(client)) === expected, SEEN_WITHIN_MS);
    };
    const first = writer('password-1');
    expect(await send(first)).toBe('AuthenticationError');
    await acl.createUser({ username: 'writer', password: 'password-1' });
    await reaches('the user is known', first, 'AuthorizationError');
    await acl.createAcl({ subject, rules: [rule] });
    await reaches('the rule is there', first, 'stored');
    await acl.updateAcl({ subject, rules: [{ ...rule, decision: 'Deny' }] });
    await reaches('the rule is changed', first, 'AuthorizationError');
    await acl.updateAcl({ subject, rules: [rule] });
    await acl.updateUser({ username: 'writer', password: 'password-2' });
    const second = writer('password-2');
    await reaches('the password is changed', second, 'stored');
    expect(await send(first)).toBe('AuthenticationError');
    await acl.updateUser({ username: 'writer', isEnabled: false });
    await reaches('the user is disabled', second, 'AuthenticationError');
    await acl.updateUser({ username: 'writer', isEnabled: true });
    await reaches('the user is enabled', second, 'stored');
    await acl.deleteAcl({ subject, resource: rule.resource });
    await reaches('the rule is gone', second, 'AuthorizationError');
    await acl.deleteUser('writer');
    await reaches('the user is gone', second, 'AuthenticationError');
    expect(flow.status).toMatchObject({ failed: 0, failures: [], problems: [] });
    expect(flow.lines.join()).not.toMatch(/password-[12]/);
    // Super users of the source are the target's business, and none of those here was touched.
    expect((await b().client.acl.listUsers()).map(({ username }) => username).sort()).toEqual(['admin', 'inner']);
    expect(flow.changes.some((line) => line.includes("'admin'") || line.includes("'inner'"))).toBe(false);
  });

  it('keeps users and rules that are gone at the source where it may not delete, and those of others always', async () => {
    const config = { 'sync.acl': 'true', 'sync.topics': 'false', 'sync.groups': 'false', 'acl.users': 'kept-*' };
    const rule = { resource: 'Topic:t', actions: ['Pub'], decision: 'Allow' } as const;
    for (const username of ['kept-user', 'other-user']) {
      await a().client.acl.createUser({ username, password: 'password-1' });
      await a().client.acl.createAcl({ subject: `User:${username}`, rules: [rule] });
    }
    await b().client.acl.createUser({ username: 'kept-foreign', password: 'password-1' });
    const flow = await start({ config });
    const rules = async (): Promise<unknown> => (await b().client.acl.getAcl('User:kept-user'))?.rules.length;
    await until('the rule is there', async () => (await rules()) === 1, SEEN_WITHIN_MS);
    await b().client.acl.createAcl({ subject: 'User:kept-user', rules: [{ ...rule, resource: 'Topic:foreign' }] });
    await a().client.acl.deleteAcl({ subject: 'User:kept-user', resource: 'Topic:t' });
    await until('the sync has seen it', () => flow.status.left.some((line) => line.includes('Topic:t')), 20_000);
    expect(await rules()).toBe(2);
    await flow.stop();
    const deleting = await start({ config: { ...config, 'sync.delete': 'true' }, generation: 2 });
    await until('its own rule is gone', async () => (await rules()) === 1, SEEN_WITHIN_MS);
    await rounds(deleting, 2);
    expect((await b().client.acl.getAcl('User:kept-user'))?.rules).toMatchObject([{ resource: 'Topic:foreign' }]);
    const names = (await b().client.acl.listUsers()).map(({ username }) => username);
    expect(names).toEqual(['admin', 'inner', 'kept-foreign', 'kept-user']);
  });

  it('names the permission that is missing, and does the rest', async () => {
    await a().client.admin.createGroup({ group: 'rest' });
    await b().client.acl.createUser({ username: 'limited', password: 'password-1' });
    const rules = [
      { resource: 'Group:*', actions: ['All'], decision: 'Allow' },
      { resource: 'Cluster:*', actions: ['All'], decision: 'Allow' },
    ] as const;
    await b().client.acl.createAcl({ subject: 'User:limited', rules });
    const client = RocketMqClient.open({ namesrv: clusters[1]!.namesrv, credentials: { accessKey: 'limited', secretKey: 'password-1' } });
    clients.push(client);
    await a().client.admin.createTopic({ topic: 'refused', readQueues: 1, writeQueues: 1 });
    const flow = await start({ to: { ...b(), client }, config: { groups: 'rest' }, topics: () => new Map([['refused', 'refused']]) });
    await until(
      'the group is there',
      async () => (await groupAt(b(), 'rest')) !== undefined,
      20_000,
      () => flow.lines.join('; '),
    );
    await rounds(flow, 2);
    const { failures, problems } = flow.status;
    expect([...failures, ...problems].join()).toMatch(/does not let this user .*super user \(ACL 2\.0\)/);
    expect(await topicAt(b(), 'refused')).toBeUndefined();
    const texts = flow.lines.filter((line) => line.includes("create topic 'refused'") || line.includes('topics of'));
    expect(texts).toHaveLength(1);
  });

  it('plans what it would do, and does nothing in a dry run', async () => {
    await a().client.admin.createGroup({ group: 'planned' });
    const config = { groups: 'planned', 'sync.topics': 'false', 'sync.dry.run': 'true' };
    const settings = readSyncSettings('The flow', config);
    const topics = new Map<string, string>();
    const plan = await planSync({ source: a(), target: b() }, settings, {
      connectorName: 'flow',
      topics,
      signal: AbortSignal.timeout(30_000),
    });
    expect(plan.actions.map(({ line }) => line)).toEqual([expect.stringContaining(`create group 'planned' on ${b().brokerName}`)]);
    expect({ left: plan.left, notes: plan.notes, problems: plan.problems }).toEqual({ left: [], notes: [], problems: [] });
    const flow = await start({ config });
    await rounds(flow, 3);
    expect(flow.status).toMatchObject({ applied: 0, failed: 0, planned: [expect.stringContaining("create group 'planned'")] });
    expect(flow.lines.filter((line) => line.includes('would create group'))).toHaveLength(1);
    expect(await groupAt(b(), 'planned')).toBeUndefined();
    expect((await b().client.admin.listTopics()).filter((topic) => topic.startsWith('sluice-sync-'))).toEqual([]);
  });
});
