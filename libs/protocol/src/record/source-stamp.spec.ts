import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { QueueRef, SourcePartition, SourcePosition } from '@sluice/sdk';
import * as fc from 'fast-check';
import { forEachProperty, propertyNeedle, propertyText, scanProperty } from './property-block.js';
import { queueTag } from './queue-tag.js';
import { recordToMessage } from './record-mapping.js';
import { barrierMessage, encodeBarrier, parseBarrier, scanBarrier } from './source-barrier.js';
import {
  encodeStamp,
  parseStamp,
  parseStampCoordinates,
  scanStamp,
  stampPrefix,
  StampReader,
  stampSuffix,
  streamId,
  taskId,
} from './source-stamp.js';

interface Golden {
  readonly stamps: readonly {
    readonly connector: string;
    readonly taskIndex: number;
    readonly partition: SourcePartition;
    readonly queue: QueueRef;
    readonly generation: number;
    readonly seq: number;
    readonly position: SourcePosition;
    readonly stamp: string;
    readonly barrier: string;
  }[];
}
const queue = { topic: 't', brokerName: 'broker-a', queueId: 3 };
const tag = queueTag(queue);
const golden = JSON.parse(readFileSync(new URL('./source-stamp.golden.json', import.meta.url), 'utf8')) as Golden;

