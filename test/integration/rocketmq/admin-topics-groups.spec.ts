import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { GroupNotFoundError, InvalidArgumentError, RocketMqClient, TOPIC_PERM, TopicNotFoundError } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { Mqadmin } from './mqadmin.js';

/** Each mqadmin starts a JVM. */
jest.setTimeout(180_000);

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';

describe('administration of topics and groups', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-topic-${run}`;
  const group = `it-group-${run}`;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;
  let brokerName: string;
  let cluster: string;

  beforeAll(async () => {
    mqadmin = await Mqadmin.open(NAMESRV);
    client = RocketMqClient.open({ namesrv: NAMESRV, requestTimeoutMs: 10_000 });
    const [broker] = (await client.admin.clusterInfo()).brokers;
    ({ brokerName, cluster } = broker!);
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.admin.deleteGroup(group);
    await client.close();
    await mqadmin.close();
  });

  it('changes what is given of a topic and nothing else, as mqadmin sees it', async () => {
    await client.admin.createTopic({
      topic,
      readQueues: 4,
      writeQueues: 3,
      isOrdered: true,
      attributes: { 'message.type': 'FIFO', 'cleanup.policy': 'DELETE' },
    });
    await client.admin.updateTopic({ topic, readQueues: 6, perm: TOPIC_PERM.READ });
    const route = await until('the route shows the change', async () => {
      const seen = await mqadmin.run('topicRoute', '-t', topic);
      return /"readQueueNums":\s*6/.test(seen) && /"perm":\s*4/.test(seen) && seen;
    });
    expect(route).toMatch(/"writeQueueNums":\s*3/);
    const config = (await client.admin.topicConfig(topic)).get(brokerName)!;
    expect(config).toMatchObject({ topic, readQueues: 6, writeQueues: 3, perm: 4, isOrdered: true });
    expect(Object.fromEntries(config.attributes)).toEqual({ 'message.type': 'FIFO', 'cleanup.policy': 'DELETE' });
  });

  it('sets and removes attributes; what cannot change is refused', async () => {
    const attributes = async (): Promise<Record<string, string>> =>
      Object.fromEntries((await client.admin.topicConfig(topic)).get(brokerName)!.attributes);
    await client.admin.updateTopic({ topic, attributes: { 'message.type': 'NORMAL' } });
    expect(await attributes()).toMatchObject({ 'message.type': 'NORMAL' });
    await client.admin.updateTopic({ topic, removedAttributes: ['message.type', 'never.was'] });
    expect(await attributes()).toEqual({ 'cleanup.policy': 'DELETE' });
    await expect(client.admin.updateTopic({ topic, attributes: { 'cleanup.policy': 'COMPACTION' } })).rejects.toMatchObject({
      code: 'BROKER_RESPONSE',
      request: 'UPDATE_AND_CREATE_TOPIC',
    });
    expect(await attributes()).toEqual({ 'cleanup.policy': 'DELETE' });
    await client.admin.createTopic({ topic, readQueues: 6, writeQueues: 3, isOrdered: false });
    expect((await client.admin.topicConfig(topic)).get(brokerName)).toMatchObject({ perm: 6, isOrdered: false });
  });

  it('lists topics, all and of one cluster, and the clusters of a topic', async () => {
    expect(await client.admin.listTopics()).toContain(topic);
    const ofCluster = await client.admin.listTopics({ cluster });
    expect(ofCluster).toContain(topic);
    expect(ofCluster).toEqual([...ofCluster].sort());
    expect(await client.admin.listTopics({ cluster: 'no-such-cluster' })).toEqual([]);
    expect(await client.admin.topicClusters(topic)).toEqual([cluster]);
    expect(await mqadmin.run('topicClusterList', '-t', topic)).toContain(cluster);
  });

  it('names the argument, what was given and what is allowed', async () => {
    const base = { topic, readQueues: 1, writeQueues: 1 };
    const wrong: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => client.admin.createTopic({ ...base, topic: 'a b' }), "topic 'a b': allowed are 1 to 127 of [%|a-zA-Z0-9_-]"],
      [() => client.admin.createTopic({ ...base, readQueues: 0 }), 'readQueues 0: allowed are integers from 1'],
      [() => client.admin.createTopic({ ...base, perm: 9 }), 'perm 9: allowed are 0, 2, 4, 6'],
      [() => client.admin.createTopic({ ...base, attributes: { a: 'x,+b=y' } }), "attribute a 'x,+b=y': allowed is text without"],
      [() => client.admin.updateTopic({ topic, removedAttributes: ['+a'] }), "attribute name '+a'"],
      [() => client.admin.createGroup({ group: '' }), "group '': allowed are 1 to 120"],
      [() => client.admin.createGroup({ group, retryQueues: -1 }), 'retryQueues -1: allowed are integers 0 to 2147483647'],
      [
        () => client.admin.createGroup({ group, retryPolicy: { type: 'exponential', initialMs: 10, maxMs: 5 } }),
        'retryPolicy.maxMs 5: allowed are integers from 10',
      ],
    ];
    for (const [call, message] of wrong) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(String(error)).toContain(message);
    }
  });

  it('updates no topic and no group that is nowhere', async () => {
    const missing = `it-missing-${run}`;
    await expect(client.admin.updateTopic({ topic: missing, readQueues: 2 })).rejects.toBeInstanceOf(TopicNotFoundError);
    await expect(client.admin.updateGroup({ group: missing, retryMaxTimes: 2 })).rejects.toBeInstanceOf(GroupNotFoundError);
    expect(await client.admin.listTopics()).not.toContain(missing);
    expect(await client.admin.listGroups()).not.toContain(missing);
    expect([...(await client.admin.groupConfig(missing))]).toEqual([]);
    await expect(client.admin.createTopic({ topic: missing, readQueues: 1, writeQueues: 1, brokerName: 'nobody' })).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
    });
  });

  it('creates a group with all its settings and changes what is given of it', async () => {
    const settings = {
      isConsumeEnabled: false,
      isConsumeFromMinEnabled: false,
      isBroadcastEnabled: false,
      isOrdered: true,
      retryQueues: 3,
      retryMaxTimes: 5,
      retryPolicy: { type: 'exponential', initialMs: 1_000, maxMs: 60_000, multiplier: 3 },
      brokerId: 0,
      slowBrokerId: 2,
      isMemberChangeNotified: false,
      consumeTimeoutMinutes: 7,
    } as const;
    await client.admin.createGroup({ group, ...settings });
    const created = (await client.admin.groupConfig(group)).get(brokerName);
    expect(created).toEqual({ group, ...settings, attributes: new Map() });
    await client.admin.updateGroup({ group, isConsumeEnabled: true, retryMaxTimes: 9 });
    const changed = (await client.admin.groupConfig(group)).get(brokerName);
    expect(changed).toEqual({ ...created, isConsumeEnabled: true, retryMaxTimes: 9 });
    const seen = await mqadmin.run('getConsumerConfig', '-g', group);
    expect(seen).toMatch(/consumeEnable\s*=\s*true/);
    expect(seen).toMatch(/retryMaxTimes\s*=\s*9/);
    expect(seen).toMatch(/consumeTimeoutMinute\s*=\s*7/);
    await client.admin.createGroup({ group });
    expect((await client.admin.groupConfig(group)).get(brokerName)).toMatchObject({
      retryMaxTimes: 16,
      isOrdered: false,
    });
  });

  it('finds the groups of a topic and the topics of a group', async () => {
    const queue = { topic, brokerName, queueId: 0 };
    expect(await client.admin.groupsOfTopic(topic)).toEqual([]);
    await client.admin.updateOffset(group, queue, 0);
    expect(await client.admin.groupsOfTopic(topic)).toEqual([group]);
    expect(await client.admin.topicsOfGroup(group)).toEqual([topic]);
    expect(await client.admin.topicsOfGroup(`it-missing-${run}`)).toEqual([]);
    await client.admin.deleteGroup(group, { isOffsetKept: true });
    expect(await client.admin.queryOffset(group, queue)).toBe(0);
    await client.admin.deleteGroup(group);
    expect(await client.admin.queryOffset(group, queue)).toBeUndefined();
  });

  it('ends by its deadline when nobody answers', async () => {
    const before = performance.now();
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(client.admin.updateTopic({ topic, readQueues: 2, signal: aborted })).rejects.toMatchObject({
      code: 'REQUEST_ABORTED',
    });
    await expect(client.admin.createGroup({ group, timeoutMs: 0 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await client.admin.listGroups()).not.toContain(group);
  });
});
