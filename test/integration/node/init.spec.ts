import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import {
  ClusterNode,
  createTopics,
  initCluster,
  type LogThreshold,
  ProcessLogger,
  nodeSettingsOf,
  readSettings,
  readTextFile,
  type InitPurpose,
} from '@sluice/node';
import { readerGroupOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const heap = { brokerMb: 256, brokerDirectMb: 256 };

/** Keeps what is said instead of writing it. */
class KeptLog extends ProcessLogger {
  readonly lines: string[];

  constructor(threshold: LogThreshold) {
    const lines: string[] = [];
    super(threshold, (line) => void lines.push(line));
    this.lines = lines;
  }
}

const ofA = { brokerName: 'a', created: [] };

describe('sluice init, with two brokers', () => {
  let directory: string;
  let rocketmq: RunningCluster;
  let client: RocketMqClient;
  const signal = AbortSignal.timeout(500_000);

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-init-'));
    rocketmq = await startCluster({
      name: 'init',
      topology: { proxy: false, brokers: [{ name: 'a' }, { name: 'b' }] },
      dataDir: join(directory, 'rocketmq'),
      ports: await freePorts(),
      heap,
    });
    client = RocketMqClient.open({ namesrv: rocketmq.namesrv });
  }, 200_000);
  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await (rocketmq as RunningCluster | undefined)?.kill();
    rmSync(directory, { recursive: true, force: true });
  }, 180_000);

  const init = (clusterId: string, purpose: InitPurpose, brokerName?: string): ReturnType<typeof initCluster> =>
    initCluster(client, { clusterId, purpose, ...(brokerName === undefined ? {} : { brokerName }) });
  const entriesOf = (clusterId: string): Promise<number> =>
    client.admin.maxOffset({ topic: topicsOf(clusterId).log.name, brokerName: 'a', queueId: 0 });
  const untilEntries = (clusterId: string, count: number): Promise<true> =>
    until(`the log of ${clusterId} has ${count} entries`, async () => (await entriesOf(clusterId)) === count);
  const nodeOf = (clusterId: string, logger: ProcessLogger, opening = signal): Promise<ClusterNode> => {
    const environment = {
      SLUICE_NAMESRV: rocketmq.namesrv,
      SLUICE_CLUSTER_ID: clusterId,
      SLUICE_NODE_ID: 'n1',
      SLUICE_STORE_PATH: join(directory, 'store'),
    };
    return ClusterNode.open(nodeSettingsOf('gateway', readSettings({ environment }), readTextFile), logger, opening);
  };

  it('creates a cluster once, on the named broker, with one genesis, and only when the caller says that it is new', async () => {
    await expect(init('once', 'check')).rejects.toThrow('Nothing of Connect cluster once exists');
    await expect(init('once', 'create')).rejects.toThrow('--broker is missing');
    await expect(init('once', 'add-missing', 'a')).rejects.toThrow('Nothing of Connect cluster once exists');
    const first = await init('once', 'create', 'a');
    expect(first).toEqual({
      brokerName: 'a',
      created: Object.values(topicsOf('once')).map(({ name }: { name: string }) => name),
    });
    await untilEntries('once', 1);
    for (const purpose of ['check', 'create', 'add-missing'] as const) {
      expect(await init('once', purpose)).toEqual(ofA);
      expect(await init('once', purpose, 'a')).toEqual(ofA);
    }
    await expect(init('once', 'create', 'b')).rejects.toThrow('--broker b cannot move it');
    // A broker that nobody knows is not waited for.
    await expect(init('once', 'create', 'nope')).rejects.toThrow('--broker nope cannot move it');
    expect(await entriesOf('once')).toBe(1);
  }, 180_000);

  it('says for which broker it waits, and which are there', async () => {
    const said: string[] = [];
    const warn = (text: string): void => void said.push(text);
    const options = { clusterId: 'waits', purpose: 'create', brokerName: 'nope', warn, brokerWaitMs: 1000 } as const;
    await expect(initCluster(client, options)).rejects.toThrow('Broker "nope" has registered no master');
    expect(said).toEqual([expect.stringMatching(/^Waiting for broker nope; registered are (a, b|b, a)$/)]);
  }, 60_000);

  it('makes no second one while the broker of the log is unavailable; a node that knows the log waits for it', async () => {
    const [a] = rocketmq.brokers;
    await init('away', 'create', 'a');
    await untilEntries('away', 1);
    await (await nodeOf('away', new KeptLog('info'))).close();
    await a!.stop();
    await expect(init('away', 'check')).rejects.toThrow('start the broker that holds its topics');
    await expect(init('away', 'create', 'b')).rejects.toThrow(`group ${readerGroupOf('away')} of its readers exists`);

    const logger = new KeptLog('info');
    const ended = new AbortController();
    const opening = nodeOf('away', logger, AbortSignal.any([signal, ended.signal]));
    try {
      const waits = 'broker a, which holds the log, is not registered';
      const hasSaid = (): boolean => logger.lines.some((line) => line.includes(waits));
      await Promise.race([opening, until('the node waits', hasSaid, 60_000, () => logger.lines.join('\n'))]);
      expect(hasSaid()).toBe(true);
      await a!.start();
      const node = await opening;
      expect(node.logQueue.brokerName).toBe('a');
      await node.close();
    } finally {
      ended.abort();
      await a!.start();
    }
    expect(await init('away', 'create', 'a')).toEqual(ofA);
    expect(await entriesOf('away')).toBe(1);
  }, 300_000);

  it('creates topics that are missing beside a log only on request', async () => {
    await init('lacking', 'create', 'a');
    await untilEntries('lacking', 1);
    const { reports } = topicsOf('lacking');
    await client.admin.deleteTopic(reports.name);
    await expect(init('lacking', 'create', 'a')).rejects.toThrow(`without ${reports.name}`);
    expect(await init('lacking', 'add-missing')).toEqual({ brokerName: 'a', created: [reports.name] });
    expect(await entriesOf('lacking')).toBe(1);
  }, 180_000);

  it('begins no empty log beside topics that hold messages, and finishes what was broken off', async () => {
    const { log, positions, ...others } = topicsOf('lost');
    await createTopics(client, 'lost', 'a', [positions.name, others.rpc.name]);
    await expect(init('lost', 'check')).rejects.toThrow('was not created to the end');
    expect((await init('lost', 'create', 'a')).created).toContain(log.name);
    await untilEntries('lost', 1);
    const queue = { topic: positions.name, brokerName: 'a', queueId: 3 };
    await client.producer.send(queue, { body: Buffer.from('a position') });
    await until('it is shown', async () => (await client.admin.maxOffset(queue)) === 1);
    await client.admin.deleteTopic(log.name);
    await expect(init('lost', 'create', 'a')).rejects.toThrow(`${log.name} is gone, though ${positions.name} holds messages`);
    await createTopics(client, 'lost', 'a', [log.name]);
    await expect(init('lost', 'create', 'a')).rejects.toThrow(`${log.name} is empty, though ${positions.name} holds messages`);
  }, 180_000);
});
