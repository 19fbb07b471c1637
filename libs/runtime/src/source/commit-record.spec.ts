import { describe, expect, it } from '@jest/globals';
import { RetriableError, type CommittedPosition, type RecordMetadata, type SourceRecord } from '@sluice/sdk';
import { ListSource } from '../testing/list-source.js';
import { listOf, oneQueueWorld, SourceWorld, valuesOf } from '../testing/source-world.js';
import { TransformChain } from '../transforms/transform-chain.js';

/** A source that keeps what the runtime says of its records, among the other calls. */
class TrackingSource extends ListSource {
  readonly calls: string[] = [];
  readonly metadata = new Map<string, RecordMetadata | undefined>();
  onRecord: (record: SourceRecord) => Promise<void> | void = () => undefined;

  commitRecord(record: SourceRecord, metadata: RecordMetadata | undefined): Promise<void> | void {
    const value = record.value as string;
    this.calls.push(value);
    this.metadata.set(value, metadata);
    return this.onRecord(record);
  }

  override commit(positions: readonly CommittedPosition[]): Promise<void> {
    for (const { position } of positions) this.calls.push(`commit ${Number(position['position'])}`);
    return super.commit(positions);
  }
}

const at = (offset: number | undefined, topic = 't'): RecordMetadata => ({
  queue: { topic, brokerName: 'broker-a', queueId: 0 },
  offset,
  messageId: undefined,
});

function trackingSource(world: SourceWorld, lists: ListSource['lists']): TrackingSource {
  return new TrackingSource(lists, 3, async (signal) => {
    await world.clock.sleep(100, signal).catch(() => undefined);
  });
}

