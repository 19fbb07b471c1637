import { describe, expect, it } from '@jest/globals';
import { Decimal, LogicalType, type RecordHeader, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { applied, problemsOf, transformOf } from '../testing/run-transform.js';

const header = (key: string, value: RecordHeader['value'], schema?: RecordHeader['schema']): RecordHeader => ({
  key,
  value,
  ...(schema === undefined ? undefined : { schema }),
});

describe('DropHeaders', () => {
  it('removes all headers with the keys and keeps the others in order: equal keys, null and binary ones', () => {
    const binary = Buffer.from([0, 255]);
    const headers = [header('a', 1), header('b', null), header('a', 2), header('c', binary), header('b', 'x'), header('c', null)];
    const dropped = applied('DropHeaders', { headers: 'a, q' }, { headers });
    expect(dropped?.headers).toEqual([header('b', null), header('c', binary), header('b', 'x'), header('c', null)]);
  });

  it('returns the very record where there is nothing to remove', () => {
    const transform = transformOf('DropHeaders', { headers: 'q' });
    const records = [
      { topic: 't', value: 1 },
      { topic: 't', value: 1, headers: [header('a', 1)] },
    ];
    expect(records.map((record) => transform.apply(record) === record)).toEqual([true, true]);
    expect(problemsOf('DropHeaders', { headers: ' ' })).toEqual([expect.stringContaining('List must not be empty')]);
  });
});

describe('InsertHeader', () => {
  it.each<[string, RecordHeader['value'], Partial<Schema> | undefined]>([
    ['9223372036854775807', 2n ** 63n - 1n, { type: 'int64' }],
    ['9223372036854775808', new Decimal(2n ** 63n, 0), { name: LogicalType.decimal, parameters: { scale: '0' } }],
    ['0012', 12, { type: 'int8' }],
    ['1e3', 1000, { type: 'int16' }],
    ['true', true, { type: 'boolean' }],
    ['TRUE', 'TRUE', { type: 'string' }],
    ['', '', { type: 'string' }],
    ['1.5', 1.5, { type: 'float32' }],
    ['null', null, undefined],
    ['2024-01-02', new Date('2024-01-02'), { name: LogicalType.date }],
    ['[1,300]', [1, 300], { type: 'array' }],
    ['eu-1', 'eu-1', { type: 'string' }],
  ])('adds %j as %p', (literal, value, schema) => {
    const inserted = applied('InsertHeader', { header: 'h', 'value.literal': literal }, { headers: [header('h', 'old')] });
    expect(inserted?.headers?.[0]).toEqual(header('h', 'old'));
    expect(inserted?.headers?.[1]).toMatchObject({ key: 'h', value });
    if (schema === undefined) expect(inserted?.headers?.[1]).not.toHaveProperty('schema');
    else expect(inserted?.headers?.[1]?.schema).toMatchObject(schema);
  });

  it('takes a record without headers, and demands both settings', () => {
    expect(applied('InsertHeader', { header: 'h', 'value.literal': 'x' }, {})?.headers).toHaveLength(1);
    expect(problemsOf('InsertHeader', {})).toHaveLength(2);
  });
});

describe('HeaderFrom', () => {
  const move = { fields: 'a,b', headers: 'x,y', operation: 'move' };

  it('moves fields of maps behind the headers that there are, null too', () => {
    const record = { value: { a: 1, b: null, c: 3 }, headers: [header('x', 'old')] };
    expect(applied('HeaderFrom$Value', move, record)).toMatchObject({
      value: { c: 3 },
      headers: [header('x', 'old'), header('x', 1), header('y', null)],
    });
    expect(record.headers).toHaveLength(1);
  });

  it('copies them, with null for one that is missing', () => {
    const copied = applied('HeaderFrom$Key', { ...move, fields: 'a,zz', operation: 'copy' }, { key: { a: 1 }, value: null });
    expect(copied).toEqual({ topic: 't', key: { a: 1 }, value: null, headers: [header('x', 1), header('y', null)] });
  });

  it('gives headers the schemas of fields, and removes these from the schema', () => {
    const schema = SchemaBuilder.struct('N')
      .field('a', SchemaBuilder.int32().optional().default(4))
      .field('b', schemas.string)
      .optional()
      .build();
    const own = schema.fields?.[0]?.schema;
    const settings = { fields: 'a', headers: 'x', operation: 'move' };
    const moved = applied('HeaderFrom$Value', settings, { value: { a: null, b: 'q' }, schema });
    expect(moved).toMatchObject({ value: { b: 'q' }, headers: [{ key: 'x', value: 4, schema: own }] });
    expect(moved?.schema).toEqual({ type: 'struct', name: 'N', fields: [{ name: 'b', schema: schemas.string }] });
    const asIs = applied(
      'HeaderFrom$Value',
      { ...settings, operation: 'copy', 'replace.null.with.default': 'false' },
      { value: { a: null, b: 'q' }, schema },
    );
    expect(asIs).toMatchObject({ value: { a: null, b: 'q' }, schema, headers: [{ key: 'x', value: null }] });
  });

  it('leads to fields by paths', () => {
    const settings = { fields: 'a.b', headers: 'x', operation: 'move', 'field.syntax.version': 'V2' };
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.struct().field('b', schemas.int8).field('c', schemas.int8)).build();
    const moved = applied('HeaderFrom$Value', settings, { value: { a: { b: 1, c: 2 } }, schema });
    expect(moved).toMatchObject({ value: { a: { c: 2 } }, headers: [{ value: 1, schema: schemas.int8 }] });
    expect(applied('HeaderFrom$Value', settings, { value: { a: { b: 1, c: 2 } } })?.value).toEqual({ a: { c: 2 } });
  });

  it('refuses null, unknown fields of a schema, and lists of different lengths', () => {
    expect(() => applied('HeaderFrom$Value', move, { value: null })).toThrow('[header move], found: null');
    const schema = SchemaBuilder.struct().field('q', schemas.int8).build();
    expect(() => applied('HeaderFrom$Value', move, { value: { q: 1 }, schema })).toThrow('Unknown field: a; the schema has q');
    expect(problemsOf('HeaderFrom$Value', { ...move, headers: 'x' })).toEqual([
      "'fields' config must have the same number of elements as 'headers' config; 2 and 1 given.",
    ]);
    expect(problemsOf('HeaderFrom$Value', { ...move, operation: 'MOVE' })).toEqual([
      expect.stringContaining('String must be one of: move, copy'),
    ]);
  });
});
