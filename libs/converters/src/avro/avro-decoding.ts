import { type ConnectValue, Decimal, LogicalType, SCALE_PARAMETER, scalarOf, type Schema, type SchemaField, SchemaType } from '@sluice/sdk';
import {
  type AvroObject,
  type AvroSchema,
  DEFAULT_NAME,
  DEFAULT_PRECISION,
  ENUM_PARAMETER,
  FIELD_DOC_PARAMETER,
  fullNameOf,
  isUnion,
  MAP_ENTRY,
  NAMESPACE,
  PRECISION_PARAMETER,
  RECORD_DOC_PARAMETER,
  splitName,
  UNION_NAME,
} from './avro-names.js';
import type { AvroSettings } from './avro-settings.js';

type Decode = (value: unknown) => ConnectValue;

/** The schema of what an Avro schema describes, with what makes values of the library's. */
export interface AvroDecoding {
  readonly schema: Schema;
  readonly decode: Decode;
}

/** A type with the namespace that names inside of it have. */
interface Node extends AvroDecoding {
  /** What stands for the type in a union. */
  readonly branch: string;
}

const PLAIN: Readonly<Record<string, SchemaType>> = {
  int: SchemaType.int32,
  long: SchemaType.int64,
  float: SchemaType.float32,
  double: SchemaType.float64,
  boolean: SchemaType.boolean,
  string: SchemaType.string,
  bytes: SchemaType.bytes,
};
const LOGICAL_INTS: Readonly<Record<string, LogicalType>> = { date: LogicalType.date, 'time-millis': LogicalType.time };
const SMALL_INTS: Readonly<Record<string, SchemaType>> = { int8: SchemaType.int8, int16: SchemaType.int16 };

/** Makes schemas of Avro schemas as Confluent's AvroConverter does. Throws errors that name the part. */
export class AvroDecoder {
  readonly #named = new Map<string, Node>();
  readonly #open = new Set<string>();

  constructor(private readonly settings: AvroSettings) {}

  /** Notes the types of a schema that others refer to. */
  decodingOf(schema: AvroSchema): AvroDecoding {
    return this.#node(schema, undefined);
  }

