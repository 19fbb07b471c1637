import {
  type ConnectValue,
  isConnectArray,
  type JsonValue,
  logicalTypeOf,
  MAX_VALUE_BYTES,
  parseJson,
  type Schema,
  SchemaBuilder,
} from '@sluice/sdk';
import { Part } from './part.js';
import { shown } from './quantities.js';
import { lengthOf, scalarMaker } from './scalar-makers.js';
import { SchemaProblem } from './schema-problem.js';
import { drawBetween, drawShare, type ValueMaker } from './value-maker.js';

const MAX_LEVELS = 20;
const MAX_FIELDS = 1000;
const MAX_ITEMS = 10_000;
const USUAL_ITEMS = [0, 4] as const;
const TYPES = 'boolean, int8, int16, int32, int64, float32, float64, string, bytes, decimal, date, time, timestamp, array, struct';

/** A struct whose values a generator makes, and the makers of its fields. */
export interface StructMaker extends ValueMaker {
  readonly fields: ReadonlyMap<string, ValueMaker>;
}

/**
 * Reads a schema in the JSON form of Kafka Connect, with what its fields are to hold beside their types.
 * @throws {SchemaProblem} naming the part, what was given and what is allowed
 */
export function readSchema(text: string): StructMaker {
  let given: JsonValue;
  try {
    given = parseJson(text);
  } catch (error) {
    throw new SchemaProblem('schema', `no JSON (${(error as Error).message})`, 'allowed is a JSON object with fields');
  }
  return new SchemaReader().read(given);
}

class SchemaReader {
  #fields = 0;

  read(given: JsonValue): StructMaker {
    const part = new Part('schema', given);
    const type = part.take('type') ?? 'struct';
    if (type !== 'struct') throw part.problem('type', shown(type), 'a record is a struct; Avro schemas are not read');
    const name = part.takeText('name');
    const maker = this.#struct(part, name, 1);
    const schema = { ...maker.schema, ...noted(part) };
    part.requireNoMore();
    return { ...maker, schema };
  }

  #struct(part: Part, name: string | undefined, level: number): StructMaker {
    const given = part.take('fields');
    if (!isConnectArray(given) || given.length === 0)
      throw part.problem('fields', shown(given), 'a struct needs a list of at least one field');
    const makers = new Map<string, ValueMaker>();
    for (const [n, item] of given.entries()) {
      const at = part.path === 'schema' ? `fields[${n}]` : `${part.path}.fields[${n}]`;
      const field = new Part(at, item).takeText('field');
      if (field === undefined) throw new SchemaProblem(`${at}.field`, 'nothing', 'a field needs a name');
      // An object of JavaScript cannot have a field of that name as others.
      if (field === '__proto__') throw new SchemaProblem(`${at}.field`, shown(field), 'allowed is any other name');
      if (makers.has(field)) throw new SchemaProblem(`${at}.field`, shown(field), 'each name is allowed once');
      this.#fields += 1;
      if (this.#fields > MAX_FIELDS) throw new SchemaProblem(at, `more than ${MAX_FIELDS} fields`, `allowed are ${MAX_FIELDS}`);
      const path = part.path === 'schema' ? field : `${part.path}.${field}`;
      const own = new Part(path, item);
      own.take('field');
      makers.set(field, this.#value(own, level + 1));
    }
    const builder = [...makers].reduce((built, [field, { schema }]) => built.field(field, schema), SchemaBuilder.struct(name));
    return {
      schema: builder.build(),
      fields: makers,
      maxBytes: boundedBytes(
        part,
        [...makers.values()].map(({ maxBytes }) => maxBytes),
      ),
      make: structValues(makers),
    };
  }

  #value(part: Part, level: number): ValueMaker {
    if (level > MAX_LEVELS) throw new SchemaProblem(part.path, `more than ${MAX_LEVELS} levels`, `allowed are ${MAX_LEVELS}`);
    const { type, name } = typeOf(part);
    const nulls = nullsOf(part);
    const isOptional = optionalOf(part) ?? nulls > 0;
    if (nulls > 0 && !isOptional) throw part.problem('nulls', String(nulls), 'a field that is not optional has none');
    const maker =
      type === 'struct' ? this.#struct(part, name, level) : type === 'array' ? this.#array(part, level) : scalarMaker(type, part);
    if (maker === undefined) throw part.problem('type', shown(type), `allowed are ${TYPES}`);
    const schema: Schema = {
      ...maker.schema,
      ...(name === undefined ? undefined : { name }),
      ...noted(part),
      ...(isOptional ? { optional: true } : undefined),
    };
    part.requireNoMore();
    if (nulls === 0) return { ...maker, schema };
    return { ...maker, schema, make: (draw) => (drawShare(draw) < nulls ? null : maker.make(draw)) };
  }

