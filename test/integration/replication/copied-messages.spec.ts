import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningCluster } from '@sluice/embedded-rocketmq';
import { BatchEncoder, encodeProperties, type QueueRef, RocketMqClient, writableQueues } from '@sluice/rocketmq';
import type { TaskConfig } from '@sluice/sdk';
import { JavaLoop } from '../../support/java-loop.js';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane } from '../runtime/data-plane.js';
import { PairsInMemory, rocketMqSource, split } from './driven-flow.js';
import { OtherSite } from './other-site.js';

const TARGET = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const PEER = fileURLToPath(new URL('../../interop/java/FlowPeer.java', import.meta.url));
const LIMIT_MS = 400_000;

/** A message as a Java consumer sees it. */
interface Seen {
  readonly queue: string;
  /** Id, born time, flag, body, keys, tag and properties of users: what both sides must have alike. */
  readonly content: string;
  readonly isBarrier: boolean;
  readonly properties: string;
}

describe('messages that a source loop has copied, read with the Java client', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `copied-${run}`;
  const group = `copied-peer-${run}`;
  let site: OtherSite;
  let cluster: RunningCluster;
  let source: RocketMqClient;
  let target: RocketMqClient;
  let plane: DataPlane;
  let java: JavaLoop;
  let config: TaskConfig;

  beforeAll(async () => {
    site = await OtherSite.start();
    ({ cluster } = site);
    source = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 30_000 });
    target = RocketMqClient.open({ namesrv: TARGET, requestTimeoutMs: 30_000 });
    plane = new DataPlane(TARGET);
    await source.admin.createTopic({ topic, readQueues: 4, writeQueues: 4 });
    for (const client of [source, target]) await client.admin.createGroup({ group });
    java = new JavaLoop(site.directory, { sources: [PEER] });
    const urls = { 'source.cluster.url': `rocketmq://${cluster.namesrv}`, 'data.cluster.url': `rocketmq://${TARGET.replace(';', ',')}` };
    [config] = (await split({ ...urls, topics: topic }, new PairsInMemory())) as [TaskConfig];
  }, LIMIT_MS);

  afterAll(async () => {
    await (java as JavaLoop | undefined)?.close();
    await Promise.all([source.close(), target.close(), plane.close()]);
    await site.close();
  }, LIMIT_MS);

  const peer = async (...args: readonly string[]): Promise<readonly string[][]> => {
    const printed = await java.run('FlowPeer', args);
    const lines = printed.split('\n').map((line) => line.trimEnd().split(' '));
    return lines.filter(([mark]) => mark === 'peer').map(([, ...words]) => words);
  };

  const dump = async (namesrv: string): Promise<readonly Seen[]> =>
    (await peer('dump', namesrv, topic, group)).map(([broker, queue, , ...content]) => ({
      queue: `${broker}:${queue}`,
      content: content.slice(0, 6).join(' '),
      isBarrier: content[6] === 'true',
      properties: Buffer.from(content[7] ?? '', 'base64').toString(),
    }));

  /** The contents of each queue, in order. The map gives each queue one of its own, so queues are compared as a set. */
  const inQueues = (messages: readonly Seen[]): readonly string[] => {
    const queues = new Map<string, string[]>();
    for (const { queue, content } of messages) queues.set(queue, [...(queues.get(queue) ?? []), content]);
    return [...queues.values()].map((contents) => contents.join('\n')).sort();
  };

  const records = async (): Promise<readonly Seen[]> => (await dump(TARGET)).filter(({ isBarrier }) => !isBarrier);

  const storedAt = async (client: RocketMqClient): Promise<number> =>
    (await client.admin.topicStats(topic)).reduce((sum, { maxOffset }) => sum + maxOffset, 0);

  it(
    'are what Java producers sent: plain, in batches, compressed, delayed and committed ones',
    async () => {
      const [[, sent] = []] = await peer('load', cluster.namesrv, topic);
      const count = Number(sent);
      const { loop, log } = await plane.source(rocketMqSource.createTask(), { config, isRaw: true });
      await until('delayed messages are due', async () => (await storedAt(source)) === count);
      await until(
        'all are copied',
        async () => (await storedAt(target)) >= count,
        undefined,
        () => log.join('\n'),
      );
      expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
      const copied = await records();
      expect(inQueues(copied)).toEqual(inQueues(await dump(cluster.namesrv)));
      expect(copied).toHaveLength(count);
      for (const { properties } of copied) expect(properties).toContain('sluice-hops=sluice-identity-');
      expect(copied.filter(({ properties }) => /[{ ](DELAY|TIMER_[A-Z_]+|TRAN_MSG)=/.test(properties))).toEqual([]);
      expect(copied.filter(({ content }) => content.includes(Buffer.from('k1 k0|T1|one\ntwo|\u{1F680}').toString('base64')))).toHaveLength(
        1,
      );
    },
    LIMIT_MS,
  );

  it(
    'are there once and in order, though the loop was given up in the middle again and again',
    async () => {
      const queues = writableQueues(await source.routes.refresh(topic));
      const before = (await records()).length;
      const stop = new AbortController();
      let sent = 0;
      const sending = (async () => {
        while (!stop.signal.aborted) {
          for (const queue of queues) await source.producer.sendBatch(queue, batchOf(queue, sent, 10));
          sent += 10;
          await delay(10);
        }
      })();
      for (let kills = 0; kills < 3; kills += 1) {
        const { loop, log } = await plane.source(rocketMqSource.createTask(), { config, isRaw: true });
        const goal = (await storedAt(target)) + 200;
        await until(
          'the flow runs',
          async () => (await storedAt(target)) > goal,
          undefined,
          () => log.join('\n'),
        );
        loop.kill();
        await loop.ended;
      }
      stop.abort();
      await sending;
      const all = before + sent * queues.length;
      const { loop, log } = await plane.source(rocketMqSource.createTask(), { config, isRaw: true });
      await until(
        'all are copied',
        async () => (await records()).length >= all,
        undefined,
        () => log.join('\n'),
      );
      await loop.stop();
      const copied = await records();
      expect(copied).toHaveLength(all);
      expect(inQueues(copied)).toEqual(inQueues(await dump(cluster.namesrv)));
    },
    LIMIT_MS,
  );
});

function batchOf({ brokerName, queueId }: QueueRef, from: number, count: number): ReturnType<BatchEncoder['finish']> {
  const encoder = new BatchEncoder();
  for (let n = from; n < from + count; n += 1) {
    const properties: [string, string][] = [
      ['UNIQ_KEY', `${brokerName}-${queueId}-${n}`],
      ['KEYS', `k${n}`],
    ];
    encoder.add(Buffer.from(`message ${n}`), encodeProperties(properties));
  }
  return encoder.finish();
}