  #node(schema: AvroSchema, namespace: string | undefined): Node {
    if (typeof schema === 'string') return this.#reference(schema, namespace);
    if (isUnion(schema)) return this.#union(schema, namespace);
    const { type } = schema;
    if (typeof type !== 'string') return this.#node(type, namespace);
    if (type === 'record' || type === 'error') return this.#record(schema, namespace);
    if (type === 'enum') return this.#enum(schema, namespace);
    if (type === 'fixed') return this.#fixed(schema, namespace);
    if (type === 'array') return this.#array(schema, namespace);
    if (type === 'map') return this.#map(schema, namespace);
    return PLAIN[type] === undefined ? this.#reference(type, namespace) : this.#scalar(schema, type, type);
  }

  #reference(name: string, namespace: string | undefined): Node {
    if (name === 'null') throw new TypeError('Standalone null schemas are not supported by this converter');
    if (PLAIN[name] !== undefined) return this.#scalar({ type: name }, name, name);
    const fullName = name.includes('.') || namespace === undefined ? name : `${namespace}.${name}`;
    const node = this.#named.get(fullName) ?? this.#named.get(name);
    if (node !== undefined) return node;
    const isOpen = this.#open.has(fullName) || this.#open.has(name);
    throw new TypeError(isOpen ? `The type ${fullName} holds itself; such a schema is not supported` : `There is no type ${fullName}`);
  }

  #scalar(avro: AvroObject, type: string, branch: string): Node {
    const logical = avro['logicalType'];
    const plain = PLAIN[type] ?? SchemaType.bytes;
    if (plain === SchemaType.bytes && logical === 'decimal') {
      const { scale = 0, precision } = avro as { readonly scale?: number; readonly precision?: number };
      const parameters = {
        [SCALE_PARAMETER]: String(scale),
        ...(precision === undefined || precision === DEFAULT_PRECISION ? undefined : { [PRECISION_PARAMETER]: String(precision) }),
      };
      const schema = this.#described(avro, { type: plain, name: LogicalType.decimal, version: 1, parameters });
      return { schema, branch, decode: (value) => Decimal.fromBytes(value as Buffer, scale) };
    }
    const name =
      type === 'int'
        ? LOGICAL_INTS[String(logical)]
        : type === 'long' && logical === 'timestamp-millis'
          ? LogicalType.timestamp
          : undefined;
    if (name !== undefined) {
      const schema = this.#described(avro, { type: plain, name, version: 1 });
      return { schema, branch, decode: (value) => scalarOf(schema, value as ConnectValue, 'value') };
    }
    const small = type === 'int' && logical === undefined ? SMALL_INTS[String(avro['connect.type'])] : undefined;
    const schema = this.#described(avro, { type: small ?? plain });
    return { schema, branch, decode: small === undefined ? asIs : (value) => scalarOf(schema, value as ConnectValue, 'value') };
  }

  #fixed(avro: AvroObject, namespace: string | undefined): Node {
    const fullName = fullNameOf(avro, namespace);
    return this.#declared(fullName, this.#scalar(avro, 'fixed', fullName));
  }

  #enum(avro: AvroObject, namespace: string | undefined): Node {
    const fullName = fullNameOf(avro, namespace);
    const symbols = (avro['symbols'] as readonly string[]).map((symbol) => [`${ENUM_PARAMETER}.${symbol}`, symbol] as const);
    const parameters = { [ENUM_PARAMETER]: fullName, ...Object.fromEntries(symbols) };
    const schema = this.#described(avro, { type: SchemaType.string, parameters }, fullName);
    return this.#declared(fullName, { schema, branch: fullName, decode: asIs });
  }

  #array(avro: AvroObject, namespace: string | undefined): Node {
    const items = avro['items'] as AvroSchema;
    const entry = this.#mapEntry(items, namespace);
    const { schema: valueSchema, decode } = this.#node(items, namespace);
    if (!entry) {
      const schema = this.#described(avro, { type: SchemaType.array, valueSchema });
      return { schema, branch: 'array', decode: (value) => (value as readonly unknown[]).map(decode) };
    }
    const [key, value] = ['key', 'value'].map((name) => valueSchema.fields?.find((field) => field.name === name)?.schema);
    if (key === undefined || value === undefined) throw new TypeError('Found map encoded as array of key-value pairs without key or value');
    const schema = this.#described(avro, { type: SchemaType.map, keySchema: key, valueSchema: value });
    const pairsOf = (given: unknown): (readonly [ConnectValue, ConnectValue])[] =>
      (given as readonly unknown[]).map((each) => {
        const pair = decode(each) as { readonly key: ConnectValue; readonly value: ConnectValue };
        return [pair.key, pair.value];
      });
    return {
      schema,
      branch: 'array',
      decode:
        key.type === SchemaType.string
          ? (given) => Object.fromEntries(pairsOf(given) as [string, ConnectValue][])
          : (given) => new Map(pairsOf(given)),
    };
  }

  #mapEntry(items: AvroSchema, namespace: string | undefined): boolean {
    if (typeof items === 'string') return items === `${NAMESPACE}.${MAP_ENTRY}`;
    if (isUnion(items) || items.type !== 'record') return false;
    return fullNameOf(items, namespace) === `${NAMESPACE}.${MAP_ENTRY}` || items['connect.internal.type'] === MAP_ENTRY;
  }

  #map(avro: AvroObject, namespace: string | undefined): Node {
    const { schema: valueSchema, decode } = this.#node(avro['values'] as AvroSchema, namespace);
    const schema = this.#described(avro, { type: SchemaType.map, keySchema: { type: SchemaType.string }, valueSchema });
    return {
      schema,
      branch: 'map',
      decode: (value) => Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, decode(item)])),
    };
  }

  #record(avro: AvroObject, namespace: string | undefined): Node {
    const fullName = fullNameOf(avro, namespace);
    this.#open.add(fullName);
    const inner = splitName(fullName).namespace;
    const meta = this.settings['connect.meta.data'];
    const parameters: Record<string, string> = {};
    if (meta && typeof avro['doc'] === 'string') parameters[RECORD_DOC_PARAMETER] = avro['doc'];
    const parts = (avro['fields'] as readonly AvroField[]).map((field) => {
      if (field.name === '__proto__') throw new TypeError(`${fullName}: a field cannot be called __proto__`);
      if (meta && field.doc !== undefined) parameters[FIELD_DOC_PARAMETER + field.name] = field.doc;
      const { schema, decode } = this.#node(field.type, inner);
      const hasDefault = field.default !== undefined && field.default !== null;
      const fallback = hasDefault ? defaultFrom(schema, field.default) : undefined;
      return { name: field.name, schema: fallback === undefined ? schema : { ...schema, default: fallback }, decode };
    });
    const fields: readonly SchemaField[] = parts.map(({ name, schema }) => ({ name, schema }));
    const base: Schema = { type: SchemaType.struct, fields, ...(Object.keys(parameters).length === 0 ? undefined : { parameters }) };
    this.#open.delete(fullName);
    return this.#declared(fullName, {
      schema: this.#described(avro, base, fullName),
      branch: fullName,
      decode: (value) => {
        const record = value as Readonly<Record<string, unknown>>;
        const struct: Record<string, ConnectValue> = {};
        for (const { name, decode } of parts) struct[name] = decode(record[name]);
        return struct;
      },
    });
  }

  #union(branches: readonly AvroSchema[], namespace: string | undefined): Node {
    const others = branches.filter((branch) => branch !== 'null');
    const isOptional = others.length < branches.length;
    const nodes = others.map((branch) => this.#node(branch, namespace));
    const [only] = nodes;
    if (only !== undefined && isOptional && nodes.length === 1) {
      const decode: Decode = (value) => (value === null ? null : only.decode((value as Record<string, unknown>)[only.branch]));
      return { schema: { ...only.schema, optional: true }, branch: only.branch, decode };
    }
    const isEnhanced = this.settings['enhanced.avro.schema.support'];
    const named = nodes.map((node) => ({ ...node, field: isEnhanced ? node.branch : splitName(node.branch).name }));
    const fields = named.map(({ field, schema }) => ({ name: field, schema: { ...schema, optional: true } }));
    const byBranch = new Map(named.map((node) => [node.branch, node]));
    return {
      schema: { type: SchemaType.struct, name: UNION_NAME, fields, ...(isOptional ? { optional: true } : undefined) },
      branch: UNION_NAME,
      decode: (value) => {
        if (value === null) return null;
        const [[branch, item] = ['', undefined]] = Object.entries(value as object) as [string, unknown][];
        const node = byBranch.get(branch);
        if (node === undefined) throw new TypeError(`The union has no branch ${branch}`);
        return { ...Object.fromEntries(fields.map(({ name }) => [name, null])), [node.field]: node.decode(item) };
      },
    };
  }

  #declared(fullName: string, node: Node): Node {
    this.#named.set(fullName, node);
    return node;
  }

  /** Adds what Confluent's converter keeps in properties. */
  #described(avro: AvroObject, base: Schema, fullName?: string): Schema {
    const meta = this.settings['connect.meta.data'];
    const { 'connect.name': connectName, 'connect.version': version, 'connect.doc': doc, 'connect.default': fallback } = avro;
    const name = base.name ?? (typeof connectName === 'string' ? connectName : fullName);
    const parameters = { ...base.parameters, ...(meta ? (avro['connect.parameters'] as Record<string, string> | undefined) : undefined) };
    const schema: Schema = {
      ...base,
      ...(name === undefined || name === DEFAULT_NAME ? undefined : { name }),
      ...(typeof version === 'number' ? { version } : undefined),
      ...(meta && typeof doc === 'string' ? { doc } : undefined),
      ...(Object.keys(parameters).length === 0 ? undefined : { parameters }),
    };
    if (fallback === undefined || fallback === null) return schema;
    const value = defaultFrom(schema, fallback);
    return value === undefined ? schema : { ...schema, default: value };
  }
}

interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly doc?: string;
  readonly default?: unknown;
}

/** Returns a default that stands in Avro's JSON; `undefined` for one of a union with several branches. */
function defaultFrom(schema: Schema, json: unknown): ConnectValue | undefined {
  if (json === null || schema.name === UNION_NAME) return undefined;
  if (schema.type === SchemaType.bytes) {
    const bytes = Buffer.from(json as string, 'latin1');
    return schema.name === LogicalType.decimal ? Decimal.fromBytes(bytes, Number(schema.parameters?.[SCALE_PARAMETER] ?? 0)) : bytes;
  }
  const { valueSchema } = schema;
  if (schema.type === SchemaType.array && valueSchema !== undefined) {
    return (json as readonly unknown[]).map((item) => defaultFrom(valueSchema, item) ?? null);
  }
  if (schema.type === SchemaType.map && valueSchema !== undefined) {
    return Object.fromEntries(Object.entries(json as object).map(([key, item]) => [key, defaultFrom(valueSchema, item) ?? null]));
  }
  if (schema.type !== SchemaType.struct) return scalarOf(schema, json as ConnectValue, 'default');
  const struct = json as Readonly<Record<string, unknown>>;
  const entries = (schema.fields ?? []).map(
    ({ name, schema: field }) => [name, defaultFrom(field, struct[name] ?? null) ?? field.default ?? null] as const,
  );
  return Object.fromEntries(entries);
}

function asIs(value: unknown): ConnectValue {
  return value as ConnectValue;
}
