import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, JsonNumber, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { applied, problemsOf, transformOf, valueAfter } from '../testing/run-transform.js';

const whole = (type: string, value: ConnectValue, schema?: Schema): ConnectValue | undefined =>
  valueAfter('Cast$Value', { spec: type }, value, schema)?.value;

describe('Cast of a whole value', () => {
  it.each<[ConnectValue, string, ConnectValue]>([
    [300, 'int8', 44],
    [new JsonNumber('1e10'), 'int32', 2_147_483_647],
    [new JsonNumber('1e10'), 'int8', -1],
    [new JsonNumber('1e30'), 'int64', 2n ** 63n - 1n],
    [12_345_678_901_234_567_890_123n, 'int64', 4_807_115_922_877_859_019n],
    [7, 'INT64', 7n],
    ['9223372036854775807', 'int64', 9_223_372_036_854_775_807n],
    ['+12', 'int32', 12],
    [' 12 ', 'float64', 12],
    ['1.5d', 'float64', 1.5],
    ['NaN', 'float64', NaN],
    [0.1, 'float32', 0.1],
    [1 / 3, 'float32', 0.33333334],
    [true, 'int64', 1n],
    ['TRUE', 'boolean', true],
    ['yes', 'boolean', false],
    [0.5, 'boolean', false],
    [0.1, 'string', '0.1'],
    [100, 'string', '100'],
    [new JsonNumber('100.0'), 'string', '100.0'],
    [new JsonNumber('1e30'), 'string', '1.0E30'],
    [new JsonNumber('12345678901234567.89'), 'string', '12345678901234567.89'],
    [1e-5, 'string', '1.0E-5'],
    [true, 'string', 'true'],
    [Buffer.from([0, 156]), 'string', 'AJw='],
  ])('makes of %p by %s %p', (value, type, expected) => {
    expect(whole(type, value)).toEqual(expected);
  });

  it.each<[Schema, ConnectValue, string, ConnectValue]>([
    [SchemaBuilder.decimal(2).build(), Decimal.parse('1.56'), 'string', '1.56'],
    [SchemaBuilder.decimal(2).build(), Decimal.parse('-1.56'), 'int64', -1n],
    [schemas.date, new Date('2022-01-08'), 'string', '2022-01-08'],
    [schemas.date, new Date('2022-01-08'), 'int32', 19_000],
    [schemas.timestamp, new Date(1_700_000_000_123), 'string', '2023-11-14T22:13:20.123Z'],
    [schemas.timestamp, new Date(1_700_000_000_123), 'int32', -807_049_093],
    [schemas.timestamp, new Date(-1), 'string', '1969-12-31T23:59:59.999Z'],
    [schemas.date, new Date(-86_400_000), 'string', '1969-12-31'],
    [schemas.time, new Date(3_600_000), 'string', '01:00:00.000Z'],
    [schemas.float32, Math.fround(0.1), 'string', '0.1'],
    [schemas.float64, 1e21, 'string', '1.0E21'],
    [schemas.float64, 5, 'string', '5.0'],
    [schemas.float64, -27_500_000_000, 'int16', 0],
    [schemas.int64, -27_500_000_000n, 'int16', 19_712],
    [schemas.float32, 1.9, 'float64', 1.899999976158142],
    [schemas.string, Buffer.from('12'), 'int32', 12],
  ])('makes of a %j, %p, by %s %p', (schema, value, type, expected) => {
    expect(whole(type, value, schema)).toEqual(expected);
  });

  it('keeps name, version, optionality and default, but no logical name', () => {
    const schema = SchemaBuilder.int64().name('Id').version(3).optional().default(300n).build();
    expect(valueAfter('Cast$Value', { spec: 'int8' }, 5n, schema)).toEqual({
      value: 5,
      schema: { type: 'int8', optional: true, default: 44, name: 'Id', version: 3 },
    });
    expect(valueAfter('Cast$Value', { spec: 'string' }, new Date(0), schemas.timestamp)?.schema).toEqual({ type: 'string' });
  });

  it.each<[string, ConnectValue, Schema | undefined, string]>([
    ['int8', '300', undefined, 'out of range for requested data type int8'],
    ['int32', ' 12', undefined, 'out of range'],
    ['float64', '1,5', undefined, 'out of range'],
    ['string', [1], undefined, 'does not support casting from array'],
    ['string', { a: 1 }, undefined, 'does not support casting from map'],
    ['int8', Buffer.from('a'), undefined, 'does not support casting from bytes'],
    ['string', {}, SchemaBuilder.struct().build(), 'does not support casting from struct'],
  ])('to %s refuses %p', (spec, value, schema, message) => {
    expect(() => valueAfter('Cast$Value', { spec }, value, schema)).toThrow(message);
  });
});