  #array(part: Part, level: number): ValueMaker {
    const items = this.#value(new Part(part.at('items'), part.take('items')), level + 1);
    const [min, max] = lengthOf(part, USUAL_ITEMS, MAX_ITEMS);
    return {
      schema: SchemaBuilder.array(items.schema).build(),
      maxBytes: boundedBytes(part, [max * items.maxBytes]),
      make: (draw) => {
        const length = drawBetween(min, max, draw);
        return Array.from({ length }, () => items.make(draw));
      },
    };
  }
}

/** Sums up sizes. @throws {SchemaProblem} for what does not fit into a message */
function boundedBytes(part: Part, sizes: readonly number[]): number {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes <= MAX_VALUE_BYTES) return bytes;
  throw new SchemaProblem(part.path, `values of up to about ${bytes} bytes`, `a message holds ${MAX_VALUE_BYTES}`);
}

function structValues(makers: ReadonlyMap<string, ValueMaker>): ValueMaker['make'] {
  const fields = [...makers];
  return (draw) => {
    const value: Record<string, ConnectValue> = {};
    for (const [name, { make }] of fields) value[name] = make(draw);
    return value;
  };
}

/** Returns the type in one form: a logical type has its short name, as `{"type":"int32","name":"org.apache.kafka.connect.data.Date"}` has. */
function typeOf(part: Part): { readonly type: string; readonly name: string | undefined } {
  const type = part.take('type');
  if (typeof type !== 'string') throw part.problem('type', shown(type), `allowed are ${TYPES}`);
  const name = part.takeText('name');
  const logical = logicalTypeOf(name);
  if (logical === undefined) return { type, name };
  const short = logical.slice(logical.lastIndexOf('.') + 1).toLowerCase();
  const base = { decimal: 'bytes', date: 'int32', time: 'int32', timestamp: 'int64' }[short];
  if (type !== base && type !== short) throw part.problem('type', shown(type), `${name} is kept in ${base}`);
  return { type: short, name: undefined };
}

/** Reads what converters pass on and the generator does not use. */
function noted(part: Part): Pick<Schema, 'doc' | 'version'> {
  const doc = part.takeText('doc');
  const version = part.take('version');
  if (version !== undefined && !(typeof version === 'number' && Number.isInteger(version) && version >= 0)) {
    throw part.problem('version', shown(version), 'allowed are whole numbers from 0');
  }
  return { ...(doc === undefined ? undefined : { doc }), ...(version === undefined ? undefined : { version }) };
}

function nullsOf(part: Part): number {
  const nulls = part.take('nulls') ?? 0;
  if (typeof nulls === 'number' && nulls >= 0 && nulls <= 1) return nulls;
  throw part.problem('nulls', shown(nulls), 'allowed are shares from 0 to 1');
}

function optionalOf(part: Part): boolean | undefined {
  const optional = part.take('optional');
  if (optional === undefined || typeof optional === 'boolean') return optional;
  throw part.problem('optional', shown(optional), 'allowed are true and false');
}