describe('a source that wants to know what became of each record', () => {
  it('learns the queue, offset and message id of each in order, before its position is committed', async () => {
    const { world, queue } = oneQueueWorld();
    queue.append([{ body: Buffer.from('foreign'), properties: Buffer.alloc(0) }], 0);
    const { send } = world.cluster.producer;
    world.cluster.producer.send = async (ref, batch, signal) => {
      const { firstOffset } = await send(ref, batch, signal);
      return { firstOffset, messageIds: Array.from({ length: batch.count }, (_, index) => `id${firstOffset + index}`).join(',') };
    };
    const source = trackingSource(world, { a: listOf(7) });
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 7);
    await loop.stop();
    expect(source.calls.filter((call) => !call.startsWith('commit'))).toEqual(valuesOf(7));
    for (const call of source.calls.filter((each) => each.startsWith('commit'))) {
      const covered = Number(call.split(' ')[1]);
      expect(source.calls.slice(0, source.calls.indexOf(call))).toEqual(expect.arrayContaining(valuesOf(covered)));
    }
    for (const [index, value] of valuesOf(7).entries()) {
      expect(source.metadata.get(value)).toEqual({ ...at(index + 1), messageId: `id${index + 1}` });
    }
  });

  it('gets once, without a place, what transforms drop and what is skipped', async () => {
    const { world } = oneQueueWorld();
    const drop = { apply: <T extends { value: unknown }>(record: T) => (record.value === 't1' ? undefined : record) };
    const refuse = {
      apply: <T extends { value: unknown }>(record: T) => {
        if (record.value === 't2') throw new Error('refused');
        return record;
      },
    };
    const transforms = new TransformChain([
      { alias: 'drop', transform: drop },
      { alias: 'refuse', transform: refuse },
    ]);
    const source = trackingSource(world, { a: listOf(4) });
    const { loop } = world.loop(source, { transforms, settings: { skipsBadRecords: true } });
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 4);
    await loop.stop();
    expect(Object.fromEntries(source.metadata)).toEqual({ t0: at(0), t1: undefined, t2: undefined, t3: at(1) });
    expect(source.calls.filter((call) => !call.startsWith('commit'))).toHaveLength(4);
  });

  it('gets records in the order of each queue, whatever another one does', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('slow', 1);
    world.cluster.addTopic('fast', 1);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    world.cluster.fate = ({ topic }) => (topic === 'slow' ? { kind: 'hold', until: held } : { kind: 'store' });
    const list = ['slow', 'fast', 'slow', 'fast'].map((topic, index) => ({ topic, value: `${topic}${index}` }));
    const source = trackingSource(world, { a: list });
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.calls.length === 2);
    await world.clock.advance(5000);
    expect(source.calls).toEqual(['fast1', 'fast3']);
    release();
    await world.clock.until(() => source.committed.length > 0);
    expect(source.calls).toEqual(['fast1', 'fast3', 'slow0', 'slow2', 'commit 4']);
    await loop.stop();
  });

  it('learns no offset where the reply was lost, and those of what was sent again', async () => {
    const { world } = oneQueueWorld();
    let sends = 0;
    world.cluster.fate = () => (sends++ === 0 ? { kind: 'part-unknown', count: 2 } : { kind: 'store' });
    const source = trackingSource(world, { a: listOf(3) });
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.committed.length > 0);
    await loop.stop();
    // Offset 2 has the barrier.
    expect(Object.fromEntries(source.metadata)).toEqual({ t0: at(undefined), t1: at(undefined), t2: at(3) });
  });

  it('gets what a restart found in the queue, without a place', async () => {
    const world = new SourceWorld();
    world.cluster.addTopic('down', 1);
    world.cluster.addTopic('up', 1);
    world.cluster.fate = ({ topic }) => (topic === 'down' ? { kind: 'reject', retriable: true } : { kind: 'store' });
    const lists = {
      a: [
        { topic: 'down', value: 'missing' },
        { topic: 'up', value: 'there' },
      ],
    };
    const first = world.loop(world.source(lists));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 1);
    first.loop.kill();
    await world.clock.settle();
    world.cluster.fate = () => ({ kind: 'store' });
    const source = trackingSource(world, lists);
    const second = world.loop(source);
    await second.loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 2);
    await second.loop.stop();
    // Offset 0 has the barrier.
    expect(Object.fromEntries(source.metadata)).toStrictEqual({ missing: at(1, 'down'), there: undefined });
  });

  it('is called again with the same record after a retriable error, and polled only after its promise', async () => {
    const { world } = oneQueueWorld();
    const source = trackingSource(world, { a: listOf(5) });
    let failures = 2;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    source.onRecord = (record) => {
      if (record.value !== 't1') return;
      if (failures-- > 0) throw new RetriableError('busy');
      return held;
    };
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.calls.length === 4);
    const { polls } = source;
    await world.clock.advance(10_000);
    expect(source.calls).toEqual(['t0', 't1', 't1', 't1']);
    expect(source.polls).toBe(polls);
    release();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 5);
    expect(source.calls.filter((call) => !call.startsWith('commit'))).toEqual(['t0', 't1', 't1', 't1', 't2', 't3', 't4']);
    await loop.stop();
  });

  it('fails with its error, and no position is committed after it', async () => {
    const { world } = oneQueueWorld();
    const source = trackingSource(world, { a: listOf(5) });
    source.onRecord = (record) => {
      if (record.value === 't1') throw new Error('no such receipt');
    };
    const { loop } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.stops === 1);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: new Error('no such receipt') });
    expect(source.calls).toEqual(['t0', 't1']);
  });

  it.each(['commitRecord', 'commit'] as const)('stops in its share of the shutdown timeout where %s is repeated', async (which) => {
    const { world } = oneQueueWorld();
    const source = trackingSource(world, { a: listOf(5) });
    const refused = (): Promise<void> => Promise.reject(new RetriableError('no connection'));
    if (which === 'commit') source.commit = refused;
    else source.onRecord = refused;
    const { loop } = world.loop(source, { settings: { shutdownTimeoutMs: 10_000 } });
    await loop.start();
    await world.clock.advance(5_000);
    const stoppedMs = world.clock.nowMs();
    const ended = loop.stop();
    await world.clock.until(() => source.stops === 1);
    expect(world.clock.nowMs() - stoppedMs).toBeLessThan(10_000);
    expect(await ended).toEqual({ kind: 'stopped', clean: true });
    expect(world.logger.lines.join('\n')).toContain(`its ${which} has not succeeded`);
    expect(source.committed).toEqual([]);
  });
});
