import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, JsonNumber, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { problemsOf, valueAfter } from '../testing/run-transform.js';

const masked = (value: ConnectValue, schema?: Schema, replacement?: string): ConnectValue | undefined => {
  const settings = { fields: 'f', ...(replacement === undefined ? undefined : { replacement }) };
  const struct = schema && SchemaBuilder.struct().field('f', schema).build();
  const after = valueAfter(
    'MaskField$Value',
    settings,
    { f: value, q: 1 },
    struct && { ...struct, fields: [...(struct.fields ?? []), { name: 'q', schema: schemas.int8 }] },
  );
  return (after?.value as { readonly f: ConnectValue }).f;
};

describe('MaskField', () => {
  it.each<[ConnectValue, string | undefined, ConnectValue]>([
    ['x', undefined, ''],
    [1, undefined, 0],
    [2n ** 60n, undefined, 0],
    [1.5, undefined, 0],
    [true, undefined, false],
    [[1], undefined, []],
    [{ a: 1 }, undefined, {}],
    [new Date(5), undefined, new Date(0)],
    [null, undefined, null],
    ['x', '12', '12'],
    [1, '12.9', 12],
    [1.5, '12.9', 12.9],
    [new JsonNumber('1.50'), '12', 12],
    [1, '9007199254740993', 9_007_199_254_740_993n],
  ])('puts in the place of %p, with the replacement %p, %p', (value, replacement, expected) => {
    expect(masked(value, undefined, replacement)).toEqual(expected);
  });

  it.each<[Schema, ConnectValue, string | undefined, ConnectValue]>([
    [schemas.int8, 1, '300', 44],
    [schemas.int64, 1n, '99999999999999999999', 7_766_279_631_452_241_919n],
    [schemas.float32, 1.5, '0.1', 0.1],
    [schemas.float64, 1.5, '1e3', 1000],
    [SchemaBuilder.decimal(2).build(), Decimal.parse('1.56'), undefined, new Decimal(0n, 2)],
    [SchemaBuilder.decimal(2).build(), Decimal.parse('1.56'), '7.5', new Decimal(750n, 2)],
    [schemas.date, new Date('2024-01-02'), undefined, new Date(0)],
    [schemas.string, Buffer.from('secret'), '***', '***'],
    [SchemaBuilder.map(schemas.int8, schemas.int8).build(), new Map([[1, 2]]), undefined, new Map()],
  ])('keeps the type %j of %p, with the replacement %p: %p', (schema, value, replacement, expected) => {
    expect(masked(value, schema, replacement)).toEqual(expected);
  });

  it.each<[ConnectValue, Schema | undefined, string | undefined, string]>([
    [1, undefined, 'xyz', 'Unable to convert the replacement to a number'],
    [true, undefined, '1', 'Cannot mask value of type boolean with custom replacement'],
    [[1], undefined, '1', 'Cannot mask value of type array with custom replacement'],
    [Buffer.from('a'), undefined, undefined, 'Cannot mask value of type: bytes'],
    [{}, SchemaBuilder.struct().build(), undefined, 'Cannot mask value of type: struct'],
  ])('refuses %p with the schema %j and the replacement %p', (value, schema, replacement, message) => {
    expect(() => masked(value, schema, replacement)).toThrow(message);
  });

  it('masks along paths, adds null for a field that a map has not, and replaces null by a default', () => {
    const settings = { fields: 'a.b,zz', 'field.syntax.version': 'V2' };
    expect(valueAfter('MaskField$Value', settings, { a: { b: 'x', c: 'y' } })?.value).toEqual({ a: { b: '', c: 'y' }, zz: null });
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.string().optional().default('z')).build();
    expect(valueAfter('MaskField$Value', { fields: 'q' }, { a: null }, schema)).toEqual({ value: { a: 'z' }, schema });
    const asIs = { fields: 'a', 'replace.null.with.default': 'false' };
    expect(valueAfter('MaskField$Value', asIs, { a: null }, schema)?.value).toEqual({ a: null });
  });

  it('refuses a tombstone, no fields and an empty replacement', () => {
    expect(() => valueAfter('MaskField$Value', { fields: 'a' }, null)).toThrow('[mask fields], found: null');
    expect(problemsOf('MaskField$Value', { fields: '', replacement: '' })).toHaveLength(2);
  });
});
