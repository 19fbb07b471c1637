import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonNumber } from '../json/json-number.js';
import { Decimal } from './decimal.js';

describe('Decimal', () => {
  it.each([
    ['0', 0n, 0],
    ['-12.50', -1250n, 2],
    ['0.00', 0n, 2],
    ['0.000001', 1n, 6],
    ['1E-7', 1n, 7],
    ['-1.5E-9', -15n, 10],
    ['1E+3', 1n, -3],
    ['1.2E+4', 12n, -3],
    ['12345678901234567890.123456789', 12345678901234567890123456789n, 9],
  ])("writes and reads %s as Java's BigDecimal does", (text, unscaled, scale) => {
    expect(new Decimal(unscaled, scale).toString()).toBe(text);
    expect(Decimal.parse(text)).toEqual(new Decimal(unscaled, scale));
  });

  it('reads what databases write', () => {
    expect(Decimal.parse('+007.10')).toEqual(new Decimal(710n, 2));
    expect(Decimal.parse(new JsonNumber('1e400').text)).toEqual(new Decimal(1n, -400));
  });

  it.each([
    [0n, '00'],
    [127n, '7f'],
    [128n, '0080'],
    [156n, '009c'],
    [-1n, 'ff'],
    [-128n, '80'],
    [-129n, 'ff7f'],
    [2n ** 64n, '010000000000000000'],
  ])("has Java's bytes for %s", (unscaled, hex) => {
    expect(Buffer.from(new Decimal(unscaled, 2).toBytes()).toString('hex')).toBe(hex);
  });

  it('keeps every digit in text, in bytes and over a larger scale', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }), fc.integer({ min: -50, max: 50 }), (unscaled, scale) => {
        const decimal = new Decimal(unscaled, scale);
        expect(Decimal.parse(decimal.toString())).toEqual(decimal);
        expect(Decimal.fromBytes(decimal.toBytes(), scale)).toEqual(decimal);
        expect(new JsonNumber(decimal.toString()).text).toBe(decimal.toString());
        expect(decimal.withScale(scale + 7).withScale(scale)).toEqual(decimal);
        expect(decimal.compare(decimal.withScale(scale + 7))).toBe(0);
        expect(decimal.compare(new Decimal(unscaled + 1n, scale))).toBeLessThan(0);
      }),
    );
  });

  it.each(['', '1.', '.5', '1,5', 'NaN', '0x10', ' 1', '1e', '1e9999999999'])('refuses the text %p', (text) => {
    expect(() => Decimal.parse(text)).toThrow(`${JSON.stringify(text)} is no decimal number; allowed are digits such as -12.50 or 1e3`);
  });

  it('refuses what it cannot hold, before it takes memory', () => {
    expect(() => Decimal.parse('1e1000000')).toThrow('-1000000 given as the scale of a decimal; allowed are whole numbers from -100000');
    expect(() => Decimal.fromBytes(Buffer.alloc(0), 2)).toThrow('no bytes given for a decimal');
    expect(() => Decimal.parse('1.55').withScale(1)).toThrow('a decimal with 2 digits after the point given; the scale 1 would lose some');
  });

  it('takes part in arithmetic as the nearest double', () => {
    expect(Number(Decimal.parse('1.50')) + 1).toBe(2.5);
  });
});
