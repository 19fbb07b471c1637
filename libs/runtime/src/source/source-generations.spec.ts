import { describe, expect, it } from '@jest/globals';
import { queueKey, type SourcePosition, type SourceTask } from '@sluice/sdk';
import { scanBarrier } from '@sluice/protocol';
import { readEverything, readValid } from '../testing/read-valid.js';
import type { FakeBatch } from '../testing/fake-cluster.js';
import { listOf, oneQueueWorld, SourceWorld, textEncoder, valuesOf } from '../testing/source-world.js';
import type { RecordEncoder } from './record-encoder.js';

function isBarrier({ messages }: FakeBatch): boolean {
  return messages.some(({ properties }) => scanBarrier(Buffer.from(properties)) !== undefined);
}

describe('a new generation of a source task', () => {
  it('recovers positions with nulls, nested values and bigints from what the queue has', async () => {
    const { world, queue } = oneQueueWorld();
    const partition = { server: 's', shard: null, tables: ['a', 'b'] };
    const positionAt = (next: number): SourcePosition => ({ lsn: 2n ** 63n + BigInt(next), txId: null, at: { next } });
    const started: unknown[] = [];
    const source = (): SourceTask => {
      let next = 0;
      return {
        start: (context) => {
          const position = context.position(partition);
          started.push(position);
          next = (position?.['at'] as { next: number } | undefined)?.next ?? 0;
          return Promise.resolve();
        },
        poll: () => {
          const value = `t${next}`;
          if (next === 10) return Promise.resolve([]);
          next += 1;
          return Promise.resolve([{ topic: 't', value, partition, position: positionAt(next) }]);
        },
        stop: () => Promise.resolve(),
      };
    };
    const first = world.loop(source());
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 10);
    first.loop.kill();
    queue.messages.splice(5);
    for (const position of [positionAt(5), positionAt(10)]) {
      const { loop, counters } = world.loop(source());
      await loop.start();
      expect(started.at(-1)).toEqual(position);
      await world.clock.until(() => readEverything(queue).length === 10);
      await world.clock.advance(1000);
      expect(readValid(queue)).toEqual(valuesOf(10));
      expect(counters.incompleteScans).toBe(0);
      await loop.stop();
    }
  });

  it('fails with what is wrong where a position cannot be stored, also when bad records are tolerated', async () => {
    for (const lsn of [NaN, 2 ** 53, new Date(0), undefined, { deep: [() => 1] }]) {
      const { world, queue } = oneQueueWorld();
      const position = { lsn: [lsn] } as unknown as SourcePosition;
      const task: SourceTask = {
        start: () => Promise.resolve(),
        poll: () => Promise.resolve([{ topic: 't', value: 'v', partition: { id: 1n }, position }]),
        stop: () => Promise.resolve(),
      };
      const { loop } = world.loop(task, { settings: { skipsBadRecords: true } });
      await loop.start();
      const end = await loop.ended;
      expect(end).toMatchObject({ kind: 'failed', error: { code: 'CONNECT_POSITION_INVALID', retriable: false } });
      const text = String((end as { error: unknown }).error);
      expect(text).toContain('Record for topic t of partition {"id":"1n"}');
      expect(text).toContain('Its field "lsn[0]');
      expect(readEverything(queue)).toEqual([]);
    }
  });

  it('sends each record that an earlier generation did not, when the source gives others than before under the same numbers', async () => {
    const lines = ['a0', 'b1', 'b2', 'b3', 'b4'].map((value) => ({ topic: value.slice(0, 1), value }));
    const without = (left: string): RecordEncoder => ({
      encode: (record, stamp) => {
        if (record.value === left) throw new Error('not convertible yet');
        return textEncoder.encode(record, stamp);
      },
    });
    // Positions with a bigint have to come through, into the log too.
    const sourceOf = (world: SourceWorld): SourceTask => {
      const source = world.source({ f: lines });
      const poll = source.poll.bind(source);
      source.poll = async (signal) =>
        (await poll(signal)).map((record) => ({ ...record, position: { ...record.position, lsn: 2n ** 60n } }));
      return source;
    };
    for (const crashAfter of [0, 1, 2, 3]) {
      const world = new SourceWorld();
      const [a] = world.cluster.addTopic('a', 1);
      const [b] = world.cluster.addTopic('b', 1);
      world.cluster.fate = ({ topic }) => (topic === 'a' ? { kind: 'reject', retriable: true } : { kind: 'store' });
      const skipsBadRecords = true;
      const first = world.loop(sourceOf(world), { encoder: without('b1'), settings: { skipsBadRecords } });
      await first.loop.start();
      await world.clock.until(() => first.counters.recordsSent === 3);
      await world.clock.advance(2000);
      first.loop.kill();
      // The second generation converts b1, and dies when it has sent so many records to topic b.
      world.cluster.fate = ({ topic }, batch) =>
        topic === 'b' && !isBarrier(batch) && crashAfter < 3 ? { kind: 'part-unknown', count: crashAfter } : { kind: 'store' };
      const second = world.loop(sourceOf(world), { settings: { skipsBadRecords } });
      await second.loop.start();
      await world.clock.settle();
      second.loop.kill();
      world.cluster.fate = () => ({ kind: 'store' });
      const third = world.loop(sourceOf(world), { settings: { skipsBadRecords } });
      await third.loop.start();
      await world.clock.advance(5000);
      await third.loop.stop();
      expect(readValid(world.cluster.queue(a!))).toEqual(['a0']);
      expect(new Set(readValid(world.cluster.queue(b!)))).toEqual(new Set(['b1', 'b2', 'b3', 'b4']));
      expect(world.logger.lines.join('\n')).toMatch(
        /gives other records than before the restart, from the one before position .*"lsn":"1152921504606846976n"/,
      );
    }
  });

  it('reports a queue whose unexamined part retention has removed', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 5);
    first.loop.kill();
    queue.minOffset = queue.endOffset;
    const source = world.source({ a: listOf(5) });
    const second = world.loop(source);
    await second.loop.start();
    expect(second.counters.incompleteScans).toBe(1);
    expect(world.logger.lines.join('\n')).toContain(`of queue ${queueKey(queue.ref)} before they could be examined`);
    second.loop.kill();
  });

  it('stores nothing for a task that never sent anything, and starts the next generation from nothing', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: [] }));
    await first.loop.start();
    await world.clock.advance(3000);
    expect(await first.loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.positions.writes).toHaveLength(0);
    const second = world.loop(world.source({ a: listOf(2) }));
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 2);
    expect(readEverything(queue)).toEqual(valuesOf(2));
    second.loop.kill();
  });

  it('resumes in another task where the partition was, with the same queue and the next number', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 5);
    await first.loop.stop();
    world.cluster.addTopic('t', 16);
    world.retask();
    const source = world.source({ a: listOf(9) });
    const second = world.loop(source, { index: 3 });
    await second.loop.start();
    expect(source.startedAt).toEqual({ a: { position: 5 } });
    await world.clock.until(() => second.counters.recordsSent === 4);
    expect(readEverything(queue)).toEqual(valuesOf(9));
    expect(readValid(queue)).toEqual(valuesOf(9));
    await second.loop.stop();
    expect(world.positions.writes.at(-1)?.partitions).toMatchObject([
      { nextSeq: 10, owner: { index: 3, generation: 2 }, routes: [queue.ref] },
    ]);
  });

  it('commits again what the generation before stored, also when there is nothing new', async () => {
    const { world } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 5);
    await first.loop.stop();
    const source = world.source({ a: listOf(5) });
    const second = world.loop(source);
    await second.loop.start();
    await world.clock.advance(1000);
    expect(source.committed).toEqual([{ partition: { file: 'a' }, position: { position: 5 } }]);
    second.loop.kill();
  });

  it('fails, and sends nothing, when it has a record of a partition that another task owns', async () => {
    const { world, queue } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 5 && world.positions.writes.length > 0);
    const second = world.loop(world.source({ a: listOf(9) }), { index: 1 });
    await second.loop.start();
    const end = await second.loop.ended;
    expect(String((end as { error: unknown }).error)).toContain('belongs to task 0, generation 1');
    expect(readEverything(queue)).toEqual(valuesOf(5));
    first.loop.kill();
  });

  it('writes again every so often what it and others stored', async () => {
    const { world } = oneQueueWorld();
    const { loop, counters } = world.loop(world.source({ a: listOf(2) }), { settings: { rewriteIntervalMs: 60_000 } });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2);
    await world.clock.advance(5000);
    const before = world.positions.writes.length;
    await world.clock.advance(60_000);
    expect(world.positions.writes.slice(before)).toMatchObject([{ partitions: [{ nextSeq: 3 }], settled: [] }]);
    expect(world.positions.refreshes).toHaveLength(1);
    expect(world.positions.refreshes[0]).toBeLessThanOrEqual(world.clock.wallMs() - 120_000);
    loop.kill();
  });

  it('asks neither start nor stop of a task whose positions are unknown', async () => {
    const { world } = oneQueueWorld();
    const source = world.source({ a: listOf(2) });
    const lost = new Error('positions are gone');
    const positions = {
      open: () => Promise.reject(lost),
      write: () => Promise.resolve(),
      refresh: () => Promise.resolve(),
    };
    const { loop } = world.loop(source, { ports: { positions } });
    await expect(loop.start()).rejects.toBe(lost);
    expect(await loop.ended).toEqual({ kind: 'failed', error: lost, clean: false });
    expect(source.stops).toBe(0);
  });
});
