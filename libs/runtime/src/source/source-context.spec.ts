import { describe, expect, it } from '@jest/globals';
import {
  ConnectError,
  ConnectErrorCode,
  MAX_POSITIONS_PER_CALL,
  type SourcePosition,
  type SourceRecord,
  type SourceTaskContext,
} from '@sluice/sdk';
import { AskingTransform } from '../testing/asking-transform.js';
import { ListSource } from '../testing/list-source.js';
import { readEverything } from '../testing/read-valid.js';
import { listOf, oneQueueWorld, type SourceWorld } from '../testing/source-world.js';
import { TransformChain } from '../transforms/transform-chain.js';

/** A source whose values that begin with `bad` cannot be read. */
class FlawedSource extends ListSource {
  context: SourceTaskContext | undefined;
  readonly recorded: unknown[] = [];
  positionOf = ({ position }: SourceRecord): SourcePosition => position;

  override async start(context: SourceTaskContext): Promise<void> {
    this.context = context;
    await super.start(context);
  }

  override async poll(signal: AbortSignal): Promise<readonly SourceRecord[]> {
    const records = await super.poll(signal);
    return records.map((polled) => {
      const record = { ...polled, position: this.positionOf(polled) };
      if (record.value === 'unwanted') return this.context!.passOver(record.partition, record.position);
      if (!(record.value as string).startsWith('bad')) return record;
      const error = new ConnectError(ConnectErrorCode.recordInvalid, 'no such encoding');
      return this.context!.unreadable(record.partition, record.position, error);
    });
  }

  commitRecord(record: SourceRecord): void {
    this.recorded.push(record.value);
  }
}

function flawedSource(world: SourceWorld, values: readonly string[]): FlawedSource {
  const list = values.map((value) => ({ topic: 't', value }));
  return new FlawedSource({ a: list }, 100, async (signal) => {
    await world.clock.sleep(100, signal).catch(() => undefined);
  });
}

const tolerant = { settings: { skipsBadRecords: true } };

describe('input that a source leaves out on purpose', () => {
  it('is passed over in its place without an error, also as the last input, and is not given to the task', async () => {
    const { world, queue } = oneQueueWorld();
    const source = flawedSource(world, ['a', 'unwanted', 'b', 'unwanted']);
    const { loop, counters } = world.loop(source);
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 4);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['a', 'b']);
    expect(source.recorded).toEqual(['a', 'b']);
    expect(counters).toMatchObject({ recordsSkipped: 0, conversionErrors: 0, recordsSent: 2 });
  });
});

