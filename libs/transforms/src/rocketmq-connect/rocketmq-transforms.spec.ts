import { describe, expect, it } from '@jest/globals';
import { Decimal, type RawConfig, SchemaBuilder, schemas } from '@sluice/sdk';
import { applied, pluginOf, problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';
import { type CaseFormat, changeCase } from './case-format.js';

describe('ChangeCase', () => {
  it.each<[CaseFormat, CaseFormat, string, string]>([
    ['UPPER_UNDERSCORE', 'LOWER_CAMEL', 'FIRST_NAME', 'firstName'],
    ['LOWER_CAMEL', 'UPPER_UNDERSCORE', 'firstName', 'FIRST_NAME'],
    ['UPPER_CAMEL', 'LOWER_HYPHEN', 'FirstName', 'first-name'],
    ['LOWER_HYPHEN', 'UPPER_CAMEL', 'first-name', 'FirstName'],
    ['LOWER_UNDERSCORE', 'LOWER_UNDERSCORE', 'First_Name', 'First_Name'],
    ['LOWER_CAMEL', 'LOWER_UNDERSCORE', 'userID', 'user_i_d'],
  ])('%s to %s: %s becomes %s', (from, to, name, expected) => {
    expect(changeCase(name, from, to)).toBe(expected);
  });

  const settings = { from: 'UPPER_UNDERSCORE', to: 'LOWER_CAMEL' };

  it('changes the names of fields of maps and structs, at the top alone', () => {
    expect(valueAfter('ChangeCase$Value', settings, { FIRST_NAME: { A_B: 1 } })?.value).toEqual({ firstName: { A_B: 1 } });
    const schema = SchemaBuilder.struct('N').field('FIRST_NAME', schemas.string).optional().build();
    expect(valueAfter('org.apache.rocketmq.connect.transforms.ChangeCase$Value', settings, { FIRST_NAME: 'x' }, schema)).toEqual({
      value: { firstName: 'x' },
      schema: { type: 'struct', name: 'N', optional: true, fields: [{ name: 'firstName', schema: schemas.string }] },
    });
    expect(valueAfter('ChangeCase$Value', settings, null)?.value).toBeNull();
  });

  it('refuses two fields that get one name, values without fields and unknown cases', () => {
    const schema = SchemaBuilder.struct().field('A_B', schemas.int8).field('A__B', schemas.int8).build();
    expect(() => valueAfter('ChangeCase$Value', settings, { A_B: 1, A__B: 2 }, schema)).toThrow('field name duplication aB');
    expect(() => valueAfter('ChangeCase$Value', settings, 'x')).toThrow('found: string');
    expect(problemsOf('ChangeCase$Value', { ...settings, to: 'SNAKE' })).toEqual([
      expect.stringContaining('String must be one of: LOWER_HYPHEN'),
    ]);
  });
});

describe('ExtractNestedField', () => {
  const settings = { 'input.outer.field.name': 'address', 'input.inner.field.name': 'state' };

  it('copies a field to the top', () => {
    const value = { address: { state: 'NY', zip: 1 } };
    expect(valueAfter('ExtractNestedField$Value', settings, value)?.value).toEqual({ ...value, state: 'NY' });
    expect(valueAfter('ExtractNestedField$Value', { ...settings, 'output.field.name': 'out' }, value)?.value).toEqual({
      ...value,
      out: 'NY',
    });
    expect([{ address: null }, {}].map((each) => valueAfter('ExtractNestedField$Value', settings, each)?.value)).toEqual([
      { address: null, state: null },
      { state: null },
    ]);
  });

  it('adds it to the schema, optional where the struct is', () => {
    const schema = SchemaBuilder.struct('N').field('address', SchemaBuilder.struct().field('state', schemas.string).optional()).build();
    const after = valueAfter('ExtractNestedField$Value', settings, { address: null }, schema);
    expect(after?.value).toEqual({ address: null, state: null });
    expect(after?.schema).toEqual({
      type: 'struct',
      name: 'N',
      fields: [...(schema.fields ?? []), { name: 'state', schema: { type: 'string', optional: true } }],
    });
    expect(() => valueAfter('ExtractNestedField$Value', { ...settings, 'input.inner.field.name': 'x' }, { address: null }, schema)).toThrow(
      'Unknown field: x in address',
    );
  });
});

describe('PatternFilter', () => {
  it.each<[RawConfig, object, boolean]>([
    [{ fields: 'a,b' }, { a: 'x', b: 'test-1' }, true],
    [{ fields: 'a' }, { a: 'x', b: 'test-1' }, false],
    [{ fields: 'a' }, { a: 'my-test-1' }, false],
    [{ fields: 'a' }, { a: 5 }, false],
    [{ fields: 'a' }, {}, false],
    [{ fields: 'a.b', 'field.syntax.version': 'V2' }, { a: { b: 'test-' } }, true],
  ])('with %j of %j: dropped is %p', (settings, value, isDropped) => {
    const after = valueAfter('PatternFilter$Value', { pattern: 'test-.*', ...settings }, value as never);
    expect(after === undefined).toBe(isDropped);
  });

  it('takes time in proportion to a text', () => {
    const value = { a: 'a'.repeat(5000) };
    expect(valueAfter('PatternFilter$Value', { pattern: '(\\w+\\s?)*!', fields: 'a' }, value)).toEqual({ value });
  });

  it('looks at structs, at keys, and never at tombstones', () => {
    const settings = { pattern: 'x', fields: 'a' };
    const schema = SchemaBuilder.struct().field('a', schemas.string).build();
    expect(valueAfter('PatternFilter$Value', settings, { a: 'x' }, schema)).toBeUndefined();
    expect(applied('PatternFilter$Key', settings, { key: { a: 'x' }, value: 1 })).toBeUndefined();
    expect(valueAfter('PatternFilter$Value', settings, null)).toEqual({ value: null });
    expect(problemsOf('PatternFilter$Value', { ...settings, pattern: '(' })).toEqual([expect.stringContaining('Unterminated group')]);
  });
});

describe('PatternRename', () => {
  const settings = { 'field.pattern': 'prefix(\\d*)_', 'field.replacement': 'p$1' };

  it('renames fields that contain a match, every one in the name', () => {
    expect(valueAfter('PatternRename$Value', settings, { prefix1_a: 1, b: 2, prefix_prefix2_: 3, PREFIX_c: 4 })?.value).toEqual({
      p1a: 1,
      b: 2,
      pp2: 3,
      PREFIX_c: 4,
    });
    const insensitive = { ...settings, 'field.pattern.flags': 'CASE_INSENSITIVE' };
    const schema = SchemaBuilder.struct('N').doc('D').field('PREFIX_c', schemas.int8).optional().build();
    expect(valueAfter('PatternRename$Value', insensitive, { PREFIX_c: 4 }, schema)).toEqual({
      value: { pc: 4 },
      schema: { type: 'struct', name: 'N', doc: 'D', optional: true, fields: [{ name: 'pc', schema: schemas.int8 }] },
    });
    expect(valueAfter('PatternRename$Value', settings, null)?.value).toBeNull();
  });

  it('refuses unknown flags and groups, and two fields that get one name', () => {
    expect(problemsOf('PatternRename$Value', { ...settings, 'field.pattern.flags': 'CANON_EQ' })).toEqual([
      expect.stringContaining('allowed are CASE_INSENSITIVE, UNICODE_CASE, DOTALL'),
    ]);
    expect(problemsOf('PatternRename$Value', { ...settings, 'field.replacement': '$2' })).toEqual([expect.stringContaining('No group 2')]);
    const schema = SchemaBuilder.struct().field('prefix_a', schemas.int8).field('pa', schemas.int8).build();
    expect(() => valueAfter('PatternRename$Value', settings, { prefix_a: 1, pa: 2 }, schema)).toThrow('field name duplication pa');
  });
});

describe('SetMaximumPrecision', () => {
  it('limits the precision that schemas of decimals state, and keeps values', () => {
    const limited = SchemaBuilder.decimal(2).parameter('connect.decimal.precision', '10').optional();
    const schema = SchemaBuilder.struct('N').field('a', SchemaBuilder.decimal(2)).field('b', limited).field('c', schemas.int8).build();
    const value = { a: Decimal.parse('1.50'), b: null, c: 1 };
    const after = valueAfter('SetMaximumPrecision$Value', { 'precision.max': '32' }, value, schema);
    expect(after?.value).toBe(value);
    expect(after?.schema?.fields?.map(({ schema: own }) => own.parameters)).toEqual([
      { scale: '2', 'connect.decimal.precision': '32' },
      { scale: '2', 'connect.decimal.precision': '10' },
      undefined,
    ]);
  });

  it('returns the very record where there is nothing to limit', () => {
    const transform = transformOf('SetMaximumPrecision$Value', { 'precision.max': '64' });
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.decimal(2)).build();
    const records = [{ value: null }, { value: { a: 1 } }, { value: { a: Decimal.parse('1.50') }, schema }].map((each) => ({
      topic: 't',
      ...each,
    }));
    expect(records.map((record) => transform.apply(record) === record)).toEqual([true, true, true]);
    expect(problemsOf('SetMaximumPrecision$Value', { 'precision.max': '65' })).toEqual([expect.stringContaining('no more than 64')]);
  });
});

describe('SetNull', () => {
  it('makes key or value null, without a schema', () => {
    const record = { key: 'k', keySchema: schemas.string, value: 'v', schema: schemas.string };
    expect(applied('SetNull$Key', {}, record)).toEqual({ topic: 't', key: null, value: 'v', schema: schemas.string });
    expect(applied('SetNull$Value', {}, record)).toEqual({ topic: 't', key: 'k', keySchema: schemas.string, value: null });
    expect(Object.keys(pluginOf('SetNull$Key').spec)).toEqual(['field.pattern', 'field.pattern.flags', 'field.replacement']);
  });
});
