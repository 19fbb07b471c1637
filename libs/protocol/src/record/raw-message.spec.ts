import { describe, expect, it } from '@jest/globals';
import { ConnectErrorCode, type RawRecord } from '@sluice/sdk';
import { maxBodyBytes, MAX_RAW_PROPERTIES_BYTES } from './record-limits.js';
import { isSameHead, type MessageHead, rawToMessage, type RawParts } from './raw-message.js';
import { scanBarrier } from './source-barrier.js';
import { scanStamp } from './source-stamp.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const given: RawRecord = { body: bytes('body'), properties: bytes('KEYS\u0001k1 k2\u0002'), flag: 0, sysFlag: 0 };
const origin = { topic: 't', partition: { p: 1 }, position: { position: 5 } };

function sent(change: Partial<RawRecord>, stamp = 'stamp', last?: MessageHead): RawParts {
  return rawToMessage({ ...given, ...change }, origin, stamp, last);
}

function blockOf(block: string): string {
  return sent({ properties: bytes(block) }).properties.toString('latin1');
}

describe('a raw record as a message', () => {
  it('has its body in the same memory, its flag, and its bytes of properties before the stamp', () => {
    const body = new Uint8Array([0, 255, 1, 2]).subarray(1);
    const block = 'k\u0001\u00ff\u00fe\u0003\n\u0000\u0002KEYS\u0001\u00c3\u00a4\u0002TAGS\u0001\u0002junk\u0002';
    const parts = sent({ body, properties: bytes(block), flag: -7 });
    expect(parts.body.buffer).toBe(body.buffer);
    expect([...parts.body]).toEqual([255, 1, 2]);
    expect(parts.flag).toBe(-7);
    expect(parts.properties.toString('latin1')).toBe(`${block}sluice-p\u0001stamp\u0002`);
  });

  it('ends the last property of a block that leaves its separator out, and has the stamp alone where there is no other', () => {
    expect(blockOf('a\u00011')).toBe('a\u00011\u0002sluice-p\u0001stamp\u0002');
    expect(blockOf('')).toBe('sluice-p\u0001stamp\u0002');
  });

  it.each([
    ['sluice-p\u0001old\u0002a\u00011\u0002', 'a\u00011\u0002'],
    ['a\u00011\u0002sluice-p\u0001old', 'a\u00011\u0002'],
    ['sluice-b\u0001x\u0002sluice-p\u0001one\u0002a\u00011\u0002sluice-p\u0001two\u0002b\u00012\u0002', 'a\u00011\u0002b\u00012\u0002'],
    // Names that end so are others, and so are values.
    ['my-sluice-p\u00011\u0002v\u0001sluice-p\u0002', 'my-sluice-p\u00011\u0002v\u0001sluice-p\u0002'],
    ['my-sluice-p\u00011\u0002sluice-p\u0001x\u0002c\u00013\u0002', 'my-sluice-p\u00011\u0002c\u00013\u0002'],
    ['sluice-p\u0001\u0002a\u00011\u0002', 'a\u00011\u0002'],
  ])('loses the stamps and barriers of %j', (block, kept) => {
    expect(blockOf(block)).toBe(`${kept}sluice-p\u0001stamp\u0002`);
    const { properties } = sent({ properties: bytes(block) });
    expect([scanStamp(properties), scanBarrier(properties)]).toEqual(['stamp', undefined]);
  });

  it('has of its system flag the bits of compression, and its time, in a head that equal ones share', () => {
    const all = sent({ sysFlag: 0x7fff_ffff, bornAt: 5 });
    expect(all.head).toEqual({ sysFlag: 0x701, bornAt: 5 });
    expect(sent({ sysFlag: 0x70d, bornAt: 5 }, 'next', all.head).head).toBe(all.head);
    for (const other of [sent({ sysFlag: 0x701 }), sent({ sysFlag: 0x301, bornAt: 5 }), sent({ sysFlag: 0x701, bornAt: 6 })]) {
      expect(isSameHead(all.head, other.head)).toBe(false);
    }
    expect(isSameHead(undefined, sent({}).head)).toBe(false);
    expect(isSameHead({ sysFlag: 0, bornAt: undefined }, sent({}).head)).toBe(true);
  });

  it.each<[string, Partial<Record<keyof RawRecord, unknown>>, string]>([
    ['a body', { body: 'text' }, 'its body must be bytes'],
    ['properties', { properties: 'a\u00011\u0002' }, 'its properties must be a block of bytes'],
    ['a flag', { flag: 2 ** 31 }, 'its flag is 2147483648; it must be a whole number of 32 bits, with a sign'],
    ['a system flag', { sysFlag: 0.5 }, 'its sysFlag is 0.5; it must be a whole number'],
    ['a time', { bornAt: Number.NaN }, 'its time is NaN; it must be a whole number of milliseconds since the epoch'],
  ])('is refused for %s of another kind', (_part, change, reason) => {
    const error = errorOf(() => sent(change as Partial<RawRecord>));
    expect(error.message).toBe(`The record for topic t from {"p":1} before {"position":5} cannot be sent: ${reason}.`);
    expect(error.code).toBe(ConnectErrorCode.recordInvalid);
  });

  it('is refused where body or properties do not fit into a message, by a byte', () => {
    const stampBytes = bytes('sluice-p\u0001stamp\u0002').length;
    const properties = Buffer.concat([bytes('k\u0001'), Buffer.alloc(MAX_RAW_PROPERTIES_BYTES - stampBytes - 3, 'x'), bytes('\u0002')]);
    expect(sent({ properties }).properties).toHaveLength(MAX_RAW_PROPERTIES_BYTES);
    const error = errorOf(() => sent({ properties }, 'stamps'));
    expect(error.code).toBe(ConnectErrorCode.recordTooLarge);
    expect(error.message).toContain('its properties and the stamp take 32513 bytes, at most 32512 fit into a message');
    expect(sent({ body: Buffer.alloc(maxBodyBytes) }).body).toHaveLength(maxBodyBytes);
    expect(errorOf(() => sent({ body: Buffer.alloc(maxBodyBytes + 1) })).code).toBe(ConnectErrorCode.recordTooLarge);
  });
});

function errorOf(act: () => unknown): { readonly message: string; readonly code?: unknown } {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}
