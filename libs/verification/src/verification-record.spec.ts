import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { crc32, portableCrc32, decodeVerificationRecord, encodeVerificationRecord } from './verification-record.js';

const numbers = {
  seed: 7,
  partition: 3,
  seq: 12,
  key: 'key-45',
  keySeq: 0,
  createdMs: 1_763_713_027_000,
};
const dots = (body: Buffer): unknown => body.fill('.');

function withChecksum(head: string): Buffer {
  const text = `${head},"body":"`;
  const crc = crc32(Buffer.from(text)).toString(16).padStart(8, '0');
  return Buffer.from(`${text}","crc":"${crc}"}`);
}

describe('crc32', () => {
  it.each([
    // The check value of CRC-32/ISO-HDLC, and what `gzip` and `cksum -a crc32b` give for other texts.
    ['123456789', 0xcbf43926],
    ['', 0],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %p is the published value', (text, expected) => {
    expect(crc32(Buffer.from(text))).toBe(expected);
    expect(portableCrc32(Buffer.from(text))).toBe(expected);
  });
});

describe('verification records', () => {
  it('are one line of JSON of the size asked for', () => {
    const bytes = encodeVerificationRecord(numbers, 200, dots);
    expect(bytes).toHaveLength(200);
    expect(bytes.includes('\n')).toBe(false);
    expect(JSON.parse(bytes.toString('utf8'))).toEqual({
      v: 1,
      ...numbers,
      body: expect.stringMatching(/^\.+$/),
      crc: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
  });

  it('are as long as their numbers when the size is too small for these', () => {
    const bytes = encodeVerificationRecord(numbers, 1, dots);
    expect(JSON.parse(bytes.toString('utf8'))).toMatchObject({ ...numbers, body: '' });
    expect(decodeVerificationRecord(bytes)).toEqual({ ok: true, numbers });
  });

  it('come back with the same numbers, whatever these are', () => {
    const count = fc.maxSafeNat();
    const any = fc.record({
      seed: count,
      partition: count,
      seq: count,
      key: fc.string({ unit: 'binary' }),
      keySeq: count,
      createdMs: count,
    });
    fc.assert(
      fc.property(any, fc.nat(500), (given, size) => {
        const decoded = decodeVerificationRecord(encodeVerificationRecord(given, size, dots));
        expect(decoded).toEqual({ ok: true, numbers: given });
      }),
    );
  });

  it('show every change of one bit', () => {
    const bytes = encodeVerificationRecord(numbers, 180, dots);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeVerificationRecord(damaged)).toMatchObject({ ok: false });
    }
  });

  it('show bytes that were cut off or added', () => {
    const bytes = encodeVerificationRecord(numbers, 180, dots);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeVerificationRecord(bytes.subarray(0, length)).ok).toBe(false);
    }
    expect(decodeVerificationRecord(Buffer.concat([bytes, bytes]))).toEqual({ ok: false, problem: 'checksum' });
  });

  it('differ from what never was one', () => {
    for (const text of ['', 'a line', '{"v":1}', 'x'.repeat(200)]) {
      expect(decodeVerificationRecord(Buffer.from(text))).toEqual({ ok: false, problem: 'format' });
    }
  });

  it.each([
    ['white space', '{ "v":1, "seed":7,"partition":3,"seq":12,"key":"key-45","keySeq":0,"createdMs":1763713027000'],
    ['an escaped key', '{"v":1,"seed":7,"partition":3,"seq":12,"key":"key\\u002d45","keySeq":0,"createdMs":1763713027000'],
    ['another order', '{"v":1,"partition":3,"seed":7,"seq":12,"key":"key-45","keySeq":0,"createdMs":1763713027000'],
    ['an exponent', '{"v":1,"seed":7,"partition":3,"seq":1.2e1,"key":"key-45","keySeq":0,"createdMs":1763713027000'],
  ])('are read as any JSON with %s', (_, head) => {
    expect(decodeVerificationRecord(withChecksum(head))).toEqual({ ok: true, numbers });
  });

  it.each([
    ['a leading zero', '"seq":012'],
    ['no digits', '"seq":'],
    ['a number that is not exact', '"seq":9007199254740993'],
  ])('with %s are not read', (_, seq) => {
    const head = `{"v":1,"seed":7,"partition":3,${seq},"key":"key-45","keySeq":0,"createdMs":1763713027000`;
    expect(decodeVerificationRecord(withChecksum(head))).toEqual({ ok: false, problem: 'format' });
  });

  it('of another version, or with a number that is none, are not read', () => {
    for (const change of [{ v: 2 }, { seq: -1 }, { seq: 1.5 }, { seed: 'x' }, { key: 7 }]) {
      const value = withChecksum(JSON.stringify({ v: 1, ...numbers, ...change }).slice(0, -1));
      expect(decodeVerificationRecord(value)).toEqual({ ok: false, problem: 'format' });
    }
  });
});
