import {
  arrayItems,
  type ConnectValue,
  dateToNumber,
  Decimal,
  LogicalType,
  logicalTypeOf,
  mapOf,
  objectMapOf,
  scalarOf,
  scaleOf,
  type Schema,
  SchemaType,
  structOf,
} from '@sluice/sdk';
import { hasHalfSurrogate } from '../plain/text-encoding.js';
import {
  type AvroObject,
  type AvroSchema,
  avroName,
  DEFAULT_NAME,
  DEFAULT_PRECISION,
  ENUM_PARAMETER,
  FIELD_DOC_PARAMETER,
  MAP_ENTRY,
  NAMESPACE,
  PRECISION_PARAMETER,
  RECORD_DOC_PARAMETER,
  splitName,
  UNION_NAME,
} from './avro-names.js';
import type { AvroSettings } from './avro-settings.js';

/** Makes what the Avro library writes of a value, whose unions are wrapped: `{ int: 1 }`. */
type Encode = (value: ConnectValue | undefined, path: string) => unknown;

/** A schema in Avro, with what makes values of it. */
export interface AvroEncoding {
  readonly schema: AvroSchema;
  readonly encode: Encode;
}

/** What stands for the type in a union; for named types their full name. */
interface Base extends AvroEncoding {
  readonly branch: string;
}

const PRIMITIVES: Partial<Record<SchemaType, string>> = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
};
const LOGICAL: Readonly<Record<LogicalType, string>> = {
  [LogicalType.decimal]: 'decimal',
  [LogicalType.date]: 'date',
  [LogicalType.time]: 'time-millis',
  [LogicalType.timestamp]: 'timestamp-millis',
};

/** Makes Avro schemas of schemas in the form of Confluent's AvroConverter, for one top schema each. Throws errors that name the part. */
export class AvroEncoder {
  /** Avro names a type once, and refers to it afterwards. */
  readonly #named = new Map<string, string>();

  constructor(private readonly settings: AvroSettings) {}

  /** The schema must be valid. */
  encodingOf(schema: Schema): AvroEncoding {
    const base = this.#base(schema);
    const keepsNull = schema.optional === true && this.settings['ignore.default.for.nullables'];
    const { encode, branch } = base;
    const withDefault: Encode = (value, path) => {
      const given = value === undefined || (value === null && !keepsNull) ? (schema.default ?? null) : value;
      if (given === null) {
        if (schema.optional === true) return null;
        throw new TypeError(`${path}: null value for field that is required and has no default value`);
      }
      const made = encode(given, path);
      return schema.optional === true && schema.name !== UNION_NAME ? { [branch]: made } : made;
    };
    if (schema.optional !== true) return { schema: base.schema, encode: withDefault };
    if (schema.name === UNION_NAME) return { schema: ['null', ...(base.schema as readonly AvroSchema[])], encode: withDefault };
    return { schema: schema.default === undefined ? ['null', base.schema] : [base.schema, 'null'], encode: withDefault };
  }

