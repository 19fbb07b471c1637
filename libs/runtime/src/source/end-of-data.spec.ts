import { describe, expect, it } from '@jest/globals';
import type { CommittedPosition, SourceRecord, SourceTaskContext } from '@sluice/sdk';
import { ListSource } from '../testing/list-source.js';
import { readEverything } from '../testing/read-valid.js';
import { listOf, oneQueueWorld, type SourceWorld, valuesOf } from '../testing/source-world.js';

/** A source that ends with its lists, and keeps the order of its calls. */
class BoundedSource extends ListSource {
  readonly calls: string[] = [];
  context: SourceTaskContext | undefined;

  override async start(context: SourceTaskContext): Promise<void> {
    this.context = context;
    await super.start(context);
    if (this.isExhausted) context.complete();
  }

  override async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const records = await super.poll(signal);
    if (this.isExhausted) this.context?.complete();
    return records;
  }

  override commit(positions: readonly CommittedPosition[]): Promise<void> {
    for (const { position } of positions) this.calls.push(`commit ${Number(position['position'])}`);
    return super.commit(positions);
  }

  override stop(): Promise<void> {
    this.calls.push('stop');
    return super.stop();
  }
}

function bounded(world: SourceWorld, lists: ListSource['lists']): BoundedSource {
  return new BoundedSource(lists, 3, async (signal) => {
    await world.clock.sleep(100, signal).catch(() => undefined);
  });
}

/** Runs a loop until it is complete. */
async function completed(world: SourceWorld, source: ListSource, options: Parameters<SourceWorld['loop']>[1] = {}) {
  const { loop, counters } = world.loop(source, options);
  let completions = 0;
  await loop.start(() => {
    completions += 1;
  });
  await world.clock.until(() => completions === 1);
  return { loop, counters, completions: () => completions };
}

describe('a source that has no more data', () => {
  it('has everything sent and committed, is stopped once, and completes without waiting for a flush interval', async () => {
    const { world, queue } = oneQueueWorld();
    const source = bounded(world, { a: listOf(7) });
    const { loop, completions } = await completed(world, source, { settings: { flushIntervalMs: 3_000_000 } });
    expect(readEverything(queue)).toEqual(valuesOf(7));
    expect(source.calls.slice(-2)).toEqual(['commit 7', 'stop']);
    const { polls } = source;
    await world.clock.advance(60_000);
    expect(source.polls).toBe(polls);
    expect(completions()).toBe(1);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(source.stops).toBe(1);
  });

  it('completes only when a broker has acknowledged its last record', async () => {
    const { world } = oneQueueWorld();
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.cluster.fate = () => ({ kind: 'hold', until: held });
    const source = bounded(world, { a: listOf(2) });
    const { loop } = world.loop(source);
    let isCompleted = false;
    await loop.start(() => (isCompleted = true));
    await world.clock.advance(30_000);
    expect(source.polls).toBe(1);
    expect({ isCompleted, stops: source.stops }).toEqual({ isCompleted: false, stops: 0 });
    release();
    await world.clock.until(() => isCompleted);
    expect(source.calls).toEqual(['commit 2', 'stop']);
    await loop.stop();
  });

  it('completes after a gap in the lease, not in it', async () => {
    const { world } = oneQueueWorld();
    const source = bounded(world, { a: listOf(2) });
    const { loop } = world.loop(source);
    let isCompleted = false;
    const write = world.positions.write.bind(world.positions);
    // The last position is stored, and the task cannot commit it any more.
    world.positions.write = async (task, change) => {
      await write(task, change);
      if (change.partitions.some(({ position }) => position?.['position'] === 2)) world.lease.lose();
    };
    await loop.start(() => (isCompleted = true));
    await world.clock.advance(30_000);
    expect({ isCompleted, calls: source.calls }).toEqual({ isCompleted: false, calls: [] });
    world.lease.regain();
    await world.clock.until(() => isCompleted);
    expect(source.calls).toEqual(['commit 2', 'stop']);
    await loop.stop();
  });

  it('resumes behind its position when it starts again, and completes again', async () => {
    const { world, queue } = oneQueueWorld();
    const first = await completed(world, bounded(world, { a: listOf(4) }));
    await first.loop.stop();
    const same = bounded(world, { a: listOf(4) });
    const second = await completed(world, same);
    expect({ polls: same.polls, startedAt: same.startedAt }).toEqual({ polls: 0, startedAt: { a: { position: 4 } } });
    second.loop.kill();
    await second.loop.ended;
    const grown = bounded(world, { a: listOf(6) });
    const third = await completed(world, grown);
    await third.loop.stop();
    expect(readEverything(queue)).toEqual(valuesOf(6));
  });

  it('has its positions kept, and nothing committed to it, after it was stopped', async () => {
    const { world } = oneQueueWorld();
    const source = bounded(world, { a: listOf(4) });
    const { loop } = await completed(world, source, { settings: { rewriteIntervalMs: 60_000 } });
    const { length: writes } = world.positions.writes;
    await world.clock.advance(70_000);
    expect(world.positions.writes.slice(writes)).toMatchObject([{ partitions: [{ position: { position: 4 } }] }]);
    expect(world.positions.refreshes).toHaveLength(1);
    await loop.stop();
    expect(source.calls.at(-1)).toBe('stop');
  });

  it('leaves no queue to be examined where its node dies before the task is stopped, however often positions were written again', async () => {
    const { world, queue } = oneQueueWorld();
    const { loop } = await completed(world, bounded(world, { a: listOf(4) }), { settings: { rewriteIntervalMs: 60_000 } });
    // Others write to the topic, and retention takes what is old.
    queue.append(
      Array.from({ length: 5000 }, () => ({ body: Buffer.from('x'), properties: '' })),
      0,
    );
    queue.minOffset = 1000;
    const { length: writes } = world.positions.writes;
    await world.clock.advance(130_000);
    expect(world.positions.writes.slice(writes).map(({ partitions, scans }) => [partitions.length, scans.length])).toEqual([
      [1, 0],
      [1, 0],
    ]);
    loop.kill();
    await loop.ended;
    const { messages } = world.cluster;
    let reads = 0;
    const counted: typeof messages = {
      ...messages,
      read: (...args) => {
        reads++;
        return messages.read(...args);
      },
    };
    const next = world.loop(bounded(world, { a: listOf(4) }), { ports: { messages: counted } });
    await next.loop.start();
    expect({ reads, incomplete: next.counters.incompleteScans }).toEqual({ reads: 0, incomplete: 0 });
    await next.loop.stop();
  });

  it('may be paused and resumed', async () => {
    const { world } = oneQueueWorld();
    const { loop, completions } = await completed(world, bounded(world, { a: listOf(4) }));
    let isStill = false;
    loop.pause(() => {
      isStill = true;
    });
    await world.clock.until(() => isStill);
    loop.resume();
    await world.clock.advance(5000);
    expect(completions()).toBe(1);
    await loop.stop();
  });

  it('waits for no input any more', async () => {
    const { world } = oneQueueWorld();
    const source = bounded(world, { a: listOf(1) });
    const poll = source.poll.bind(source);
    source.poll = (signal) => {
      source.context?.waitFor('the last line has no end');
      return poll(signal);
    };
    const { loop } = await completed(world, source);
    expect(world.waits.list).toEqual([]);
    await loop.stop();
  });
});
