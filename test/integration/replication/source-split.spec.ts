import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningCluster } from '@sluice/embedded-rocketmq';
import { RocketMqClient, TOPIC_PERM } from '@sluice/rocketmq';
import { type ConnectorInstance, queueKey, type TaskConfig } from '@sluice/sdk';
import { instanceTestContext, RecordedLogger } from '@sluice/testing';
import { until } from '../../support/sluice-cluster.js';
import { linksIn, PairsInMemory, rocketMqSource, split } from './driven-flow.js';
import { OtherSite } from './other-site.js';

const TARGET = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const LIMIT_MS = 300_000;

describe('the split of the source connector on two clusters', () => {
  const run = `${Date.now()}-${process.pid}`;
  let site: OtherSite;
  let cluster: RunningCluster;
  let source: RocketMqClient;
  let target: RocketMqClient;
  let topics = 0;

  beforeAll(async () => {
    site = await OtherSite.start();
    ({ cluster } = site);
    source = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 15_000 });
    target = RocketMqClient.open({ namesrv: TARGET, requestTimeoutMs: 15_000 });
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all([source.close(), target.close()]);
    await site.close();
  }, LIMIT_MS);

  const configOf = (more: TaskConfig = {}): TaskConfig => ({
    'source.cluster.url': `rocketmq://${cluster.namesrv}`,
    'data.cluster.url': `rocketmq://${TARGET.replace(';', ',')}`,
    ...more,
  });

  async function newTopic(queues: number, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
    topics += 1;
    const topic = `split-${topics}-${run}`;
    await source.admin.createTopic({ topic, readQueues: queues, writeQueues: queues, attributes });
    return topic;
  }

  const pairsOf = (tasks: readonly TaskConfig[]): string[] =>
    tasks.flatMap(linksIn).map((link) => `${queueKey(link.source)} ${queueKey(link.target)} ${link.start}`);

  it('creates the topic at the target as it is at the source, and deals its queues out evenly, each time alike', async () => {
    const topic = await newTopic(6, { 'message.type': 'FIFO' });
    const pairs = new PairsInMemory();
    const config = configOf({ topics: topic, 'topic.rename': 'to-${topic}' });
    const tasks = await split(config, pairs, 4);
    expect(tasks.map((task) => linksIn(task).length).sort()).toEqual([1, 1, 2, 2]);
    expect(new Set(pairsOf(tasks)).size).toBe(6);
    const [made] = [...(await target.admin.topicConfig(`to-${topic}`)).values()];
    expect(made).toMatchObject({ readQueues: 6, writeQueues: 6, perm: TOPIC_PERM.READ_WRITE });
    expect(made?.attributes.get('message.type')).toBe('FIFO');
    expect(await split(config, pairs, 4)).toEqual(tasks);
  });

  it('gives queues that were added later the places behind the others, and begins them at their first message', async () => {
    const topic = await newTopic(2);
    const [broker] = (await source.routes.get(topic)).brokers;
    const queue = (queueId: number) => ({ topic, brokerName: broker?.brokerName ?? '', queueId });
    for (let n = 0; n < 3; n += 1) await source.producer.send(queue(0), { body: Buffer.from('x') });
    await until('the messages can be read', async () => (await source.admin.maxOffset(queue(0))) === 3);
    const pairs = new PairsInMemory();
    const config = configOf({ topics: topic, 'start.from': 'latest' });
    const first = pairsOf(await split(config, pairs));
    expect(first.map((text) => text.split(' ')[2])).toEqual(['3', '0']);
    await source.admin.updateTopic({ topic, readQueues: 3, writeQueues: 3 });
    await source.producer.send(queue(2), { body: Buffer.from('x') });
    await until('the message can be read', async () => (await source.admin.maxOffset(queue(2))) === 1);
    await source.producer.send(queue(0), { body: Buffer.from('x') });
    const next = pairsOf(await split(config, pairs));
    expect(next.slice(0, 2)).toEqual(first);
    expect(next[2]).toMatch(/:2 .*:2 0$/);
    expect([...(await target.admin.topicConfig(topic)).values()][0]?.writeQueues).toBe(3);
  });

  it('takes the queues that another split was faster with', async () => {
    const topic = await newTopic(2);
    const pairs = new PairsInMemory();
    const config = configOf({ topics: topic });
    const other = new PairsInMemory();
    await split(config, other);
    const keys = [...other.pairs.keys()].filter((key) => key.startsWith(topic)).sort();
    const [left, right] = keys as [string, string];
    pairs.beforeExtend = () => {
      pairs.pairs.set(left, other.pairs.get(right) ?? '');
      pairs.beforeExtend = () => undefined;
    };
    const links = pairsOf(await split(config, pairs));
    expect(links.map((text) => text.split(' ').slice(0, 2))).toEqual([
      [left, other.pairs.get(right)],
      [right, other.pairs.get(left)],
    ]);
  });

  it('begins at a time or at given offsets, and refuses offsets that a queue does not have', async () => {
    const topic = await newTopic(1);
    const [broker] = (await source.routes.get(topic)).brokers;
    const queue = { topic, brokerName: broker?.brokerName ?? '', queueId: 0 };
    await source.producer.send(queue, { body: Buffer.from('before') });
    await until('the message can be read', async () => (await source.admin.maxOffset(queue)) === 1);
    await until('the clock has moved on', () => new Promise<boolean>((resolve) => setTimeout(resolve, 20, true)));
    const between = Date.now();
    await source.producer.send(queue, { body: Buffer.from('after') });
    await until('both can be read', async () => (await source.admin.maxOffset(queue)) === 2);
    const startOf = async (more: TaskConfig): Promise<string | undefined> =>
      pairsOf(await split(configOf({ topics: topic, ...more }), new PairsInMemory()))[0]?.split(' ')[2];
    expect(await startOf({ 'start.from': 'timestamp', 'start.timestamp': String(between) })).toBe('1');
    expect(await startOf({ 'start.from': 'offsets', 'start.offsets': `${queueKey(queue)}=2` })).toBe('2');
    expect(await startOf({})).toBe('0');
    const beyond = startOf({ 'start.from': 'offsets', 'start.offsets': `${queueKey(queue)}=3` });
    await expect(beyond).rejects.toThrow(/start\.offsets: Queue .* has offsets from 0 to 2/);
  });

  it('refuses one cluster as both sides, whatever its address is called', async () => {
    const [, port] = cluster.namesrv.split(':');
    const both = { 'source.cluster.url': `rocketmq://localhost:${port}`, 'data.cluster.url': `rocketmq://${cluster.namesrv}` };
    await expect(split({ ...both, topics: await newTopic(1) }, new PairsInMemory())).rejects.toThrow(
      /source\.cluster\.url: It names the same cluster as data\.cluster\.url/,
    );
  });

  it('refuses a topic of the target that has too few queues and may not grow, and leaves it as it is', async () => {
    const topic = await newTopic(4);
    await target.admin.createTopic({ topic, readQueues: 3, writeQueues: 3 });
    const pairs = new PairsInMemory();
    const refused = split(configOf({ topics: topic, 'topic.creation.enable': 'False' }), pairs);
    await expect(refused).rejects.toThrow(/Topic split-.* of the target has too few queues for the 4 queue\(s\).*expected are 4 on broker/);
    expect([...(await target.admin.topicConfig(topic)).values()][0]?.writeQueues).toBe(3);
    expect(pairs.pairs.size).toBe(0);
  });

  it('refuses a connector whose pairs are of another source, and changes nothing', async () => {
    const topic = await newTopic(1);
    const pairs = new PairsInMemory();
    await split(configOf({ topics: topic }), pairs);
    expect(pairs.pairs.get('clusters')).toMatch(/^clusters=sluice-identity-\w+>sluice-identity-\w+$/);
    pairs.pairs.set('clusters', String(pairs.pairs.get('clusters')).replace(/=.*>/, '=sluice-identity-gone>'));
    const before = new Map(pairs.pairs);
    await expect(split(configOf({ topics: topic }), pairs)).rejects.toThrow(
      /source\.cluster\.url leads to cluster .*expected is sluice-identity-gone/,
    );
    expect(pairs.pairs).toEqual(before);
  });

  it('has one task that waits where there is no topic yet', async () => {
    const tasks = await split(configOf({ topics: `split-none-${run}` }), new PairsInMemory(), 3);
    expect(tasks.map(linksIn)).toEqual([[]]);
  });

  it('has an instance that asks for new tasks when a topic or a queue appears, once for each', async () => {
    const topic = await newTopic(1);
    const pattern = `split-(${topics}|late)-${run}`;
    const pairs = new PairsInMemory();
    const config = configOf({ 'topics.regex': pattern, 'topics.refresh.interval.ms': '500' });
    await split(config, pairs);
    const instance = rocketMqSource.createInstance?.() as ConnectorInstance;
    const abort = new AbortController();
    let requests = 0;
    const logger = new RecordedLogger();
    await instance.start({
      ...instanceTestContext({ config, logger, signal: abort.signal }),
      agreedPairs: () => pairs.read(),
      requestTaskReconfiguration: () => {
        requests += 1;
      },
    });
    try {
      expect(requests).toBe(0);
      await source.admin.updateTopic({ topic, readQueues: 2, writeQueues: 2 });
      await until('it asks because of the queue', () => requests === 1, 10_000);
      expect(logger.lines.join('\n')).toContain(`${topic}@`);
      await split(config, pairs);
      await source.admin.createTopic({ topic: `split-late-${run}`, readQueues: 1, writeQueues: 1 });
      await until('it asks because of the topic', () => requests === 2, 10_000);
    } finally {
      abort.abort();
      await instance.stop();
    }
    expect(requests).toBe(2);
  });
});
