import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

describe('the queues that a source writes to on a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  const linesOf = (prefix: string, files: number, count: number): Record<string, string[]> =>
    Object.fromEntries(
      Array.from({ length: files }, (_, file) => [`${prefix}${file}`, Array.from({ length: count }, (_, n) => `${file}-${n}`)]),
    );

  it('are those that can be read, and source and sink warn of the others', async () => {
    const topic = await plane.topic(8, 1);
    const lines = linesOf('unreadable', 8, 10);
    const source = await plane.source(new LineSource(topic, lines));
    const sink = new LineSink();
    const reading = await plane.sink(sink, topic);
    await until('all lines are read', () => sink.values.length === 80);
    for (const { log } of [source, reading]) expect(log.join('\n')).toMatch(/warn Topic .* has 7 queue\(s\)/);
    await source.loop.stop();
    await reading.loop.stop();
    expect([...sink.values].sort()).toEqual(Object.values(lines).flat().sort());
  });

  it('get as many partitions each', async () => {
    const topic = await plane.topic(4);
    const source = await plane.source(new LineSource(topic, linesOf('spread', 4, 5)));
    await until('all is sent', () => source.counters.recordsSent === 20);
    await source.loop.stop();
    const ends = await Promise.all((await plane.queuesOf(topic, 4)).map((queue) => plane.client.admin.maxOffset(queue)));
    expect(ends).toEqual([5, 5, 5, 5]);
  });
});
