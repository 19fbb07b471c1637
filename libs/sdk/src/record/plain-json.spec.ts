import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonNumber } from '../json/json-number.js';
import { parseJson } from '../json/parse-json.js';
import type { ConnectValue } from '../schema/connect-value.js';
import { Decimal } from '../schema/decimal.js';
import { plainJson } from './plain-json.js';

describe('numbers of JSON', () => {
  it.each([
    '9223372036854775807',
    '-9223372036854775808123',
    '12345678901234567.89',
    '1e400',
    '-1E-5',
    '-0.0',
    '-0',
    '1.0',
    '1.50',
    '0.00000001',
    '100000000000000000000000',
    '0.1',
    '-7',
  ])('keep every digit of %s', (digits) => {
    const text = `{"a":[${digits},"2026-08-01 ${digits}"],"b":${digits}}`;
    expect(plainJson(parseJson(text))).toBe(text);
  });

  it('are plain numbers wherever those have the same digits', () => {
    expect(parseJson('[1,-2.5,0,9007199254740991]')).toEqual([1, -2.5, 0, 9007199254740991]);
    expect(parseJson('9007199254740993')).toBe(9007199254740993n);
    expect(parseJson('1.50')).toEqual(new JsonNumber('1.50'));
    expect(Number(new JsonNumber('1.50')) + 1).toBe(2.5);
  });

  it('pass in any text of JSON', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?$/);
    fc.assert(
      fc.property(digits, fc.string(), (number, label) => {
        const text = `{${JSON.stringify(`${label}k`)}:${number},"t":${JSON.stringify(number)}}`;
        expect(plainJson(parseJson(text))).toBe(text);
      }),
    );
  });

  it('are refused where they are none', () => {
    expect(() => parseJson('[01]')).toThrow(SyntaxError);
    expect(() => new JsonNumber('1.')).toThrow('"1." is not a JSON number');
    expect(() => plainJson({ a: [Number.NaN] })).toThrow('payload.a[0]: NaN given; JSON allows finite numbers');
    expect(() => plainJson({ a: Infinity })).toThrow('payload.a: Infinity given; JSON allows finite numbers');
  });
});

describe('other values', () => {
  it('are bytes in base64, dates as asked for, and no field without a value', () => {
    const value = { bytes: Buffer.from('hi'), at: new Date(1000), none: null, zero: -0 };
    expect(plainJson(value)).toBe('{"bytes":"aGk=","at":1000,"none":null,"zero":-0}');
    expect(plainJson([new Decimal(150n, 2), new Decimal(1n, -3)])).toBe('[1.50,1E+3]');
    expect(plainJson({ at: new Date(1000) }, { dates: 'iso' })).toBe('{"at":"1970-01-01T00:00:01.000Z"}');
  });

  it('are maps: objects where all keys are texts, else lists of pairs', () => {
    expect(plainJson(new Map([['a', new Date(0)]]), { dates: 'iso' })).toBe('{"a":"1970-01-01T00:00:00.000Z"}');
    expect(
      plainJson(
        new Map<ConnectValue, ConnectValue>([
          [1n, 'x'],
          ['a', null],
        ]),
      ),
    ).toBe('[[1,"x"],["a",null]]');
    expect(() => plainJson(new Map([[1, NaN]]))).toThrow('payload[0]: NaN given');
    expect(() => plainJson(new Set([1]) as unknown as ConnectValue)).toThrow('payload: a value of class Set is no object with fields');
  });
});
