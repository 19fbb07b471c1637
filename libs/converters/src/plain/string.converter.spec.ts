import { describe, expect, it } from '@jest/globals';
import { schemas } from '@sluice/sdk';
import { ByteArrayConverter } from './byte-array.converter.js';
import { ConversionError } from '../conversion-error.js';
import { StringConverter } from './string.converter.js';
import { TEXT_ENCODINGS } from './text-encoding.js';

const strings = new StringConverter();
const bytes = new ByteArrayConverter();

describe('StringConverter', () => {
  it('passes bytes on without a copy', () => {
    const value = Buffer.from('käse');
    expect(strings.toBytes(value)).toBe(value);
  });

  it.each([
    ['käse', 'käse'],
    [12, '12'],
    [9_007_199_254_740_993n, '9007199254740993'],
    [true, 'true'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [{ a: [1, 2n, null] }, '{"a":[1,2,null]}'],
  ])('writes %p as text', (value, text) => {
    expect(String(strings.toBytes(value))).toBe(text);
  });

  it('reads text with an optional string schema', () => {
    expect(strings.fromBytes(Buffer.from('käse'))).toEqual({
      value: 'käse',
      schema: { type: 'string', optional: true },
    });
  });

  it('keeps null', () => {
    expect(strings.toBytes(null)).toBeNull();
    expect(strings.fromBytes(null).value).toBeNull();
  });

  it('refuses bytes that are no text, and dates that are none', () => {
    expect(() => strings.fromBytes(Buffer.from([0xff]))).toThrow(
      new ConversionError('StringConverter', 'The bytes are not UTF-8; ByteArrayConverter takes any bytes'),
    );
    expect(() => strings.toBytes(new Date(NaN))).toThrow(ConversionError);
  });

  it.each([
    ['GBK', '中€', 'd6d0a2e3'],
    ['cp936', '中', 'd6d0'],
    ['GB18030', '中€😀', 'd6d0a2e39439fc36'],
  ])('writes and reads %s as Java does', (encoding, text, hex) => {
    const converter = new StringConverter({ encoding });
    expect(Buffer.from(converter.toBytes(text) ?? []).toString('hex')).toBe(hex);
    expect(converter.fromBytes(Buffer.from(hex, 'hex')).value).toBe(text);
  });

  it.each([['😀'], ['\ud800']])('refuses what GBK cannot hold: %j', (text) => {
    const converter = new StringConverter({ encoding: 'GBK' });
    expect(() => converter.toBytes(text)).toThrow('The text has characters that GBK cannot hold');
    expect(() => converter.fromBytes(Buffer.from([0x81]))).toThrow('The bytes are not GBK');
  });
});

describe('encodings of StringConverter', () => {
  // The bytes that Java writes.
  it.each([
    ['UTF-8', 'aé€😀', '61c3a9e282acf09f9880'],
    ['utf8', 'é', 'c3a9'],
    ['UTF-16', 'a😀', 'feff0061d83dde00'],
    ['UTF-16BE', 'a😀', '0061d83dde00'],
    ['UTF-16LE', 'a😀', '61003dd800de'],
    ['ISO-8859-1', 'aé\u0085', '61e985'],
    ['latin1', 'é', 'e9'],
    ['ISO8859_1', 'é', 'e9'],
    ['US-ASCII', 'a', '61'],
    ['windows-1252', '€é', '80e9'],
    ['Cp1251', 'Привет', 'cff0e8e2e5f2'],
    ['ISO-8859-15', '€', 'a4'],
    ['KOI8-R', 'Привет', 'f0d2c9d7c5d4'],
  ])('%s holds %j', (encoding, text, hex) => {
    const converter = new StringConverter({ encoding });
    expect(Buffer.from(converter.toBytes(text) ?? []).toString('hex')).toBe(hex);
    expect(converter.fromBytes(Buffer.from(hex, 'hex')).value).toBe(text);
  });

  it('has UTF-16 of both byte orders by its mark, and none in an empty text', () => {
    const converter = new StringConverter({ encoding: 'UTF-16' });
    expect(converter.fromBytes(Buffer.from('fffe6100', 'hex')).value).toBe('a');
    expect(converter.fromBytes(Buffer.from('0061', 'hex')).value).toBe('a');
    expect(converter.toBytes('')).toHaveLength(0);
  });

  it.each(['ISO-8859-1', 'US-ASCII', 'windows-1252', 'KOI8-R'])('%s refuses a character that it has not', (encoding) => {
    expect(() => new StringConverter({ encoding }).toBytes('漢')).toThrow(
      new ConversionError('StringConverter', `The text has characters that ${encoding} cannot hold`),
    );
  });

  it.each(['UTF-8', 'UTF-16', 'UTF-16LE'])('%s refuses half a character', (encoding) => {
    expect(() => new StringConverter({ encoding }).toBytes('a\ud83d')).toThrow(`characters that ${encoding} cannot hold`);
  });

  it.each([
    ['US-ASCII', '80'],
    ['UTF-16', '006100'],
    ['UTF-16BE', 'd83d0061'],
  ])('%s refuses bytes that are none of its texts', (encoding, hex) => {
    expect(() => new StringConverter({ encoding }).fromBytes(Buffer.from(hex, 'hex'))).toThrow(`The bytes are not ${encoding}`);
  });

  it.each(TEXT_ENCODINGS)('%s reads what it wrote of every character that it has', (encoding) => {
    const converter = new StringConverter({ encoding });
    let held = 0;
    for (let code = 0; code < 0x2600; code += 1) {
      const text = String.fromCharCode(code);
      let bytes: Uint8Array | null;
      try {
        bytes = converter.toBytes(text);
      } catch {
        continue;
      }
      held += 1;
      if (bytes === null || converter.fromBytes(Buffer.from(bytes)).value !== text) throw new Error(`${encoding} changed ${code}`);
    }
    expect(held).toBeGreaterThanOrEqual(128);
  });

  it.each(['Shift_JIS', 'Big5', 'EBCDIC', 'ISO-8859-9', ''])('refuses %j, which it cannot convert exactly', (encoding) => {
    expect(() => new StringConverter({ encoding })).toThrow(`${encoding} given; allowed are UTF-8, UTF-16, UTF-16BE, UTF-16LE, ISO-8859-1`);
  });
});

describe('ByteArrayConverter', () => {
  it.each([undefined, schemas.bytes, schemas.string])('passes bytes of schema %p both ways untouched', (schema) => {
    const value = Buffer.from([0, 0xff]);
    expect(bytes.toBytes(value, schema)).toBe(value);
    expect(bytes.fromBytes(value)).toEqual({ value, schema: { type: 'bytes', optional: true } });
    expect(bytes.fromBytes(value).value).toBe(value);
  });

  it('keeps null', () => {
    expect(bytes.toBytes(null, undefined)).toBeNull();
    expect(bytes.fromBytes(null).value).toBeNull();
  });

  it('refuses what is no bytes, naming what it was given', () => {
    expect(() => bytes.toBytes('text', undefined)).toThrow(
      'ByteArrayConverter: It is not compatible with objects of type string; bytes are needed',
    );
    expect(() => bytes.toBytes(1, schemas.int32)).toThrow('Invalid schema type for ByteArrayConverter: INT32');
  });
});
