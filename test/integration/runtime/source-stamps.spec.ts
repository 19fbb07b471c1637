import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forEachProperty } from '@sluice/protocol';
import { BatchEncoder } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink, LineSource } from './data-plane.js';

describe('the stamps of source records on a real RocketMQ', () => {
  let plane: DataPlane;
  beforeAll(() => {
    plane = new DataPlane(process.env['SLUICE_TEST_NAMESRV'] ?? '');
  });
  afterAll(() => plane.close());

  it('let a sink take every message that an application sent again elsewhere with all its properties', async () => {
    const original = await plane.topic(2);
    const copies = await plane.topic(1);
    const lines = Object.fromEntries(['a', 'b', 'c', 'd'].map((file) => [file, [1, 2, 3].map((n) => `${file}${n}`)]));
    const source = await plane.source(new LineSource(original, lines));
    await until('all is sent', () => source.counters.recordsSent === 12);
    await source.loop.stop();

    const [target] = await plane.queuesOf(copies, 1);
    const sent: string[] = [];
    for (let time = 0; time < 2; time++) {
      for (const queue of await plane.queuesOf(original, 2)) {
        for (const { body, rawProperties } of await plane.messagesOf(queue)) {
          const properties = new Map<string, string>();
          forEachProperty(rawProperties, (name, value) => properties.set(name, value));
          await plane.client.producer.send(target!, { body, properties });
          sent.push(body.toString());
        }
      }
    }
    const sink = new LineSink();
    const reading = await plane.sink(sink, copies);
    await until('all copies are read', () => reading.counters.recordsRead === sent.length);
    await reading.loop.stop();
    expect(sink.values).toEqual(sent.filter((value) => value !== '\0'));
    expect(sink.values).toHaveLength(24);
  });

  it('need no barrier after a clean stop, and get one after any other end', async () => {
    const topic = await plane.topic(1);
    const [queue] = await plane.queuesOf(topic, 1);
    const lines = { barriers: ['a1'] };
    for (const line of ['a2', 'a3']) {
      const { loop, counters } = await plane.source(new LineSource(topic, lines));
      await until('it is sent', () => counters.recordsSent === 1);
      expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
      lines.barriers.push(line);
    }
    expect(await plane.barriersIn(queue!)).toBe(0);
    const killed = await plane.source(new LineSource(topic, lines));
    await until('it is sent', () => killed.counters.recordsSent === 1);
    killed.loop.kill();
    await killed.loop.ended;
    lines.barriers.push('a4');
    const last = await plane.source(new LineSource(topic, lines));
    await until('it is sent', () => last.counters.recordsSent === 1);
    await last.loop.stop();
    expect(await plane.barriersIn(queue!)).toBe(1);
    const bodies = (await plane.messagesOf(queue!)).map(({ body }) => body.toString());
    expect(bodies.filter((body) => body !== '\0')).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('leave little to examine in a queue where others wrote much since the last record', async () => {
    const topic = await plane.topic(1);
    const [queue] = await plane.queuesOf(topic, 1);
    const lines = { idle: ['a1'] };
    const idle = await plane.source(new LineSource(topic, lines));
    await until('it is sent', () => idle.counters.recordsSent === 1);
    await until('its route, then its position are stored', () => idle.counters.positionWrites === 2);
    const encoder = new BatchEncoder();
    while (encoder.count < 2000) encoder.add(Buffer.from('foreign'), Buffer.alloc(0));
    await plane.client.producer.sendBatch(queue!, encoder.finish());
    const written = idle.counters.positionWrites;
    await until('the queue’s end is stored', () => idle.counters.positionWrites > written, 60_000);
    idle.loop.kill();
    await idle.loop.ended;
    lines.idle.push('a2');
    const reads: number[] = [];
    const next = await plane.source(new LineSource(topic, lines), { onRead: (offset) => reads.push(offset) });
    await until('it is sent', () => next.counters.recordsSent === 1);
    await next.loop.stop();
    expect(reads.filter((offset) => offset < 2001)).toEqual([]);
    expect(await plane.barriersIn(queue!)).toBe(1);
    expect(next.counters.incompleteScans).toBe(0);
  });
});
