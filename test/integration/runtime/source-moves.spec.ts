import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

const files = ['a', 'b', 'c', 'd'];

describe('source partitions on two real brokers', () => {
  let directory: string;
  let rocketmq: RunningCluster;
  let plane: DataPlane;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-moves-'));
    rocketmq = await startCluster({
      name: 'moves',
      topology: { brokers: [{ name: 'broker-a' }, { name: 'broker-b' }], proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      dataDir: directory,
      ports: await freePorts(),
    });
    plane = new DataPlane(rocketmq.namesrv);
  }, 300_000);
  afterAll(async () => {
    await (plane as DataPlane | undefined)?.close();
    await (rocketmq as RunningCluster | undefined)?.kill();
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);

  const linesOf = (count: number): Record<string, string[]> =>
    Object.fromEntries(files.map((file) => [file, Array.from({ length: count }, (_, n) => `${file}${n}`)]));
  const add = (lines: Record<string, string[]>, count: number): void => {
    for (const [file, all] of Object.entries(linesOf(count))) lines[file]?.push(...all.slice(lines[file].length));
  };

  it('leave queues that are closed for writing, and the broker of others when it does not come back', async () => {
    const topic = await plane.topic(2);
    const lines = linesOf(5);
    const source = await plane.source(new LineSource(topic, lines));
    const sink = new LineSink();
    const reading = await plane.sink(sink, topic);
    await until('all lines are read', () => sink.values.length === 20);
    const queues = await plane.queuesOf(topic, 2);
    const sizes = (): Promise<number[]> => Promise.all(queues.map(async (queue) => (await plane.messagesOf(queue)).length));
    expect(await sizes()).toEqual([5, 5, 5, 5]);

    await plane.client.admin.createTopic({ topic, readQueues: 2, writeQueues: 1 });
    await until('two partitions have moved', () => (source.log.join('\n').match(/has taken no messages/g) ?? []).length === 2, 60_000);
    add(lines, 10);
    await until('the next lines are read', () => sink.values.length === 40);
    expect(await sizes()).toEqual(queues.map(({ queueId }) => (queueId === 0 ? 15 : 5)));

    await rocketmq.brokers[1]?.stop();
    add(lines, 15);
    await until('two partitions have moved', () => source.log.join('\n').includes('has had no broker for'), 60_000);
    await until('the last lines are read', () => sink.values.length === 60, 60_000);
    await source.loop.stop();
    await reading.loop.stop();
    for (const file of files) expect(sink.values.filter((value) => value.startsWith(file))).toEqual(lines[file]);
  }, 240_000);
});