  #base(schema: Schema): Base {
    if (schema.type === SchemaType.struct) return schema.name === UNION_NAME ? this.#union(schema) : this.#record(schema);
    if (schema.type === SchemaType.array) return this.#array(schema);
    if (schema.type === SchemaType.map) return this.#map(schema);
    return this.#scalar(schema);
  }

  #scalar(schema: Schema): Base {
    const { type, parameters } = schema;
    const enumName = this.settings['enhanced.avro.schema.support'] ? parameters?.[ENUM_PARAMETER] : undefined;
    if (type === SchemaType.string && enumName !== undefined) return this.#enum(schema, enumName);
    const name = PRIMITIVES[type] ?? type;
    const logical = logicalTypeOf(schema.name);
    const decimal = logical === LogicalType.decimal ? decimalProperties(schema) : undefined;
    const connectType = type === SchemaType.int8 || type === SchemaType.int16 ? { 'connect.type': type } : undefined;
    const properties = {
      ...decimal,
      ...(this.settings['connect.meta.data']
        ? { ...this.#metaData(schema, (value) => defaultOf(schema, value)), ...connectType }
        : undefined),
      ...(logical === undefined ? undefined : { logicalType: LOGICAL[logical] }),
    };
    return { schema: withProperties(name, properties), branch: name, encode: scalarEncode(schema) };
  }

  #enum(schema: Schema, fullName: string): Base {
    const prefix = `${ENUM_PARAMETER}.`;
    const symbols = Object.entries(schema.parameters ?? {}).flatMap(([key, symbol]) => (key.startsWith(prefix) ? [symbol] : []));
    const known = new Set(symbols);
    const named = this.#declare(fullName, { type: 'enum', ...splitName(fullName), symbols, ...this.#meta(schema) });
    return {
      schema: named,
      branch: fullName,
      encode: (value, path) => {
        if (typeof value === 'string' && known.has(value)) return value;
        throw new TypeError(`${path}: the value is no symbol of the enum ${fullName}`);
      },
    };
  }

  #array(schema: Schema): Base {
    const items = this.encodingOf(partOf(schema.valueSchema));
    return {
      schema: { type: 'array', items: items.schema, ...this.#meta(schema) },
      branch: 'array',
      encode: (value, path) => arrayItems(value ?? null, path).map((item, n) => items.encode(item, `${path}[${n}]`)),
    };
  }

  #map(schema: Schema): Base {
    const keySchema = partOf(schema.keySchema);
    const values = this.encodingOf(partOf(schema.valueSchema));
    if (keySchema.type === SchemaType.string && keySchema.optional !== true) {
      return {
        schema: { type: 'map', values: values.schema, ...this.#meta(schema) },
        branch: 'map',
        encode: (value, path) =>
          Object.fromEntries(
            Object.entries(objectMapOf(value ?? null, path)).map(([key, item]) => {
              requireWellFormed(key, path);
              return [key, values.encode(item, `${path}.${key}`)];
            }),
          ),
      };
    }
    const keys = this.encodingOf(keySchema);
    const fullName = schema.name ?? `${NAMESPACE}.${MAP_ENTRY}`;
    const entry = this.#declare(fullName, {
      type: 'record',
      ...splitName(fullName),
      fields: [
        { name: 'key', type: keys.schema },
        { name: 'value', type: values.schema },
      ],
      ...(schema.name === undefined ? undefined : { 'connect.internal.type': MAP_ENTRY }),
    });
    const entriesOf = (value: ConnectValue, path: string): Iterable<readonly [ConnectValue, ConnectValue | undefined]> =>
      keySchema.type === SchemaType.string ? Object.entries(objectMapOf(value, path)) : mapOf(schema, value, path);
    return {
      schema: { type: 'array', items: entry, ...this.#meta(schema) },
      branch: 'array',
      encode: (value, path) =>
        Array.from(entriesOf(value ?? null, path), ([key, item], n) => ({
          key: keys.encode(key, `${path}[${n}]`),
          value: values.encode(item, `${path}[${n}]`),
        })),
    };
  }

  #record(schema: Schema): Base {
    const scrubs = this.settings['scrub.invalid.names'];
    const fullName = (schema.name ?? DEFAULT_NAME)
      .split('.')
      .map((part) => avroName(part, scrubs))
      .join('.');
    const fields = (schema.fields ?? []).map(({ name, schema: fieldSchema }) => ({
      name,
      avro: avroName(name, scrubs),
      fieldSchema,
      ...this.encodingOf(fieldSchema),
    }));
    const doc = schema.parameters?.[RECORD_DOC_PARAMETER];
    const named = this.#declare(fullName, {
      type: 'record',
      ...splitName(fullName),
      ...(doc === undefined ? undefined : { doc }),
      fields: fields.map(({ name, avro, fieldSchema, schema: type }) => {
        const fieldDoc = schema.parameters?.[FIELD_DOC_PARAMETER + name];
        return { name: avro, type, ...(fieldDoc === undefined ? undefined : { doc: fieldDoc }), ...fieldDefault(fieldSchema) };
      }),
      ...this.#meta(schema),
    });
    return {
      schema: named,
      branch: fullName,
      encode: (value, path) => {
        const struct = structOf(schema, value ?? null, path);
        const record: Record<string, unknown> = {};
        for (const { name, avro, encode } of fields) {
          record[avro] = encode(Object.hasOwn(struct, name) ? struct[name] : undefined, `${path}.${name}`);
        }
        return record;
      },
    };
  }

  /** A struct of this name has a field for each branch, of which one is set. */
  #union(schema: Schema): Base {
    const branches = (schema.fields ?? []).map(({ name, schema: { optional: _optional, ...rest } }) => ({ name, ...this.#base(rest) }));
    return {
      schema: branches.map((branch) => branch.schema),
      branch: UNION_NAME,
      encode: (value, path) => {
        const struct = structOf(schema, value ?? null, path);
        const set = branches.filter(({ name }) => Object.hasOwn(struct, name) && struct[name] !== null && struct[name] !== undefined);
        const [only] = set;
        if (only === undefined || set.length > 1)
          throw new TypeError(`${path}: ${set.length} branches of the union are set; one is needed`);
        return { [only.branch]: only.encode(struct[only.name], `${path}.${only.name}`) };
      },
    };
  }

  #declare(fullName: string, definition: AvroObject): AvroSchema {
    const text = JSON.stringify(definition);
    const known = this.#named.get(fullName);
    if (known === undefined) {
      this.#named.set(fullName, text);
      return definition;
    }
    if (known === text) return fullName;
    throw new TypeError(`Two different schemas are called ${fullName}; give each a name of its own`);
  }

  #meta(schema: Schema): object | undefined {
    return this.settings['connect.meta.data'] ? this.#metaData(schema, (value) => defaultOf(schema, value)) : undefined;
  }

  #metaData({ doc, version, parameters, default: fallback, name }: Schema, defaultJson: (value: ConnectValue) => unknown): object {
    return {
      ...(doc === undefined ? undefined : { 'connect.doc': doc }),
      ...(version === undefined ? undefined : { 'connect.version': version }),
      ...(parameters === undefined ? undefined : { 'connect.parameters': parameters }),
      ...(fallback === undefined ? undefined : { 'connect.default': defaultJson(fallback) }),
      ...(name === undefined ? undefined : { 'connect.name': logicalTypeOf(name) ?? name }),
    };
  }
}