describe('the stamp', () => {
  it.each(golden.stamps)('has kept its text: $stamp', ({ connector, taskIndex, partition, queue, stamp, barrier, ...rest }) => {
    const parsed = { task: taskId(connector, taskIndex), stream: streamId(connector, partition), ...rest };
    const tag = queueTag(queue);
    expect(encodeStamp(parsed, tag)).toBe(stamp);
    expect(parseStamp(stamp, tag)).toEqual(parsed);
    expect(encodeBarrier({ task: parsed.task, generation: rest.generation }, tag)).toBe(barrier);
    expect(parseBarrier(barrier, tag)).toEqual({ task: parsed.task, generation: rest.generation });
  });

  it('takes 39 bytes after two billion records of a file of 100 GB', () => {
    const stamp = encodeStamp(
      {
        task: taskId('file', 0),
        stream: streamId('file', { filename: '/var/log/app.log' }),
        generation: 35,
        seq: 2_000_000_000,
        position: { position: 2_000_000_000 },
      },
      tag,
    );
    expect(stamp.length).toBeLessThanOrEqual(39);
  });

  it('is the prefix of the stream and the suffix of the record', () => {
    const stamp = {
      task: taskId('a', 1),
      stream: streamId('a', { x: 1 }),
      generation: 40,
      seq: 3,
      position: { lsn: 'x' },
    };
    expect(stampPrefix(stamp.task, stamp.stream, tag, 40) + stampSuffix(3, { lsn: 'x' })).toBe(encodeStamp(stamp, tag));
  });

  it('counts in its own queue alone: not in another topic, on another broker or in another queue', () => {
    const stamp = { task: taskId('a', 1), stream: streamId('a', {}), generation: 1, seq: 3, position: { position: 7 } };
    const barrier = { task: stamp.task, generation: 1 };
    expect(parseStamp(encodeStamp(stamp, tag), tag)).toEqual(stamp);
    for (const other of [
      { ...queue, topic: 'u' },
      { ...queue, brokerName: 'broker-b' },
      { ...queue, queueId: 4 },
    ]) {
      expect(parseStamp(encodeStamp(stamp, tag), queueTag(other))).toBeUndefined();
      expect(parseBarrier(encodeBarrier(barrier, tag), queueTag(other))).toBeUndefined();
    }
  });

  it('is read among others as it is by itself', () => {
    const reader = new StampReader(tag);
    const first = { task: taskId('a', 1), stream: streamId('a', { x: 1 }), generation: 40, seq: 35, position: { lsn: 'x' } };
    const text = encodeStamp(first, tag);
    const texts = [
      text,
      encodeStamp({ ...first, seq: 36 }, tag),
      encodeStamp({ ...first, generation: 41 }, tag),
      encodeStamp({ ...first, generation: 40 * 36 }, tag),
      encodeStamp({ ...first, stream: streamId('a', { x: 2 }) }, tag),
      encodeStamp(first, 'other'),
      text,
      `${stampPrefix(first.task, first.stream, tag, 40)}7`,
      `${stampPrefix(first.task, first.stream, tag, 40)}7.{`,
      `${stampPrefix(first.task, first.stream, tag, 40)}07.1`,
      `${stampPrefix(first.task, first.stream, tag, 40)}.1`,
      text,
    ];
    expect(texts.map((each) => reader.read(each))).toEqual(texts.map((each) => parseStampCoordinates(each, tag)));
    expect(reader.read(texts[1]!)).toMatchObject({ seq: 36 });
  });

  it('names a stream by its partition, whatever the order of its fields, and not by its task', () => {
    expect(streamId('a', { x: 1, y: 'b' })).toBe(streamId('a', { y: 'b', x: 1 }));
    expect(streamId('a', { x: 1 })).not.toBe(streamId('b', { x: 1 }));
    expect(streamId('a', { x: 1 })).not.toBe(streamId('a', { x: '1' }));
    expect(taskId('a', 1)).not.toBe(taskId('a', 11));
  });

  it('gives any position back', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean());
    const position = fc.oneof(
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
        value,
        { noNullPrototype: true },
      ),
      fc.record({ position: fc.maxSafeInteger() }),
    );
    fc.assert(
      fc.property(position, fc.maxSafeNat(), fc.maxSafeNat(), (given, generation, seq) => {
        const stamp = { task: taskId('c', 0), stream: streamId('c', {}), generation, seq, position: given };
        expect(parseStamp(encodeStamp(stamp, tag), tag)).toEqual(stamp);
      }),
    );
  });

  it.each([
    '',
    'x',
    'abcdefgh.abcdefgh.abcde.1.2',
    'abcdefgh.abcdefgh.1.2.3',
    'abcdefgh.abcdefgh.abcde.1.2.3.4',
    'abcdefgh.abcdefgh.abcdf.1.2.3',
    'ABCDEFGH.abcdefgh.abcde.1.2.3',
    'abcdefgh.abcdefgh.abcde.-1.2.3',
    'abcdefgh.abcdefgh.abcde.1.01.3',
    'abcdefgh.abcdefgh.abcde.1.2.~x',
    'abcdefgh.abcdefgh.abcde.1.2.{',
    'abcdefgh.abcdefgh.abcde.1.2.{}x',
    'abcdefgh.abcdefgh.abcde.1.2.{"#bigint":"12"}',
    'abcdefgh.abcdefgh.abcde.1.2.',
    'abcdefgh.abcdefgh.abcde.zzzzzzzzzzzz.2.3',
  ])('is not %p', (text) => {
    expect(parseStamp(text, 'abcde')).toBeUndefined();
  });

  it('is found among other properties', () => {
    const properties = Buffer.from(recordToMessage({ value: null, key: Buffer.from('k') }, { topic: 't' }, 'the.stamp').properties);
    expect(scanStamp(properties)).toBe('the.stamp');
    expect(scanBarrier(properties)).toBeUndefined();
    expect(scanStamp(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('the barrier', () => {
  it('is a message of its own', () => {
    const { body, properties } = barrierMessage({ task: 'abcdefgh', generation: 36 }, queue);
    expect(body).toEqual(Buffer.from([0]));
    expect(scanBarrier(Buffer.from(properties))).toBe(`abcdefgh.${tag}.10`);
  });

  it.each(['', 'abcdefgh', 'abcdefgh.abcde', 'abcdefgh.abcde.A', 'abcdefg.abcde.1', 'abcdefgh.abcde.1.1', 'abcdefgh.abcdf.1'])(
    'is not %p',
    (text) => {
      expect(parseBarrier(text, 'abcde')).toBeUndefined();
    },
  );
});

describe('scanProperty', () => {
  it('agrees with a full reading of the block', () => {
    const name = fc.constantFrom('p', 'xp', 'px', 'p-p');
    const block = fc.array(fc.tuple(name, fc.constantFrom('', 'p', 'v', 'p-v', 'ü')), { maxLength: 8 });
    fc.assert(
      fc.property(block, fc.boolean(), (entries, isOpen) => {
        const whole = Buffer.from(entries.map(([name, value]) => propertyText(name, value)).join(''));
        const properties = isOpen ? whole.subarray(0, Math.max(0, whole.length - 1)) : whole;
        const map = new Map<string, string>();
        forEachProperty(properties, (key, value) => map.set(key, value));
        for (const key of ['p', 'xp', 'px', 'p-p']) expect(scanProperty(properties, propertyNeedle(key))).toBe(map.get(key));
      }),
    );
  });
});