describe('input that a source cannot read', () => {
  it('is counted, logged and passed over in its place, also as the last input', async () => {
    const { world, queue } = oneQueueWorld();
    const source = flawedSource(world, ['a', 'bad1', 'b', 'bad2']);
    const { loop, counters } = world.loop(source, tolerant);
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 4);
    await loop.stop();
    expect(readEverything(queue)).toEqual(['a', 'b']);
    expect(counters).toMatchObject({ recordsSkipped: 2, conversionErrors: 2, recordsFiltered: 0 });
    expect(source.recorded).toEqual(['a', 'b']);
    expect(world.logger.lines.find((line) => line.includes('A record was skipped'))).toContain(
      'Input of partition {"file":"a"}, before position {"position":2}: no such encoding',
    );
  });

  it('does not count before the records ahead of it are stored', async () => {
    const { world } = oneQueueWorld();
    world.cluster.fate = () => ({ kind: 'reject', retriable: true });
    const { loop, counters } = world.loop(flawedSource(world, ['a', 'bad']), tolerant);
    await loop.start();
    await world.clock.until(() => counters.recordsSkipped === 1);
    await world.clock.advance(5000);
    loop.kill();
    await world.clock.settle();
    const next = flawedSource(world, ['a', 'bad']);
    world.cluster.fate = () => ({ kind: 'store' });
    const second = world.loop(next, tolerant);
    await second.loop.start();
    expect(next.startedAt).toEqual({ a: undefined });
    await world.clock.until(() => next.committed.at(-1)?.position['position'] === 2);
    await second.loop.stop();
  });

  it('fails the task where nothing is tolerated, with all before it stored, and is met again', async () => {
    const { world, queue } = oneQueueWorld();
    const source = flawedSource(world, ['a', 'b', 'bad', 'c']);
    const { loop, counters } = world.loop(source);
    await loop.start();
    const message =
      'Input of partition {"file":"a"}, before position {"position":3}: no such encoding. ' +
      'With errors.tolerance=all the task skips such records and counts them.';
    await world.clock.until(() => source.stops === 1);
    expect(await loop.ended).toMatchObject({ kind: 'failed', clean: true, error: { code: 'CONNECT_RECORD_INVALID', message } });
    expect(readEverything(queue)).toEqual(['a', 'b']);
    expect(counters.recordsSkipped).toBe(0);
    const next = flawedSource(world, ['a', 'b', 'bad', 'c']);
    const second = world.loop(next, tolerant);
    await second.loop.start();
    await world.clock.until(() => second.counters.recordsSent === 1);
    await second.loop.stop();
    expect(next.startedAt).toEqual({ a: { position: 2 } });
    expect(readEverything(queue)).toEqual(['a', 'b', 'c']);
    expect(second.counters.recordsSkipped).toBe(1);
  });

  it.each([
    ['that asks nobody', false],
    ['that asks somebody first', true],
  ])('is given to no transform, here one %s', async (_, asks) => {
    const { world, queue } = oneQueueWorld();
    const given: unknown[] = [];
    const asking = new AskingTransform();
    const plain = {
      apply: (record: SourceRecord) => {
        given.push(record.value);
        return { ...record, value: `${record.value as string}!` };
      },
    };
    const steps = asks ? [asking, plain] : [plain];
    const transforms = new TransformChain(steps.map((transform, at) => ({ alias: `t${at}`, transform: transform as typeof plain })));
    const source = flawedSource(world, ['bad1', 'a', 'bad2', 'b']);
    const { loop, counters } = world.loop(source, { ...tolerant, transforms });
    await loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 4);
    await loop.stop();
    expect(given).toHaveLength(2);
    expect(readEverything(queue)).toHaveLength(2);
    expect(counters).toMatchObject({ recordsSkipped: 2, recordsFiltered: 0 });
  });

  it('fails the task where its position cannot be stored', async () => {
    const { world } = oneQueueWorld();
    const source = flawedSource(world, ['a', 'bad']);
    source.positionOf = ({ value, position }) => (value === 'bad' ? { position: NaN } : position);
    const { loop } = world.loop(source, tolerant);
    await loop.start();
    await world.clock.until(() => source.stops === 1);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { code: ConnectErrorCode.positionInvalid } });
    expect(source.committed.at(-1)?.position).toEqual({ position: 1 });
  });

  it('is no exception: a dropped record whose position cannot be stored fails the task too', async () => {
    const { world } = oneQueueWorld();
    const source = flawedSource(world, ['a']);
    source.positionOf = () => ({ position: NaN });
    const transforms = new TransformChain([{ alias: 'drop', transform: { apply: () => undefined } }]);
    const { loop } = world.loop(source, { transforms });
    await loop.start();
    await world.clock.until(() => source.stops === 1);
    expect(await loop.ended).toMatchObject({ kind: 'failed', error: { code: ConnectErrorCode.positionInvalid } });
  });
});

describe('the positions of many partitions', () => {
  it('are those of each, in their order', async () => {
    const { world } = oneQueueWorld();
    const first = world.loop(world.source({ a: listOf(2), b: listOf(5) }));
    await first.loop.start();
    await world.clock.until(() => first.counters.recordsSent === 7);
    await first.loop.stop();
    const source = flawedSource(world, []);
    const second = world.loop(source);
    await second.loop.start();
    const found = source.context!.positions([{ file: 'b' }, { file: 'c' }, { file: 'a' }]);
    expect(found).toEqual([{ position: 5 }, undefined, { position: 2 }]);
    // What an earlier run stored is committed to this one, as after a single look-up.
    await world.clock.until(() => source.committed.some(({ partition }) => partition['file'] === 'b'));
    await second.loop.stop();
  });

  it('are refused beyond the limit of one call', async () => {
    const { world } = oneQueueWorld();
    const source = flawedSource(world, []);
    const { loop } = world.loop(source);
    await loop.start();
    const partitions = (count: number) => Array.from({ length: count }, (_, at) => ({ file: String(at) }));
    expect(source.context!.positions(partitions(MAX_POSITIONS_PER_CALL))).toHaveLength(MAX_POSITIONS_PER_CALL);
    expect(() => source.context!.positions(partitions(MAX_POSITIONS_PER_CALL + 1))).toThrow(
      'The task asks for the positions of 10001 partitions in one call; at most 10000 are allowed',
    );
    await loop.stop();
  });
});