function scalarEncode(schema: Schema): Encode {
  const logical = logicalTypeOf(schema.name);
  return (value, path) => {
    const scalar = scalarOf(schema, value ?? null, path);
    if (scalar instanceof Date) {
      const number = dateToNumber(scalar, logical ?? LogicalType.timestamp, path);
      return schema.type === SchemaType.int64 ? BigInt(number) : number;
    }
    if (scalar instanceof Decimal) return Buffer.from(scalar.toBytes());
    if (scalar instanceof Uint8Array) return Buffer.from(scalar.buffer, scalar.byteOffset, scalar.byteLength);
    if (typeof scalar === 'string') requireWellFormed(scalar, path);
    return scalar;
  };
}

/** Half a surrogate pair has no bytes in UTF-8. */
function requireWellFormed(text: string, path: string): void {
  if (hasHalfSurrogate(text)) throw new TypeError(`${path}: the text has half a surrogate pair, which UTF-8 cannot hold`);
}

function decimalProperties(schema: Schema): object {
  const precision = Number(schema.parameters?.[PRECISION_PARAMETER] ?? DEFAULT_PRECISION);
  return { scale: scaleOf(schema) ?? 0, precision };
}

function withProperties(name: string, properties: object): AvroSchema {
  return Object.keys(properties).length === 0 ? name : { type: name, ...properties };
}

/** An optional field without a default has null, so that readers can add it. */
function fieldDefault(schema: Schema): { readonly default?: unknown } {
  if (schema.default !== undefined) return { default: defaultOf(schema, schema.default) };
  return schema.optional === true ? { default: null } : {};
}

/** Returns a default in Avro's JSON: bytes are a text with a character for each, and the first branch of a union stands alone. */
function defaultOf(schema: Schema, value: ConnectValue): unknown {
  if (value === null) return null;
  if (schema.type === SchemaType.struct) {
    const struct = structOf(schema, value, 'default');
    const entries = (schema.fields ?? []).map(({ name, schema: fieldSchema }) => {
      const item = (Object.hasOwn(struct, name) ? struct[name] : undefined) ?? fieldSchema.default ?? null;
      return [name, defaultOf(fieldSchema, item)] as const;
    });
    return Object.fromEntries(entries);
  }
  if (schema.type === SchemaType.array) return arrayItems(value, 'default').map((item) => defaultOf(partOf(schema.valueSchema), item));
  if (schema.type === SchemaType.map) {
    if (schema.keySchema?.type !== SchemaType.string) throw new TypeError('A map whose keys are no strings has no default in Avro');
    const entries = Object.entries(objectMapOf(value, 'default'));
    return Object.fromEntries(entries.map(([key, item]) => [key, defaultOf(partOf(schema.valueSchema), item ?? null)]));
  }
  const made = scalarEncode(schema)(value, 'default');
  return Buffer.isBuffer(made) ? made.toString('latin1') : made;
}

/** A valid schema has the parts that its type needs. */
function partOf(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('The schema was not checked');
  return schema;
}
