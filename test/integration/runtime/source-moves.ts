import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningCluster } from '@sluice/embedded-rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

const files = ['a', 'b', 'c', 'd'];

/** What a source does of whose two brokers one goes. The second one does not run afterwards. */
export function describeSourceMoves(rocketmq: () => RunningCluster): void {
  describe('source partitions on two real brokers', () => {
    let plane: DataPlane;

    beforeAll(async () => {
      const [, second] = rocketmq().brokers;
      if ((await second?.isRunning()) === false) await second?.start();
      plane = new DataPlane(rocketmq().namesrv);
    }, 300_000);
    afterAll(() => plane.close());

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

      await rocketmq().brokers[1]?.stop();
      add(lines, 15);
      await until('two partitions have moved', () => source.log.join('\n').includes('has had no broker for'), 60_000);
      await until('the last lines are read', () => sink.values.length === 60, 60_000);
      await source.loop.stop();
      await reading.loop.stop();
      for (const file of files) expect(sink.values.filter((value) => value.startsWith(file))).toEqual(lines[file]);
    }, 240_000);
  });
}
