import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import type { FlowClusters } from '../../../libs/connectors/rocketmq/src/flow/flow-clusters.js';
import type { InstancePartContext } from '../../../libs/connectors/rocketmq/src/instance/instance-part.js';
import { QueueLinks } from '../../../libs/connectors/rocketmq/src/offsets/queue-link.js';
import { switchLoss } from '../../../libs/connectors/rocketmq/src/offsets/switch-loss.js';
import { OffsetSync, type OffsetRound } from '../../../libs/connectors/rocketmq/src/offsets/offset-sync.js';
import { firstBroker } from '../../support/create-cluster.js';
import { until } from '../../support/sluice-cluster.js';
import { GroupMember } from '../rocketmq/group-member.js';
import { StampingCopier } from './stamping-copier.js';

jest.setTimeout(300_000);

const TARGET_NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const FILE_BYTES = 1024 * 1024;

describe('offsets of consumer groups across clusters', () => {
  const run = `${Date.now()}-${process.pid}`;
  const created: string[] = [];
  let directory: string;
  let rocketmq: RunningCluster;
  let source: RocketMqClient;
  let target: RocketMqClient;
  let clusters: FlowClusters;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-group-offsets-'));
    rocketmq = await startCluster({
      name: 'offsets-source',
      topology: { proxy: false },
      dataDir: directory,
      ports: await freePorts(),
      // Full files are deleted at the next look, whatever their age. None is full before the last spec.
      brokerConfig: {
        mappedFileSizeCommitLog: String(FILE_BYTES),
        fileReservedTime: '0',
        deleteWhen: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';'),
        cleanResourceInterval: '1000',
        deleteCommitLogFilesInterval: '10',
      },
    });
    source = RocketMqClient.open({ namesrv: rocketmq.namesrv, requestTimeoutMs: 10_000 });
    target = RocketMqClient.open({ namesrv: TARGET_NAMESRV, requestTimeoutMs: 10_000 });
    clusters = { source: { client: source, identity: 'cluster-a' }, target: { client: target, identity: 'cluster-b' } };
  });

  afterAll(async () => {
    for (const name of created) {
      await target.admin.deleteTopic(name);
      await target.admin.deleteGroup(name);
    }
    await (target as RocketMqClient | undefined)?.close();
    await (source as RocketMqClient | undefined)?.close();
    await (rocketmq as RunningCluster | undefined)?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** A topic of one queue in each cluster, and a group of the same name in both. */
  async function flowOf(name: string): Promise<Flow> {
    const topic = `it-${name}-${run}`;
    created.push(topic);
    for (const client of [source, target]) {
      await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
      await client.admin.createGroup({ group: topic });
    }
    return new Flow(topic, clusters, {
      source: { topic, brokerName: await firstBroker(source), queueId: 0 },
      target: { topic, brokerName: await firstBroker(target), queueId: 0 },
    });
  }

  async function produce(client: RocketMqClient, queue: QueueRef, count: number): Promise<void> {
    const before = await client.admin.maxOffset(queue);
    await Promise.all(Array.from({ length: count }, (_, index) => client.producer.send(queue, { body: Buffer.from(String(index)) })));
    await until('the messages can be pulled', async () => (await client.admin.maxOffset(queue)) >= before + count);
  }

  it('lets a Java group continue at the target: it misses nothing, and sees again what it has acknowledged since the last round', async () => {
    const flow = await flowOf('java');
    const { source: from, target: to } = flow.queues;
    const member = (namesrv: string): Promise<GroupMember> =>
      GroupMember.start({ namesrv, topic: flow.topic, group: flow.topic, producerGroup: `producers-${run}`, name: `java-${run}` });
    await produce(source, from, 60);
    await flow.copier.copyUpTo(20);
    await flow.copier.takeOver();
    await flow.copier.copyUpTo(60, (offset) => offset === 30);
    const atA = await member(rocketmq.namesrv);
    try {
      await until('it has acknowledged all', async () => (await source.admin.queryOffset(flow.topic, from)) === 60);
      await flow.untilRound(({ rows }) => rows[0]?.sourceOffset === 60 && rows[0].targetOffset === 60);
      // 60 messages, less the one that was left out, and a barrier.
      expect(await target.admin.queryOffset(flow.topic, to)).toBe(60);
      await produce(source, from, 25);
      await until('it has acknowledged more', async () => (await source.admin.queryOffset(flow.topic, from)) === 85);
    } finally {
      await atA.stop();
    }
    await produce(source, from, 15);
    await flow.copier.copyUpTo(100);
    const atB = await member(TARGET_NAMESRV);
    try {
      await until('it has the rest', () => atB.offsets(0).length >= 40);
      // Source offsets 60 to 99: 25 of them it had acknowledged since the last round.
      expect(atB.offsets(0).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => 60 + index));
    } finally {
      await atB.stop();
    }
  });

  it('writes nothing while the group has members at the target, and continues when it has none', async () => {
    const flow = await flowOf('active');
    const { source: from, target: to } = flow.queues;
    await produce(source, from, 30);
    await flow.copier.copyUpTo(30);
    await source.admin.updateOffset(flow.topic, from, 10);
    await flow.untilRound(({ written }) => written === 1);
    expect(await target.admin.queryOffset(flow.topic, to)).toBe(10);
    const visitor = RocketMqClient.open({ namesrv: TARGET_NAMESRV });
    const reader = visitor.consumer.readQueue(to, { from: 0, group: flow.topic });
    try {
      await reader.next();
      await until('the group has a member', async () => (await target.admin.consumerConnections(flow.topic)).length > 0);
      await source.admin.updateOffset(flow.topic, from, 20);
      const round = await flow.untilRound(({ rows }) => rows[0]?.sourceOffset === 20);
      expect(round.rows[0]).toMatchObject({ action: 'active', translation: { offset: 20 }, targetOffset: 10 });
      expect(await target.admin.queryOffset(flow.topic, to)).toBe(10);
    } finally {
      reader.close();
      await visitor.close();
    }
    await until('the group has no members', async () => (await target.admin.consumerConnections(flow.topic)).length === 0);
    await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 20);
    await source.admin.updateOffset(flow.topic, from, 5);
    const back = await flow.untilRound(({ rows }) => rows[0]?.sourceOffset === 5);
    expect(back).toMatchObject({ written: 0, rows: [{ action: 'target-ahead' }] });
    expect(await target.admin.queryOffset(flow.topic, to)).toBe(20);
  });

  it('gives a group at 0 the offset 0, and one that is ahead of the copies their end', async () => {
    const flow = await flowOf('ahead');
    const { source: from, target: to } = flow.queues;
    await produce(source, from, 80);
    await source.admin.updateOffset(flow.topic, from, 0);
    await flow.copier.copyUpTo(50);
    expect(await target.admin.queryOffset(flow.topic, to)).toBeUndefined();
    await flow.untilRound(({ written }) => written === 1);
    expect(await target.admin.queryOffset(flow.topic, to)).toBe(0);
    await source.admin.updateOffset(flow.topic, from, 80);
    const round = await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 50);
    const note = 'it is ahead of what is copied by 30 offset(s)';
    expect(round.notes).toEqual([{ group: flow.topic, queue: queueKey(from), kind: 'ahead', note }]);
    await flow.copier.copyUpTo(80);
    await flow.untilRound(({ rows, notes }) => rows[0]?.targetOffset === 80 && notes.length === 0);
  });

  it('holds before what is written at the target, until the other direction has brought it to the group', async () => {
    const flow = await flowOf('two-way');
    const { source: from, target: to } = flow.queues;
    const back = new StampingCopier({ connectorName: 'back', from: clusters.target, to: source, source: to, target: from });
    await produce(source, from, 10);
    await flow.copier.copyUpTo(10);
    await produce(target, to, 4);
    // The flow back passes over the copies. At the source the four stand behind the ten.
    await back.copyUpTo(14, (offset) => offset < 10);
    await produce(source, from, 6);
    await flow.copier.copyUpTo(20, (offset) => offset >= 10 && offset < 14);
    const more = { 'sync.offsets.reverse.connector': 'back' };
    await source.admin.updateOffset(flow.topic, from, 12);
    const held = await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 12, more);
    expect(held.rows[0]?.translation).toMatchObject({ offset: 12, heldFrom: 14 });
    await source.admin.updateOffset(flow.topic, from, 17);
    await flow.untilRound(({ rows, notes }) => rows[0]?.targetOffset === 17 && notes.length === 0, more);
    // Without the other direction nothing proves that the group has consumed them.
    const others = { ...(await flow.untilRound(() => true)).rows[0]?.translation };
    expect(others).toMatchObject({ offset: 17 });
    await target.admin.updateOffset(flow.topic, to, 3);
    expect((await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 10)).rows[0]?.translation).toMatchObject({ heldFrom: 17 });
    await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 17, { 'sync.offsets.others': 'skip' });
  });

  it('counts what a switch of sites would lose, each part by its own means', async () => {
    const flow = await flowOf('loss');
    const { source: from } = flow.queues;
    const retries = { ...from, topic: `%RETRY%${flow.topic}` };
    await source.admin.createTopic({ topic: retries.topic, readQueues: 1, writeQueues: 1 });
    await produce(source, from, 80);
    await source.admin.updateOffset(flow.topic, from, 30);
    await flow.copier.copyUpTo(50);
    await produce(source, retries, 3);
    // Two hours by level, one by timer.
    await source.producer.send(from, { body: Buffer.from('level'), properties: [['DELAY', '18']] });
    const dueAt = String(Date.now() + 3_600_000);
    await source.producer.send(retries, { body: Buffer.from('timer'), properties: [['TIMER_DELIVER_MS', dueAt]] });
    const links = new QueueLinks({ clusters, connectorName: 'flow' });
    const queues = new Map([[queueKey(from), queueKey(flow.queues.target)]]);
    const options = { clusters, links, queues, others: 'hold' as const, signal: AbortSignal.timeout(60_000) };
    const loss = await until('the delayed messages are there', async () => {
      const found = await switchLoss(flow.topic, options);
      return found.parts.some(({ kind, messages = 0 }) => kind === 'delayed' && messages >= 2) && found;
    });
    expect(Object.fromEntries(loss.parts.map(({ kind, messages }) => [kind, messages]))).toEqual({
      'not-copied': 30,
      'other-topics': 0,
      retries: 3,
      delayed: 2,
      popped: undefined,
    });
    expect(loss).toMatchObject({ group: flow.topic, messages: 35, isComplete: false });
    expect(loss.parts.find(({ kind }) => kind === 'retries')?.how).toContain(retries.topic);
  });

  it('translates a group at the first offset that the source still has', async () => {
    const flow = await flowOf('retention');
    const { source: from, target: to } = flow.queues;
    await produce(source, from, 100);
    const filler = { ...from, topic: `it-filler-${run}` };
    await source.admin.createTopic({ topic: filler.topic, readQueues: 1, writeQueues: 1 });
    const fill = async (): Promise<boolean> => {
      await source.producer.send(filler, { body: Buffer.alloc(FILE_BYTES / 4, 'x') });
      return (await source.admin.minOffset(from)) >= 100;
    };
    // A broker looks for files to delete a minute after its start at the earliest.
    await until('the first hundred are gone', fill, 240_000);
    expect(await source.admin.minOffset(from)).toBe(100);
    await produce(source, from, 20);
    await source.admin.updateOffset(flow.topic, from, 100);
    await flow.copier.copyUpTo(120);
    const round = await flow.untilRound(({ rows }) => rows[0]?.targetOffset !== undefined);
    expect(round).toMatchObject({ notes: [], rows: [{ sourceOffset: 100, targetOffset: 0 }] });
    expect(await target.admin.queryOffset(flow.topic, to)).toBe(0);
    await source.admin.updateOffset(flow.topic, from, 107);
    await flow.untilRound(({ rows }) => rows[0]?.targetOffset === 7);
  });
});

