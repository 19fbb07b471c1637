import { describe, expect, it } from '@jest/globals';
import { type ConnectObject, Decimal, type JsonValue, LogicalType, SchemaType, validateValue } from '@sluice/sdk';
import { QUICKSTARTS } from './quickstarts.js';
import { readSchema } from './read-schema.js';
import { Random } from '../random.js';

const draw = (index: number): { readonly index: number; readonly random: Random } => ({
  index,
  random: new Random().at({ seed: 1, partition: 0, seq: index }),
});
const schemaOf = (...fields: readonly JsonValue[]): string => JSON.stringify({ name: 'Test', fields });

/** The values of the field `x` in the first records. */
function valuesOf(field: { readonly [name: string]: JsonValue }, count = 200): readonly unknown[] {
  const { schema, make } = readSchema(schemaOf({ field: 'x', ...field }));
  return Array.from({ length: count }, (_, index) => {
    const value = make(draw(index)) as ConnectObject;
    validateValue(schema, value);
    return value['x'];
  });
}

describe('a schema', () => {
  it.each(['boolean', 'int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'string', 'bytes', 'date', 'time', 'timestamp'])(
    'makes different values of the type %s without more',
    (type) => {
      expect(new Set(valuesOf({ type }).map(String)).size).toBeGreaterThan(1);
    },
  );

  it.each<readonly [string, { readonly [name: string]: JsonValue }, (value: never) => boolean]>([
    ['int32', { type: 'int32', range: [-2, 3] }, (value: number) => value >= -2 && value <= 3],
    ['int64', { type: 'int64', range: [5, 7] }, (value: bigint) => value >= 5n && value <= 7n],
    ['float64', { type: 'float64', range: [1.5, 2] }, (value: number) => value >= 1.5 && value <= 2],
    ['decimal', { type: 'decimal', scale: 2, range: ['1.50', '1.53'] }, (value: Decimal) => value.scale === 2 && Number(value) <= 1.53],
    ['date', { type: 'date', range: ['2026-01-01', '2026-01-04'] }, (value: Date) => value.toISOString().startsWith('2026-01-0')],
    ['time', { type: 'time', range: ['08:00:00', '08:00:01.5'] }, (value: Date) => value.getTime() - 28_800_000 <= 1500],
    ['format', { type: 'string', format: 'User_{}!', range: [1, 3] }, (value: string) => /^User_[123]!$/.test(value)],
    ['length', { type: 'string', length: [2, 4] }, (value: string) => value.length >= 2 && value.length <= 4],
    ['bytes', { type: 'bytes', length: 3 }, (value: Uint8Array) => value.length === 3],
    ['items', { type: 'array', length: [1, 2], items: { type: 'int8' } }, (value: unknown[]) => value.length > 0 && value.length < 3],
  ])('keeps values within what the field names: %s', (_name, field, isAllowed) => {
    const values = valuesOf(field);
    expect(values.filter((value) => !isAllowed(value as never))).toEqual([]);
    expect(new Set(values.map(String)).size).toBeGreaterThan(1);
  });

  it('reaches both ends of a range', () => {
    expect(new Set(valuesOf({ type: 'int8', range: [-1, 1] }))).toEqual(new Set([-1, 0, 1]));
  });

  it('takes options of any type', () => {
    expect(new Set(valuesOf({ type: 'string', options: ['a', 'b'] }))).toEqual(new Set(['a', 'b']));
    expect(new Set(valuesOf({ type: 'bytes', options: ['AQI='] }).map((bytes) => (bytes as Buffer).toString('hex')))).toEqual(
      new Set(['0102']),
    );
    expect(valuesOf({ type: 'decimal', scale: 1, options: ['2.5'] }, 1)).toEqual([new Decimal(25n, 1)]);
    expect(valuesOf({ type: 'timestamp', options: ['2026-05-01T08:00:00Z'] }, 1)).toEqual([new Date('2026-05-01T08:00:00Z')]);
  });

  it('counts in sequences, from the start again after as many records as said, or where the type ends', () => {
    expect(valuesOf({ type: 'int64', sequence: { start: 5, step: 10 } }, 3)).toEqual([5n, 15n, 25n]);
    expect(valuesOf({ type: 'string', format: 'n{}', sequence: { restart: 2 } }, 3)).toEqual(['n0', 'n1', 'n0']);
    expect(valuesOf({ type: 'int8', sequence: { start: 100, step: 20 } }, 3)).toEqual([100, 120, 100]);
    expect(valuesOf({ type: 'int8', sequence: { start: -100, step: -20 } }, 3)).toEqual([-100, -120, -100]);
    expect(valuesOf({ type: 'decimal', scale: 2, sequence: { start: '1.00', step: 0.25 } }, 2)).toEqual([
      new Decimal(100n, 2),
      new Decimal(125n, 2),
    ]);
    expect(valuesOf({ type: 'date', sequence: { start: '2026-02-28' } }, 2)).toEqual([new Date('2026-02-28'), new Date('2026-03-01')]);
    expect(valuesOf({ type: 'float64', sequence: { start: 0.5, step: 0.5 } }, 2)).toEqual([0.5, 1]);
  });

  it('leaves out the share of values that nulls says, and makes the field optional', () => {
    const values = valuesOf({ type: 'int8', nulls: 0.25 }, 2000);
    expect(values.filter((value) => value === null).length / 2000).toBeCloseTo(0.25, 1);
    expect(readSchema(schemaOf({ field: 'x', type: 'int8', nulls: 0.25 })).schema.fields?.[0]?.schema.optional).toBe(true);
  });

  it('may be in the form of Kafka Connect', () => {
    const text = schemaOf(
      { field: 'd', type: 'bytes', name: LogicalType.decimal, version: 1, parameters: { scale: '3' }, optional: false },
      { field: 't', type: 'int64', name: LogicalType.timestamp, doc: 'when' },
      { field: 's', type: 'struct', name: 'Inner', fields: [{ field: 'y', type: 'int8', optional: true }] },
    );
    expect(readSchema(text).schema).toMatchObject({
      type: SchemaType.struct,
      name: 'Test',
      fields: [
        { name: 'd', schema: { type: SchemaType.bytes, name: LogicalType.decimal, parameters: { scale: '3' } } },
        { name: 't', schema: { type: SchemaType.int64, name: LogicalType.timestamp, doc: 'when' } },
        { name: 's', schema: { name: 'Inner', fields: [{ name: 'y', schema: { optional: true } }] } },
      ],
    });
  });

  it.each(Object.entries(QUICKSTARTS))('is built in: %s', (_name, { key, schema }) => {
    const { fields, make, schema: read } = readSchema(JSON.stringify(schema));
    expect(fields.get(key)?.schema.optional).not.toBe(true);
    for (let index = 0; index < 100; index += 1) validateValue(read, make(draw(index)));
  });

  it.each<readonly [JsonValue, string]>([
    [{ type: 'integer' }, 'x.type: "integer" given; allowed are boolean, int8'],
    [{ type: 'map' }, 'x.type: "map" given; allowed are boolean, int8'],
    [{}, 'x.type: nothing given; allowed are boolean, int8'],
    [{ type: 'int32', name: LogicalType.timestamp }, 'x.type: "int32" given; org.apache.kafka.connect.data.Timestamp is kept in int64'],
    [{ type: 'int8', range: [5, 1] }, 'x.range: [5,1] given; the least must not be above the greatest'],
    [{ type: 'int8', range: [5, 128] }, 'x.range[1]: 128 given; allowed is a whole number, within what the type holds'],
    [{ type: 'int8', range: 5 }, 'x.range: 5 given; allowed is [least, greatest]'],
    [{ type: 'int64', range: [-(2 ** 53) + 1, 2 ** 53 - 1] }, 'x.range: [-9007199254740991,9007199254740991] given; its ends'],
    [{ type: 'int8', rnage: [1, 5] }, 'x.rnage: [1,5] given; allowed here are field, type, name, nulls'],
    [{ type: 'boolean', range: [1, 5] }, 'x.range: [1,5] given; allowed here are field, type, name, nulls'],
    [{ type: 'int8', range: [1, 2], sequence: {} }, 'x.range: a range beside a sequence given; a field has one of them'],
    [{ type: 'int8', sequence: { step: 0 } }, 'x.sequence.step: 0 given; allowed are numbers of the type but 0'],
    [{ type: 'int8', sequence: { stop: 1 } }, 'x.sequence.stop: 1 given; allowed are start, step, restart'],
    [{ type: 'int8', sequence: { restart: 129 } }, 'x.sequence.restart: 129 given; allowed are whole numbers of records from 1 to 128'],
    [{ type: 'decimal' }, 'x.scale: nothing given; a decimal needs its digits after the point, 0 to 15'],
    [{ type: 'decimal', scale: 1, range: ['0.25', '1'] }, 'x.range[0]: "0.25" given; allowed is a number with at most 1 digits'],
    [{ type: 'date', range: ['2026-02-30', '2026-03-01'] }, 'x.range[0]: "2026-02-30" given; allowed is a day such as "2026-05-01"'],
    [{ type: 'string', options: [] }, 'x.options: [] given; allowed are lists of 1 to 10000 values'],
    [{ type: 'string', options: ['a', 5] }, 'x.options[1]: 5 given; allowed are values of string'],
    [{ type: 'string', format: 'User' }, 'x.format: "User" given; allowed is a text with one {}'],
    [{ type: 'string', length: -1 }, 'x.length: -1 given; allowed are whole numbers from 0 to 1000000'],
    [{ type: 'string', nulls: 2 }, 'x.nulls: 2 given; allowed are shares from 0 to 1'],
    [{ type: 'string', nulls: 0.5, optional: false }, 'x.nulls: 0.5 given; a field that is not optional has none'],
    [{ type: 'array' }, 'x.items: nothing given; allowed is a JSON object'],
    [
      { type: 'array', length: 10_000, items: { type: 'string', length: 1000 } },
      'x: values of up to about 10000000 bytes given; a message',
    ],
    [{ type: 'struct', fields: [{ field: 'y', type: 'no' }] }, 'x.y.type: "no" given'],
  ])('with the field %j is refused by name', (field, message) => {
    const text = schemaOf({ field: 'x', ...(field as object) });
    expect(() => readSchema(text)).toThrow(message);
  });

  it.each<readonly [string, string]>([
    ['{"fields":', 'schema: no JSON'],
    ['[]', 'schema: [] given; allowed is a JSON object'],
    ['{"type":"record","fields":[]}', 'schema.type: "record" given; a record is a struct; Avro schemas are not read'],
    ['{"fields":[]}', 'schema.fields: [] given; a struct needs a list of at least one field'],
    ['{"fields":[{"type":"int8"}]}', 'fields[0].field: nothing given; a field needs a name'],
    ['{"fields":[{"field":"a","type":"int8"},{"field":"a","type":"int8"}]}', 'fields[1].field: "a" given; each name is allowed once'],
    ['{"fields":[{"field":"__proto__","type":"int8"}]}', 'fields[0].field: "__proto__" given; allowed is any other name'],
    ['{"namespace":"x","fields":[{"field":"a","type":"int8"}]}', 'schema.namespace: "x" given; allowed here are type, name, fields'],
  ])('such as %s is refused by name', (text, message) => {
    expect(() => readSchema(text)).toThrow(message);
  });
});
