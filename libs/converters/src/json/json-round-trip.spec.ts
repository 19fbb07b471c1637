import { describe, expect, it } from '@jest/globals';
import { type ConnectValue, Decimal, type Schema, SchemaBuilder, validateValue } from '@sluice/sdk';
import fc from 'fast-check';
import { JsonConverter } from './json.converter.js';

/** A schema, and values of it in the one form that records have. */
interface Typed {
  readonly schema: SchemaBuilder;
  readonly values: fc.Arbitrary<ConnectValue>;
}

const DAY_MS = 86_400_000;
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const name = fc.stringMatching(/^[a-z_"ü][a-z0-9_. ]{0,8}$/);

const scalar: fc.Arbitrary<Typed> = fc.oneof(
  fc.constant({ schema: SchemaBuilder.int8(), values: fc.integer({ min: -128, max: 127 }) }),
  fc.constant({ schema: SchemaBuilder.int16(), values: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc.constant({ schema: SchemaBuilder.int32(), values: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }),
  fc.constant({ schema: SchemaBuilder.int64(), values: int64 }),
  fc.constant({ schema: SchemaBuilder.float32(), values: fc.float({ noNaN: true, noDefaultInfinity: true }) }),
  fc.constant({ schema: SchemaBuilder.float64(), values: finite }),
  fc.constant({ schema: SchemaBuilder.boolean(), values: fc.boolean() }),
  fc.constant({ schema: SchemaBuilder.string(), values: fc.string({ unit: 'grapheme' }) }),
  fc.constant({ schema: SchemaBuilder.bytes(), values: fc.uint8Array().map((bytes) => Buffer.from(bytes)) }),
  fc.constant({ schema: SchemaBuilder.date(), values: fc.integer({ min: -100_000, max: 100_000 }).map((day) => new Date(day * DAY_MS)) }),
  fc.constant({ schema: SchemaBuilder.time(), values: fc.nat({ max: DAY_MS - 1 }).map((ms) => new Date(ms)) }),
  fc.constant({ schema: SchemaBuilder.timestamp(), values: fc.date({ noInvalidDate: true }) }),
  fc.integer({ min: -5, max: 30 }).map((scale) => ({
    schema: SchemaBuilder.decimal(scale),
    values: fc.bigInt({ min: -(2n ** 130n), max: 2n ** 130n }).map((unscaled) => new Decimal(unscaled, scale)),
  })),
);

const typed = fc.letrec<{ readonly any: Typed }>((tie) => ({
  any: fc
    .oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      tie('any').map(arrayOf),
      fc.tuple(scalar, tie('any')).map(([key, value]) => mapOf(key, value)),
      fc.uniqueArray(fc.tuple(name, tie('any')), { selector: ([field]) => field, maxLength: 4 }).map(structOf),
    )
    .chain((each) => fc.boolean().map((isOptional) => (isOptional ? optionalOf(each) : each))),
})).any;

function arrayOf({ schema, values }: Typed): Typed {
  return { schema: SchemaBuilder.array(schema), values: fc.array(values, { maxLength: 3 }) };
}

function mapOf(key: Typed, value: Typed): Typed {
  const entries = fc.array(fc.tuple(key.values, value.values), { maxLength: 3 });
  const isText = key.schema.build().type === 'string';
  return {
    schema: SchemaBuilder.map(key.schema, value.schema),
    values: entries.map((list) => (isText ? Object.fromEntries(list as readonly [string, ConnectValue][]) : new Map(list))),
  };
}

function structOf(fields: readonly (readonly [string, Typed])[]): Typed {
  const schema = fields.reduce((builder, [field, each]) => builder.field(field, each.schema), SchemaBuilder.struct('S'));
  const values = fc.tuple(...fields.map(([, each]) => each.values));
  return { schema, values: values.map((list) => Object.fromEntries(fields.map(([field], n) => [field, list[n] ?? null]))) };
}

function optionalOf({ schema, values }: Typed): Typed {
  return { schema: schema.optional(), values: fc.option(values) };
}

const cases: fc.Arbitrary<readonly [Schema, ConnectValue]> = typed.chain(({ schema, values }) =>
  values.map((value) => [schema.build(), value] as const),
);

describe('JsonConverter', () => {
  it.each(['BASE64', 'NUMERIC'] as const)('gives back any value of any schema as it was, decimals in %s', (format) => {
    const converter = new JsonConverter({
      'schemas.enable': true,
      'decimal.format': format,
      'replace.null.with.default': true,
      'schemas.cache.size': 10,
      'schema.content': undefined,
    });
    fc.assert(
      fc.property(cases, ([schema, value]) => {
        validateValue(schema, value);
        const bytes = converter.toBytes(value, schema);
        const read = converter.fromBytes(bytes === null ? null : Buffer.from(bytes));
        expect(read.value).toStrictEqual(value);
        if (value !== null) expect(read.schema).toEqual(schema);
      }),
      { numRuns: 250 },
    );
  });

  it('gives back any default of a field that is left out', () => {
    const converter = new JsonConverter({
      'schemas.enable': true,
      'decimal.format': 'BASE64',
      'replace.null.with.default': true,
      'schemas.cache.size': 10,
      'schema.content': undefined,
    });
    fc.assert(
      fc.property(
        cases.filter(([, value]) => value !== null),
        ([schema, value]) => {
          const struct = SchemaBuilder.struct('S')
            .field('x', { ...schema, default: value })
            .build();
          const bytes = Buffer.from(converter.toBytes({}, struct) ?? []);
          expect(converter.fromBytes(bytes)).toStrictEqual({ value: { x: value }, schema: struct });
        },
      ),
      { numRuns: 100 },
    );
  });
});
