import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { SourcePartition, SourcePosition } from '@sluice/sdk';
import * as fc from 'fast-check';
import { encodeProperties, forEachProperty, propertyNeedle, scanProperty } from './property-block.js';
import { recordToMessage } from './record-mapping.js';
import { barrierMessage, encodeBarrier, parseBarrier, scanBarrier } from './source-barrier.js';
import { encodeStamp, parseStamp, scanStamp, stampPrefix, stampSuffix, streamId, taskId } from './source-stamp.js';

interface Golden {
  readonly stamps: readonly {
    readonly connector: string;
    readonly taskIndex: number;
    readonly partition: SourcePartition;
    readonly generation: number;
    readonly seq: number;
    readonly position: SourcePosition;
    readonly stamp: string;
    readonly barrier: string;
  }[];
}
const golden = JSON.parse(readFileSync(new URL('./source-stamp.golden.json', import.meta.url), 'utf8')) as Golden;

describe('the stamp', () => {
  it.each(golden.stamps)(
    'has kept its text: $stamp',
    ({ connector, taskIndex, partition, stamp, barrier, ...rest }) => {
      const parsed = { task: taskId(connector, taskIndex), stream: streamId(connector, partition), ...rest };
      expect(encodeStamp(parsed)).toBe(stamp);
      expect(parseStamp(stamp)).toEqual(parsed);
      expect(encodeBarrier({ task: parsed.task, generation: rest.generation })).toBe(barrier);
      expect(parseBarrier(barrier)).toEqual({ task: parsed.task, generation: rest.generation });
    },
  );

  it('takes 32 bytes after two billion records of a file of 100 GB', () => {
    const stamp = encodeStamp({
      task: taskId('file', 0),
      stream: streamId('file', { filename: '/var/log/app.log' }),
      generation: 35,
      seq: 2_000_000_000,
      position: { position: 2_000_000_000 },
    });
    expect(stamp.length).toBeLessThanOrEqual(33);
  });

  it('is the prefix of the stream and the suffix of the record', () => {
    const stamp = {
      task: taskId('a', 1),
      stream: streamId('a', { x: 1 }),
      generation: 40,
      seq: 3,
      position: { lsn: 'x' },
    };
    expect(stampPrefix(stamp.task, stamp.stream, 40) + stampSuffix(3, { lsn: 'x' })).toBe(encodeStamp(stamp));
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
        expect(parseStamp(encodeStamp(stamp))).toEqual(stamp);
      }),
    );
  });

  it.each([
    '',
    'x',
    'abcdefgh.abcdefgh.1.2',
    'abcdefgh.abcdefgh.1.2.3.4',
    'ABCDEFGH.abcdefgh.1.2.3',
    'abcdefgh.abcdefgh.-1.2.3',
    'abcdefgh.abcdefgh.1.01.3',
    'abcdefgh.abcdefgh.1.2.~x',
    'abcdefgh.abcdefgh.1.2.',
    'abcdefgh.abcdefgh.zzzzzzzzzzzz.2.3',
  ])('is not %p', (text) => {
    expect(parseStamp(text)).toBeUndefined();
  });

  it('is found among other properties', () => {
    const { properties } = recordToMessage({ value: null, key: Buffer.from('k') }, { topic: 't' }, 'the.stamp');
    expect(scanStamp(properties)).toBe('the.stamp');
    expect(scanBarrier(properties)).toBeUndefined();
    expect(scanStamp(Buffer.alloc(0))).toBeUndefined();
  });
});

describe('the barrier', () => {
  it('is a message of its own', () => {
    const { body, properties } = barrierMessage({ task: 'abcdefgh', generation: 36 });
    expect(body).toEqual(Buffer.from([0]));
    expect(scanBarrier(properties)).toBe('abcdefgh.10');
  });

  it.each(['', 'abcdefgh', 'abcdefgh.', 'abcdefgh.A', 'abcdefg.1', 'abcdefgh.1.1'])('is not %p', (text) => {
    expect(parseBarrier(text)).toBeUndefined();
  });
});

describe('scanProperty', () => {
  it('agrees with a full reading of the block', () => {
    const name = fc.constantFrom('p', 'xp', 'px', 'p-p');
    const block = fc.array(fc.tuple(name, fc.constantFrom('', 'p', 'v', 'p-v', 'ü')), { maxLength: 8 });
    fc.assert(
      fc.property(block, fc.boolean(), (entries, isOpen) => {
        const whole = encodeProperties(entries);
        const properties = isOpen ? whole.subarray(0, Math.max(0, whole.length - 1)) : whole;
        const map = new Map<string, string>();
        forEachProperty(properties, (key, value) => map.set(key, value));
        for (const key of ['p', 'xp', 'px', 'p-p'])
          expect(scanProperty(properties, propertyNeedle(key))).toBe(map.get(key));
      }),
    );
  });
});
