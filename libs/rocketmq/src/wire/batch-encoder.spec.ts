import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, MessageTooLargeError } from '../errors.js';
import { BatchEncoder } from './batch-encoder.js';

const GOLDEN =
  '000000370000000000000000000000000000000568656c6c6f001c4b455953016b31025741495401747275650254414753017461674102' +
  '000000330000000000000000000000000000000177001c4b455953016b32025741495401747275650254414753017461674202';
const PROPERTIES = [
  'KEYS\u0001k1\u0002WAIT\u0001true\u0002TAGS\u0001tagA\u0002',
  'KEYS\u0001k2\u0002WAIT\u0001true\u0002TAGS\u0001tagB\u0002',
] as const;

describe('BatchEncoder', () => {
  it('writes the golden batch, with properties as text or bytes, and again after a reset', () => {
    const encoder = new BatchEncoder();
    for (const encode of [(text: string) => text, (text: string) => Buffer.from(text)]) {
      encoder.add(Buffer.from('hello'), encode(PROPERTIES[0]));
      encoder.add(Buffer.from('w'), encode(PROPERTIES[1]));
      expect(encoder.bytes).toBe(GOLDEN.length / 2);
      const batch = encoder.finish();
      expect(batch.count).toBe(2);
      expect(batch.bytes.toString('hex')).toBe(GOLDEN);
      encoder.reset();
      expect([encoder.bytes, encoder.count]).toEqual([0, 0]);
    }
  });

  it('grows over its first capacity', () => {
    const encoder = new BatchEncoder();
    const body = Buffer.alloc(1_000, 7);
    for (let count = 0; count < 100; count += 1) encoder.add(body, 'näme\u0001välue');
    const { bytes } = encoder.finish();
    const size = 22 + 1_000 + Buffer.byteLength('näme\u0001välue');
    expect(bytes).toHaveLength(100 * size);
    for (let at = 0; at < bytes.length; at += size) {
      expect(bytes.readInt32BE(at)).toBe(size);
      expect(bytes.subarray(at + 20, at + 1_020).equals(body)).toBe(true);
    }
  });

  it('reads back what was added, also after it was sealed', () => {
    const encoder = new BatchEncoder();
    expect(encoder.messages()).toEqual([]);
    const added = [Buffer.from('hello'), Buffer.alloc(20_000, 7), Buffer.alloc(0)].map((body, at) => ({
      body,
      properties: `näme\u0001${at}`,
    }));
    for (const { body, properties } of added) encoder.add(body, properties);
    encoder.add(Buffer.from('x'), '');
    encoder.finish();
    const read = encoder.messages().map(({ body, properties }) => ({ body, properties: properties.toString() }));
    expect(read).toEqual([...added, { body: Buffer.from('x'), properties: '' }]);
  });

  it('gives its memory with room for a head once, and none for a head that is too long', () => {
    const encoder = new BatchEncoder();
    encoder.add(Buffer.from('hello'), PROPERTIES[0]);
    encoder.add(Buffer.from('w'), PROPERTIES[1]);
    const { bytes, claimHeadRoom } = encoder.finish();
    expect(claimHeadRoom?.(100_000)).toBeUndefined();
    const whole = claimHeadRoom?.(300);
    whole?.fill(0xff, 0, 300);
    expect(whole).toHaveLength(300 + bytes.length);
    expect(whole?.toString('hex', 300)).toBe(GOLDEN);
    expect(bytes.toString('hex')).toBe(GOLDEN);
    expect(claimHeadRoom?.(1)).toBeUndefined();
  });

  it('limits what the broker stores and keeps the batch that did not take more', () => {
    const encoder = new BatchEncoder({ maxBytes: 2 * (91 + 5 + 10), topicBytes: 5 });
    const body = Buffer.alloc(10);
    encoder.add(body, '');
    expect(encoder.fits(body, '')).toBe(true);
    encoder.add(body, '');
    expect(encoder.fits(Buffer.alloc(0), '')).toBe(false);
    expect(() => {
      encoder.add(Buffer.alloc(0), '');
    }).toThrow(MessageTooLargeError);
    expect(encoder.finish().count).toBe(2);
  });

  it('refuses properties that a broker cannot store', () => {
    expect(() => {
      new BatchEncoder().add(Buffer.alloc(1), Buffer.alloc(32_768));
    }).toThrow(MessageTooLargeError);
  });

  it.each([
    ['a string', 'text'],
    ['numbers of 16 bits', new Uint16Array([1, 2])],
    ['a list', [1, 2]],
    ['no object', null],
  ])('refuses %s as a body and keeps the batch', (_what, body) => {
    const encoder = new BatchEncoder();
    encoder.add(new Uint8Array([1, 2]), '');
    expect(() => {
      encoder.add(body as unknown as Uint8Array, '');
    }).toThrow(/^body: expected a Buffer or another Uint8Array, got (String|Uint16Array|Array|Null)$/);
    expect(encoder.count).toBe(1);
  });

  it('refuses an empty batch, and an add after finish', () => {
    const encoder = new BatchEncoder();
    expect(() => encoder.finish()).toThrow(InvalidArgumentError);
    encoder.add(Buffer.from('x'), '');
    encoder.finish();
    expect(() => {
      encoder.add(Buffer.from('y'), '');
    }).toThrow(InvalidArgumentError);
  });
});