/** One queue that is copied, and its group. */
class Flow {
  readonly copier: StampingCopier;

  constructor(
    readonly topic: string,
    private readonly clusters: FlowClusters,
    readonly queues: { readonly source: QueueRef; readonly target: QueueRef },
  ) {
    const { source, target } = queues;
    this.copier = new StampingCopier({ connectorName: 'flow', from: clusters.source, to: clusters.target.client, source, target });
  }

  /** Runs the offset sync until a round is as wanted. */
  async untilRound(isWanted: (round: OffsetRound) => boolean, settings: Readonly<Record<string, string>> = {}): Promise<OffsetRound> {
    const sync = new OffsetSync(() => (group) => group === this.topic);
    const ending = new AbortController();
    try {
      await sync.start(this.#context(settings, ending.signal), this.clusters);
      return await until(
        'a round is as wanted',
        () => sync.lastRound !== undefined && isWanted(sync.lastRound) && sync.lastRound,
        60_000,
        () => JSON.stringify(sync.lastRound),
      );
    } finally {
      ending.abort();
      await sync.stop();
    }
  }

  #context(settings: Readonly<Record<string, string>>, signal: AbortSignal): InstancePartContext {
    const silent = (): void => undefined;
    return {
      connector: {
        connectorName: 'flow',
        generation: 1,
        config: { 'sync.offsets.interval.ms': '500', ...settings },
        logger: { debug: silent, info: silent, warn: silent, error: silent },
        signal,
        agreedPairs: () => Promise.resolve(new Map<string, string>()),
        requestTaskReconfiguration: silent,
        raiseError: silent,
      },
      topics: () => new Map([[this.topic, this.topic]]),
      queues: () => new Map([[queueKey(this.queues.source), queueKey(this.queues.target)]]),
      signal,
    };
  }
}
