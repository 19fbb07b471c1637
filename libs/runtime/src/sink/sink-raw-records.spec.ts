import { describe, expect, it } from '@jest/globals';
import { encodeStamp, queueTag, streamId, taskId } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef, type SinkRecord } from '@sluice/sdk';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { AskingSink } from '../testing/asking-sink.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage } from '../testing/transactional-sink.js';
import { RawDecoder } from './record-decoder.js';

const LZ4 = 0x101;
const block = (stamp: string): Buffer => Buffer.from(`k\u0001\u00ff\u0003\u0002TAGS\u0001T\u0002sluice-p\u0001${stamp}\u0002`, 'latin1');

class World extends SinkWorld {
  readonly sink = new AskingSink(newSinkStorage());
  readonly ref: QueueRef = this.cluster.addTopic('t', 1)[0]!;

  /** Stores a message of a source, or a repeated one, as a compressed one whose body nobody may read decompressed. */
  store(seq: number): void {
    const place = { task: taskId('s', 0), stream: streamId('s', { file: 'a' }), generation: 1, seq, position: { position: seq } };
    const { messages } = this.cluster.queue(this.ref);
    const stored = { body: Buffer.from([seq, 255]), properties: block(encodeStamp(place, queueTag(this.ref))), flag: -seq };
    this.cluster.queue(this.ref).append([stored], 5000 + seq, { sysFlag: LZ4, bornAt: 1000 + seq });
    const message: RawMessage = messages.at(-1)!;
    for (const name of ['body', 'bodyBytes'] as const) {
      Object.defineProperty(message, name, {
        get: () => {
          throw new Error(`${name} is decompressed`);
        },
      });
    }
  }

  get records(): readonly SinkRecord[] {
    return this.sink.puts.flat();
  }
}

describe('a sink of raw records', () => {
  it('gets messages as they are stored, without barriers and repeated ones, and its offsets are committed', async () => {
    const world = new World();
    for (const seq of [1, 2, 2, 3]) world.store(seq);
    world.barrier(world.ref, 1);
    world.cluster.queue(world.ref).append([{ body: Buffer.from('plain'), properties: '' }], 9000, { bornAt: 8000 });
    const { loop, counters } = world.loop(world.sink, { decoder: new RawDecoder() });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(world.ref)}`) === 6);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(world.records.map(({ offset, raw }) => [offset, [...raw!.body], raw!.flag, raw!.sysFlag, raw!.bornAt])).toEqual([
      [0, [1, 255], -1, LZ4, 1001],
      [1, [2, 255], -2, LZ4, 1002],
      [3, [3, 255], -3, LZ4, 1003],
      [5, [...Buffer.from('plain')], 0, 0, 8000],
    ]);
    const [first] = world.records;
    const { rawProperties } = world.cluster.queue(world.ref).messages[0]!;
    expect(Buffer.from(first!.raw!.properties).equals(rawProperties)).toBe(true);
    expect(first).toMatchObject({ topic: 't', value: null, queue: world.ref, timestamp: 1001 });
    expect(['key', 'headers', 'schema'].filter((name) => name in first!)).toEqual([]);
    expect(first!.rocketmq?.tag).toBe('T');
    expect([counters.droppedRepeatedSeq, counters.conversionErrors]).toEqual([1, 0]);
  });

  it('has what it refuses as dead letters, as the messages are stored', async () => {
    const world = new World();
    const dead = world.cluster.queue(world.cluster.addTopic('dead', 1)[0]!);
    for (const seq of [1, 2, 3]) world.store(seq);
    world.sink.beforePut = (records) => {
      if (records.some(({ offset }) => offset === 1)) throw new ConnectError(ConnectErrorCode.recordInvalid, 'refused');
    };
    const errors = { logs: true, logsContents: false, deadLetters: { topic: 'dead', hasContext: false } };
    const { loop } = world.loop(world.sink, {
      decoder: new RawDecoder(),
      hasRepeatablePut: true,
      settings: { skipsBadRecords: true, errors },
    });
    await loop.start();
    await world.clock.until(() => world.offsets.offsets.get(`g ${queueKey(world.ref)}`) === 3);
    await loop.stop();
    expect(world.records.map(({ offset }) => offset)).toEqual([0, 2]);
    const [letter, ...others] = dead.messages;
    expect(others).toEqual([]);
    expect([[...letter!.body], letter!.compressed?.sysFlag, letter!.flag, letter!.bornTimestamp]).toEqual([[2, 255], LZ4, -2, 1002]);
    expect(letter!.rawProperties.toString()).toContain('TAGS\u0001T\u0002');
  });
});
