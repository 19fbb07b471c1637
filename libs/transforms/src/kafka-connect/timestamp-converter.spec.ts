import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, JsonNumber, type RawConfig, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';

const micros = { 'unix.precision': 'microseconds' };
const iso = "yyyy-MM-dd'T'HH:mm:ss.SSS";

const converted = (settings: RawConfig, value: ConnectValue, schema?: Schema): ConnectValue | undefined =>
  valueAfter('TimestampConverter$Value', settings, value, schema)?.value;

describe('TimestampConverter', () => {
  it.each<[RawConfig, ConnectValue, ConnectValue]>([
    [{ 'target.type': 'Timestamp', ...micros }, 1_731_508_712_229_224, new Date(1_731_508_712_229)],
    [{ 'target.type': 'string', format: iso, ...micros }, 1_731_508_712_229_224, '2024-11-13T14:38:32.229'],
    [{ 'target.type': 'string', format: iso, ...micros }, 1_488_406_838_008_123, '2017-03-01T22:20:38.008'],
    [{ 'target.type': 'unix', ...micros }, 1_488_406_838_008_123n, 1_488_406_838_008_000],
    [{ 'target.type': 'unix', ...micros }, -1, 0],
    [{ 'target.type': 'string', format: iso, ...micros }, -1_500_000, '1969-12-31T23:59:58.500'],
    [{ 'target.type': 'unix', 'unix.precision': 'seconds' }, -1, -1],
    [{ 'target.type': 'unix', 'unix.precision': 'nanoseconds' }, 1_731_508_712_229_224_999n, 1_731_508_712_229_000_000n],
    [{ 'target.type': 'unix', 'unix.precision': 'nanoseconds' }, 2n ** 63n - 1n, 9_223_372_036_854_000_000n],
    [{ 'target.type': 'unix', 'unix.precision': 'seconds' }, 2n ** 63n - 1n, 9_223_372_036_854_775n],
    [{ 'target.type': 'unix', format: 'yyyy-MM-dd' }, '2024-01-02', 1_704_153_600_000],
    [{ 'target.type': 'unix', 'unix.precision': 'seconds' }, new Date(-1500), -1],
    [{ 'target.type': 'Date' }, -1, new Date('1969-12-31')],
    [{ 'target.type': 'Time' }, -1, new Date(86_399_999)],
    [{ 'target.type': 'Date' }, null, null],
  ])('with %j makes of %p %p', (settings, value, expected) => {
    expect(converted(settings, value)).toEqual(expected);
  });

  it('converts a field; one that is null or missing is null', () => {
    const settings = { ...micros, field: 't', 'target.type': 'unix' };
    expect([{ t: -1 }, { t: null }, { x: 1 }, null].map((value) => converted(settings, value))).toEqual([
      { t: 0 },
      { t: null },
      { x: 1, t: null },
      null,
    ]);
    const record = { topic: 't', value: null };
    expect(transformOf('TimestampConverter$Value', settings).apply(record)).toBe(record);
    const nested = { ...settings, field: 'a.t', 'field.syntax.version': 'V2' };
    expect(converted(nested, { a: { t: 1999, q: 1 } })).toEqual({ a: { t: 1000, q: 1 } });
  });

  it('gives a field with a schema the type of the target, optional where it was, without the default', () => {
    const long = SchemaBuilder.int64().optional().default(4n);
    const schema = SchemaBuilder.struct('N').version(3).field('a', long).field('b', long).optional().build();
    const settings = { 'target.type': 'Timestamp', field: 'a' };
    const after = valueAfter('TimestampConverter$Value', settings, { a: null, b: 5n }, schema);
    expect(after?.value).toEqual({ a: new Date(4), b: 5n });
    expect(after?.schema).toEqual({
      ...schema,
      fields: [{ name: 'a', schema: { ...schemas.timestamp, optional: true } }, schema.fields?.[1]],
    });
    const asIs = { ...settings, 'replace.null.with.default': 'false' };
    expect(converted(asIs, { a: null, b: 5n }, schema)).toEqual({ a: null, b: 5n });
    expect(valueAfter('TimestampConverter$Value', settings, null, schema)).toEqual({ value: null, schema: after?.schema });
    expect(converted({ 'target.type': 'Timestamp', field: 'zz' }, { a: 1n, b: 2n }, schema)).toEqual({ a: 1n, b: 2n });
  });

  it.each<[Schema, ConnectValue, RawConfig, ConnectValue, Schema]>([
    [schemas.timestamp, new Date(1_700_000_000_123), { 'target.type': 'Time' }, new Date(80_000_123), schemas.time],
    [schemas.timestamp, new Date(5), { 'target.type': 'unix' }, 5n, schemas.int64],
    [schemas.date, new Date('2024-01-02'), { 'target.type': 'string', format: 'dd.MM.yyyy' }, '02.01.2024', schemas.string],
    [schemas.string, Buffer.from('1970'), { 'target.type': 'Timestamp', format: 'yyyy' }, new Date(0), schemas.timestamp],
    [{ ...schemas.int64, optional: true }, null, { 'target.type': 'Date' }, null, { ...schemas.date, optional: true }],
  ])('makes of a whole %j, %p, with %j %p', (schema, value, settings, expected, expectedSchema) => {
    expect(valueAfter('TimestampConverter$Value', settings, value, schema)).toEqual({ value: expected, schema: expectedSchema });
  });

  it.each<[RawConfig, ConnectValue, Schema | undefined, string]>([
    [
      { 'target.type': 'unix', format: 'yyyy-MM-dd' },
      '2024',
      undefined,
      'Could not parse timestamp: the value does not match pattern (yyyy-MM-dd)',
    ],
    [{ 'target.type': 'unix' }, '2024', undefined, 'the setting format does not say how it is read'],
    [{ 'target.type': 'unix' }, 1.5, undefined, 'does not support number as timestamp'],
    [{ 'target.type': 'unix' }, new JsonNumber('1.50'), undefined, 'does not support number as timestamp'],
    [{ 'target.type': 'unix' }, { a: 1 }, undefined, 'does not support map as timestamp'],
    [{ 'target.type': 'Date' }, 1, schemas.int32, 'Schema int32 does not correspond to a known timestamp type format'],
    [{ 'target.type': 'Timestamp' }, 2n ** 63n - 1n, undefined, 'a timestamp of 9223372036854775807 ms since the epoch given'],
    [{ 'target.type': 'unix', field: 'a' }, 'x', undefined, '[converting timestamp formats], found: string'],
  ])('with %j refuses %p of schema %j', (settings, value, schema, message) => {
    expect(() => converted(settings, value, schema)).toThrow(message);
  });

  it.each([
    [{ 'target.type': 'string' }, 'requires format option to be specified'],
    [{ 'target.type': 'unix', format: 'q' }, "Illegal pattern character 'q'"],
    [{ 'target.type': 'unix', format: 'yyyy-ww' }, 'the letter w (week of the year) is supported in texts that are written'],
    [{ 'target.type': 'UNIX' }, 'String must be one of: string, unix, Date, Time, Timestamp'],
    [{ 'target.type': 'unix', 'unix.precision': 'micros' }, 'String must be one of: seconds, milliseconds, microseconds, nanoseconds'],
  ])('refuses the settings %j', (settings, message) => {
    expect(problemsOf('TimestampConverter$Value', settings)).toEqual([expect.stringContaining(message)]);
  });
});