describe('Cast of fields', () => {
  it('casts those of maps, and puts null where one is missing', () => {
    expect(valueAfter('Cast$Value', { spec: 'a:int8,b:string,c:boolean' }, { a: 300, b: 1.5, q: 'x' })?.value).toEqual({
      a: 44,
      b: '1.5',
      q: 'x',
      c: null,
    });
  });

  it('casts those of structs with their defaults, once per schema, in the key too', () => {
    const schema = SchemaBuilder.struct('N')
      .field('a', SchemaBuilder.string().optional().default('7'))
      .field('b', SchemaBuilder.string().optional().default('8'))
      .build();
    const transform = transformOf('org.apache.kafka.connect.transforms.Cast$Key', { spec: 'a:int32' });
    const record = { topic: 't', key: { a: null, b: null }, keySchema: schema, value: 'v' };
    const cast = transform.apply(record);
    expect(cast).toMatchObject({ key: { a: 7, b: '8' }, value: 'v' });
    expect(cast?.keySchema).toMatchObject({ name: 'N', fields: [{ schema: { type: 'int32', optional: true, default: 7 } }, {}] });
    expect(transform.apply(record)?.keySchema).toBe(cast?.keySchema);
    const asIs = applied('Cast$Key', { spec: 'a:int32', 'replace.null.with.default': 'false' }, record);
    expect(asIs?.key).toEqual({ a: null, b: null });
  });

  it('casts along paths', () => {
    const settings = { spec: 'a.b:string,`x.y`:int8', 'field.syntax.version': 'V2' };
    expect(valueAfter('Cast$Value', settings, { a: { b: 1, c: 2 }, 'x.y': '5' })?.value).toEqual({ a: { b: '1', c: 2 }, 'x.y': 5 });
    const schema = SchemaBuilder.struct().field('a', SchemaBuilder.struct().field('b', schemas.int64).optional()).build();
    expect(valueAfter('Cast$Value', { ...settings, spec: 'a.b:string' }, { a: null }, schema)?.value).toEqual({ a: null });
    const nested = valueAfter('Cast$Value', { ...settings, spec: 'a.b:string' }, { a: { b: 1n } }, schema);
    expect(nested?.value).toEqual({ a: { b: '1' } });
    expect(nested?.schema?.fields?.[0]?.schema).toEqual({
      type: 'struct',
      optional: true,
      fields: [{ name: 'b', schema: { type: 'string' } }],
    });
  });

  it.each([
    ['', 'List must not be empty'],
    ['a:int32:x', 'allowed are a type, or a field and a type'],
    ['a:foo', 'does not support casting to foo; supported types are int8, int16'],
    ['bytes', 'does not support casting to bytes'],
    ['int8,a:int8', 'a type for the whole value may only be given alone'],
  ])('refuses the spec %p', (spec, message) => {
    expect(problemsOf('Cast$Value', { spec })).toEqual([expect.stringContaining(message)]);
  });

  it('refuses what has no fields', () => {
    expect(() => valueAfter('Cast$Value', { spec: 'a:int8' }, 'text')).toThrow('in absence of schema for [cast types], found: string');
    expect(() => valueAfter('Cast$Value', { spec: 'a:int8' }, {}, SchemaBuilder.map(schemas.string, schemas.int8).build())).toThrow(
      'Only Struct objects supported for [cast types], found: map',
    );
  });

  it.each([
    ['float64', 'blanks', `1${' '.repeat(60_000)}x`],
    ['float64', 'digits', `${'1'.repeat(60_000)}x`],
    ['int64', 'digits', '1'.repeat(1_000_000)],
  ])('refuses as %s a text of many %s in time in proportion to it', (spec, _, text) => {
    const before = process.cpuUsage();
    expect(() => valueAfter('Cast$Value', { spec }, text)).toThrow();
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
  });

  it('takes leading zeros without end', () => {
    expect(valueAfter('Cast$Value', { spec: 'int64' }, `-${'0'.repeat(30)}12`)?.value).toBe(-12n);
    expect(valueAfter('Cast$Value', { spec: 'int8' }, '+0')?.value).toBe(0);
  });
});
