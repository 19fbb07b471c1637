import type { ConnectValue } from './connect-value.js';
import { LogicalType, SCALE_PARAMETER } from './logical-type.js';
import { type Schema, type SchemaField, SchemaType } from './schema.js';
import { schemas } from './schemas.js';
import { requireSchema } from './validate-value.js';

/**
 * Makes schemas step by step. Each step returns a new builder, so a builder can be shared; `build` checks everything.
 *
 * ```ts
 * const order = SchemaBuilder.struct('shop.Order')
 *   .field('id', SchemaBuilder.int64())
 *   .field('price', SchemaBuilder.decimal(2))
 *   .field('note', SchemaBuilder.string().optional())
 *   .field('state', SchemaBuilder.string().default('new'))
 *   .build();
 * ```
 */
export class SchemaBuilder {
  readonly #schema: Schema;

  private constructor(schema: Schema) {
    this.#schema = schema;
  }

  static int8(): SchemaBuilder {
    return new SchemaBuilder(schemas.int8);
  }

  static int16(): SchemaBuilder {
    return new SchemaBuilder(schemas.int16);
  }

  static int32(): SchemaBuilder {
    return new SchemaBuilder(schemas.int32);
  }

  static int64(): SchemaBuilder {
    return new SchemaBuilder(schemas.int64);
  }

  static float32(): SchemaBuilder {
    return new SchemaBuilder(schemas.float32);
  }

  static float64(): SchemaBuilder {
    return new SchemaBuilder(schemas.float64);
  }

  static boolean(): SchemaBuilder {
    return new SchemaBuilder(schemas.boolean);
  }

  static string(): SchemaBuilder {
    return new SchemaBuilder(schemas.string);
  }

  static bytes(): SchemaBuilder {
    return new SchemaBuilder(schemas.bytes);
  }

  static date(): SchemaBuilder {
    return new SchemaBuilder(schemas.date);
  }

  static time(): SchemaBuilder {
    return new SchemaBuilder(schemas.time);
  }

  static timestamp(): SchemaBuilder {
    return new SchemaBuilder(schemas.timestamp);
  }

  /** Makes the schema of decimals with `scale` digits after the point. */
  static decimal(scale: number): SchemaBuilder {
    const parameters = { [SCALE_PARAMETER]: String(scale) };
    return new SchemaBuilder({ type: SchemaType.bytes, name: LogicalType.decimal, version: 1, parameters });
  }

  static array(items: Schema | SchemaBuilder): SchemaBuilder {
    return new SchemaBuilder({ type: SchemaType.array, valueSchema: built(items) });
  }

  /** Makes the schema of maps: plain objects where the keys are strings, instances of `Map` where they are anything else. */
  static map(keys: Schema | SchemaBuilder, values: Schema | SchemaBuilder): SchemaBuilder {
    return new SchemaBuilder({ type: SchemaType.map, keySchema: built(keys), valueSchema: built(values) });
  }

  static struct(name?: string): SchemaBuilder {
    return new SchemaBuilder({ type: SchemaType.struct, ...(name === undefined ? undefined : { name }), fields: [] });
  }

  /** Adds a field to a struct, behind those that it has. */
  field(name: string, schema: Schema | SchemaBuilder): SchemaBuilder {
    const field: SchemaField = { name, schema: built(schema) };
    return this.#with({ fields: [...(this.#schema.fields ?? []), field] });
  }

  /** Allows null. */
  optional(): SchemaBuilder {
    return this.#with({ optional: true });
  }

  /** Sets what a struct means that leaves the field out. */
  default(value: ConnectValue): SchemaBuilder {
    return this.#with({ default: value });
  }

  name(name: string): SchemaBuilder {
    return this.#with({ name });
  }

  version(version: number): SchemaBuilder {
    return this.#with({ version });
  }

  doc(doc: string): SchemaBuilder {
    return this.#with({ doc });
  }

  parameter(name: string, value: string): SchemaBuilder {
    return this.#with({ parameters: { ...this.#schema.parameters, [name]: value } });
  }

  /** @throws ConnectError with code `CONNECT_SCHEMA_INVALID`, naming the part, what was given and what is allowed */
  build(): Schema {
    requireSchema(this.#schema);
    return this.#schema;
  }

  #with(parts: Partial<Schema>): SchemaBuilder {
    return new SchemaBuilder(Object.freeze({ ...this.#schema, ...parts }));
  }
}

function built(schema: Schema | SchemaBuilder): Schema {
  return schema instanceof SchemaBuilder ? schema.build() : schema;
}
